// What a seat map may hold, where each mistake is pointed at, and that the published schema says the same.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  flatSeats,
  isSeatMap,
  seatMapLimits,
  seatMapProblems,
  seatMapSchema,
  zoneSizes,
  type SeatMap,
} from './seat-map.rules.js';

const theatre = (): SeatMap => ({
  zones: [
    { id: 'front', name: 'Front' },
    { id: 'rear', name: 'القسم الخلفي' },
  ],
  sections: [
    {
      id: 'stalls',
      name: 'Stalls',
      rows: [
        {
          id: 'A',
          seats: [
            { id: 'A-1', number: '1', x: 0, y: 0, zone: 'front', accessible: true },
            { id: 'A-2', number: 2, x: 1.5, y: 0, zone: 'front', companionOf: 'A-1' },
            { id: 'A-3', number: '3', x: -3, y: 1e6, zone: 'rear', accessible: false, companionOf: null },
          ],
        },
        { id: 'B', seats: [{ id: 'B-1', number: '1', x: 0, y: 1, zone: 'rear', companionOf: 'A-1' }] },
        { id: 'C', seats: [{ id: 'C-1', number: '1', x: 0, y: 2, zone: 'rear' }] },
      ],
    },
  ],
});

/** The theatre with the value at a JSON pointer replaced (or taken away). */
function withAt(pointer: string, value?: unknown): unknown {
  const map = theatre();
  const path = pointer.slice(1).split('/');
  const last = path.pop()!;
  const parent = path.reduce<Record<string, unknown>>((node, step) => node[step] as Record<string, unknown>, map as never);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return map;
}
const pointers = (map: unknown) => seatMapProblems(map).map((problem) => problem.pointer);
const seat = '/sections/0/rows/0/seats/0';

/** As many seats as wished, in rows of 50. */
function big(seats: number): SeatMap {
  const rows = Array.from({ length: Math.ceil(seats / 50) }, (_, r) => ({
    id: `r${r}`,
    seats: Array.from({ length: Math.min(50, seats - r * 50) }, (_, i) => ({
      id: `r${r}-${i}`,
      number: `${i}`,
      x: i,
      y: r,
      zone: 'z',
    })),
  }));
  return { zones: [{ id: 'z', name: 'Z' }], sections: [{ id: 's', name: 'S', rows }] };
}

describe('seat map', () => {
  it('accepts a right one, and an empty one that is still being drawn', () => {
    expect(seatMapProblems(theatre())).toEqual([]);
    expect(isSeatMap({ zones: [], sections: [] })).toBe(true);
  });

  const wrong: [pointer: string, value: unknown][] = [
    ['/zones', {}],
    ['/zones/0', 'front'],
    ['/zones/0/name', ''],
    ['/zones/0/name', 'x'.repeat(201)],
    ['/zones/0/name', 'nul \u0000 byte'],
    ['/zones/0/name', 'half a pair \ud800'],
    ['/zones/1/id', 'front'],
    ['/sections', null],
    ['/sections', Array.from({ length: seatMapLimits.sections + 1 }, (_, i) => ({ id: `s${i}`, name: 'S', rows: [] }))],
    ['/sections/0/id', 'with space'],
    ['/sections/0/rows', 7],
    ['/sections/0/rows/1/id', 'A'],
    ['/sections/0/rows/1/seats', undefined],
    [`${seat}/id`, 'é'],
    [`${seat}/id`, 'x'.repeat(65)],
    [`${seat}/number`, undefined],
    [`${seat}/number`, 1.5],
    [`${seat}/number`, ''],
    [`${seat}/x`, Number.NaN],
    [`${seat}/x`, Infinity],
    [`${seat}/y`, '1'],
    [`${seat}/y`, 1e300],
    [`${seat}/zone`, 'nowhere'],
    [`${seat}/accessible`, 'yes'],
    [`${seat}/accesible`, true],
    [`${seat}/__proto~1x`, 1],
    ['/sections/0/rows/1/seats/0/companionOf', 7],
    ['/sections/0/rows/1/seats/0/companionOf', 'B-1'],
    ['/sections/0/rows/1/seats/0/companionOf', 'gone'],
    ['/sections/0/rows/1/seats/0/companionOf', 'A-3'],
    ['/sections/0/rows/2/seats/0/companionOf', 'A-1'],
    ['/sections/0/rows/1/seats/0/id', 'A-3'],
  ];
  it.each(wrong)('points at %s when it is %j', (pointer, value) => {
    const raw = pointer.replace('~1', '/');
    const map =
      raw === pointer
        ? withAt(pointer, value)
        : withAt(seat, { ...theatre().sections[0].rows[0].seats[0], [raw.slice(seat.length + 1)]: value });
    const told = pointers(map);
    expect(told[0]).toBe(pointer);
    // Seats of a zone that is wrong itself are told too; nothing else is.
    if (!pointer.startsWith('/zones')) expect(told).toHaveLength(1);
  });

  it('says so when it is no object at all, with the pointer of its place in the body', () => {
    for (const value of [null, undefined, 7, 'map', []]) expect(seatMapProblems(value, '/seatMap')[0].pointer).toBe('/seatMap');
    expect(seatMapProblems(withAt('/zones/0/name', 5), '/seatMap')[0].pointer).toBe('/seatMap/zones/0/name');
  });

  it('stops telling after 100 problems', () => {
    const map = big(5000);
    for (const row of map.sections[0].rows) for (const seat of row.seats) seat.zone = 'gone';
    expect(pointers(map)).toHaveLength(100);
  });

  it('holds the limit on seats over all sections', () => {
    expect(pointers(big(seatMapLimits.seats))).toEqual([]);
    expect(pointers(big(seatMapLimits.seats + 1))).toEqual(['/sections/0/rows/2000/seats']);
  });

  it('never throws, whatever JSON it is given', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(seatMapProblems(value))));
    fc.assert(
      fc.property(fc.jsonValue(), (value) => Array.isArray(seatMapProblems(withAt('/sections/0/rows/0/seats/1', value)))),
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => Array.isArray(seatMapProblems(withAt('/sections/0', value)))));
  });

  it('gives its seats as rows with their place in the row', () => {
    const flat = flatSeats(theatre());
    expect(flat.map(({ seatId, ordinal }) => [seatId, ordinal])).toEqual([
      ['A-1', 0],
      ['A-2', 1],
      ['A-3', 2],
      ['B-1', 0],
      ['C-1', 0],
    ]);
    const place = { section: 'stalls', sectionName: 'Stalls', row: 'A', zone: 'front', y: 0 };
    expect(flat[0]).toEqual({ ...place, seatId: 'A-1', number: '1', x: 0, accessible: true, companionOf: null, ordinal: 0 });
    expect(flat[1]).toEqual({ ...place, seatId: 'A-2', number: '2', x: 1.5, accessible: false, companionOf: 'A-1', ordinal: 1 });
    expect([...zoneSizes({ ...theatre(), zones: [...theatre().zones, { id: 'empty', name: 'E' }] })]).toEqual([
      ['front', 2],
      ['rear', 3],
      ['empty', 0],
    ]);
  });

  it('is published as the schema that the code holds', () => {
    expect(JSON.parse(readFileSync(new URL('../../docs/seat-map.schema.json', import.meta.url), 'utf8'))).toEqual(seatMapSchema);
  });

  it('checks 50 000 seats in well under 300 ms (printed; judged at ten times that)', () => {
    const map = big(50_000);
    const start = performance.now();
    const problems = seatMapProblems(map);
    const ms = performance.now() - start;
    const flat = flatSeats(map);
    console.log(`50 000 seats: checked in ${ms.toFixed(0)} ms, flattened in ${(performance.now() - start - ms).toFixed(0)} ms`);
    expect(problems).toEqual([]);
    expect(flat).toHaveLength(50_000);
    expect(ms).toBeLessThan(3000);
  });
});
