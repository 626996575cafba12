// What the public types becomes a query that finds what it should, and a circle on the earth a box that holds all of it.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CELLS_PER_DEGREE, allOf, boxAround, cellsOver, distanceKm, eachCell, inWeek, parseNear, plainLetters, searchWords, weeksToLook, wordsForIndex, worthLooking,
} from './listing.rules.js'; // prettier-ignore

describe('near', () => {
  it('reads lat,lon,km and nothing else', () => {
    expect(parseNear('52.52,13.41,25')).toEqual({ lat: 52.52, lon: 13.41, km: 25 });
    expect(parseNear(' -90 , 180 , 0.5 ')).toEqual({ lat: -90, lon: 180, km: 0.5 });
    for (const wrong of [
      '',
      '1,2',
      '1,2,3,4',
      '91,0,1',
      '0,181,1',
      '0,0,0',
      '0,0,-1',
      '0,0,20041',
      'a,b,c',
      '1e1,0,1',
      '0,0,NaN',
      '0,,1',
    ])
      expect(parseNear(wrong), wrong).toBeNull();
  });

  it('measures as maps do', () => {
    expect(distanceKm({ lat: 52.52, lon: 13.405 }, { lat: 48.8566, lon: 2.3522 })).toBeCloseTo(877.5, 0); // Berlin to Paris.
    expect(distanceKm({ lat: 0, lon: 179.9 }, { lat: 0, lon: -179.9 })).toBeCloseTo(22.24, 1);
    expect(distanceKm({ lat: 90, lon: 0 }, { lat: -90, lon: 120 })).toBeCloseTo(20015.1, 0);
  });

  it('has a box that leaves out no place within the circle, also at the poles and across the 180th meridian', () => {
    // Evenly spread, which doubles are not: half of those lie close to nought.
    const evenly = (min: number, max: number) =>
      fc.integer({ min: 0, max: 1_000_000_000 }).map((n) => min + ((max - min) * n) / 1e9);
    const lat = evenly(-90, 90);
    const lon = evenly(-180, 180);
    const km = fc.oneof(evenly(0.001, 50), evenly(50, 5000), evenly(5000, 20_040));
    // Places near the rim are what a wrong box leaves out: pick them by bearing and distance from the centre.
    fc.assert(
      fc.property(lat, lon, km, evenly(0, 360), evenly(0, 1), (la, lo, k, bearing, part) => {
        const box = boxAround({ lat: la, lon: lo, km: k });
        const rad = Math.PI / 180;
        const angle = (k / 6371.0088) * part;
        const sinLat = Math.sin(la * rad) * Math.cos(angle) + Math.cos(la * rad) * Math.sin(angle) * Math.cos(bearing * rad);
        const place = { lat: Math.asin(Math.max(-1, Math.min(1, sinLat))) / rad, lon: 0 };
        const turn = Math.atan2(
          Math.sin(bearing * rad) * Math.sin(angle) * Math.cos(la * rad),
          Math.cos(angle) - Math.sin(la * rad) * sinLat,
        );
        place.lon = ((lo + turn / rad + 540) % 360) - 180;
        if (distanceKm({ lat: la, lon: lo }, place) > k) return true; // Rounded out of the circle.
        const inside =
          box.west <= box.east ? place.lon >= box.west && place.lon <= box.east : place.lon >= box.west || place.lon <= box.east;
        return place.lat >= box.south && place.lat <= box.north && inside;
      }),
      { numRuns: 5000 },
    );
  });

  it('has a box that is no larger than it must be', () => {
    expect(boxAround({ lat: 0, lon: 0, km: 111.195 })).toMatchObject({
      south: expect.closeTo(-1, 3),
      east: expect.closeTo(1, 3),
    });
    const wide = boxAround({ lat: 60, lon: 179.9, km: 111.195 });
    expect(wide.west).toBeGreaterThan(wide.east);
    expect(wide.east).toBeCloseTo(-178.1, 1);
    const west = boxAround({ lat: 60, lon: -179.9, km: 111.195 });
    expect(west.west).toBeCloseTo(178.1, 1);
    expect(west.east).toBeCloseTo(-177.9, 1);
    expect(boxAround({ lat: 89.9, lon: 0, km: 100 })).toMatchObject({ north: 90, west: -180, east: 180 });
  });
});

describe('cells', () => {
  const at = (n: number) => Math.floor(n * CELLS_PER_DEGREE);

  it('are all that a box lies over, also across the 180th meridian', () => {
    expect(eachCell(cellsOver({ south: 0, north: 0.2, west: -0.1, east: 0.1 }))).toEqual({
      rows: [0, 0, 1, 1],
      columns: [-1, 0, -1, 0],
    });
    const { columns } = eachCell(cellsOver({ south: 0, north: 0, west: 179.9, east: -179.9 }))!;
    expect(columns).toEqual([at(179.9), at(180), at(-180)]); // A place may be said to lie at 180 or at -180 degrees.
  });

  it('are not told one by one when they are many', () => {
    expect(eachCell(cellsOver(boxAround({ lat: 52.5, lon: 13.4, km: 25 })))!.rows.length).toBeLessThan(50);
    expect(eachCell(cellsOver(boxAround({ lat: 52.5, lon: 13.4, km: 500 })))).toBeNull();
    expect(eachCell(cellsOver(boxAround({ lat: 90, lon: 0, km: 1 })))).toBeNull();
  });
});

describe('words', () => {
  it('are each the beginning of a word, all of them needed', () => {
    expect(searchWords('jazz berl')).toEqual([`'jazz':*`, `'berl':*`]);
    expect(searchWords('Café')).toEqual([`'Cafe':*`]);
    expect(searchWords(`O'Neil \\ & | !`)).toEqual([`'O':*`, `'Neil':*`]);
    expect(searchWords(' !!! ')).toEqual([]);
    expect(plainLetters('مَرْحَبًا')).toBe('مرحبا');
  });

  it('never become more words than are looked at', () => {
    expect(searchWords('a '.repeat(1000))).toHaveLength(16);
  });

  it('are asked of the index when they leave out much that the rarest one finds', () => {
    expect(wordsForIndex(['jazz', 'city1'], [100, 1])).toEqual(['city1']);
    expect(wordsForIndex(['jazz', 'rock', 'with'], [100, 90, 950])).toEqual(['jazz', 'rock']);
    expect(wordsForIndex(['neither', 'nor'], [0, 0])).toEqual(['neither', 'nor']);
  });

  it('are all asked for at once, also in a week, in which they have no order', () => {
    const hall = `'o2-hall' <-> 'o2' <2> 'hall':*`;
    const all = allOf([`'o''x':*`, '', hall]);
    expect(all).toBe(`('o''x':*) & (${hall})`);
    expect(inWeek(all, 7)).toBe(`('7:o''x':*) & ('7:o2-hall' & '7:o2' & '7:hall':*)`);
    expect(inWeek(allOf(['']), 7)).toBe('');
  });
});

const WEEK_MS = 604_800_000;
/** A thousand events looked through, all near, that start within a tenth of week 3652; ten of them have the word. */
const next = { looked: 1000, near: 1000, words: [10], all: 0, first: new Date(3652 * WEEK_MS), last: new Date(3652.1 * WEEK_MS) };
const weeks = (n: number) => Array.from({ length: n }, (_, i) => 3652 + i);

describe('what is near', () => {
  it('is looked for among more of the next events where that is less than an index finds', () => {
    const near = { ...next, near: 10, words: [] };
    expect(worthLooking({ ...near, all: 2_000_000 }, 21)).toBe(3150);
    expect(worthLooking({ ...near, all: 100_000 }, 21)).toBeNull();
    expect(worthLooking({ ...near, near: 1, all: 1e9 }, 21)).toBeNull(); // Too far to go.
    expect(worthLooking({ ...near, near: 0, all: 1e9 }, 21)).toBeNull();
    expect(worthLooking({ ...near, all: -1 }, 21)).toBeNull();
  });
});

describe('the weeks to look in', () => {
  it('are eight times as many as should have what is wanted, but not many', () => {
    // Ten in a tenth of a week: a hundred matches a week.
    expect(weeksToLook(next, 21)).toEqual({ weeks: weeks(16), beyond: true });
    // Ten a week where the words come together by chance, or in a city near by.
    expect(weeksToLook({ ...next, words: [100, 10] }, 21)).toEqual({ weeks: weeks(26), beyond: true });
    expect(weeksToLook({ ...next, near: 100 }, 21)).toEqual({ weeks: weeks(26), beyond: true });
  });

  it('are none, where too many would be needed', () => {
    expect(weeksToLook({ ...next, words: [3, 10] }, 21)).toEqual({ weeks: [], beyond: true });
    expect(weeksToLook({ ...next, words: [0] }, 21)).toEqual({ weeks: [], beyond: true });
  });

  it('end with the time that was asked for', () => {
    const after = (n: number) => new Date(next.first.getTime() + n * WEEK_MS);
    expect(weeksToLook(next, 21, after(5.5))).toEqual({ weeks: weeks(6), beyond: false });
    expect(weeksToLook({ ...next, words: [0] }, 21, after(0))).toEqual({ weeks: weeks(1), beyond: false });
    expect(weeksToLook(next, 21, after(-9))).toEqual({ weeks: [], beyond: false });
    expect(weeksToLook(next, 21, after(100))).toEqual({ weeks: weeks(16), beyond: true });
  });
});
