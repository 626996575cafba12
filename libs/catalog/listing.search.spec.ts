// Whichever way a search goes, it finds what reading all events one by one would find, in the same order, page by page.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Stage } from '../../test/catalog.stage.js';
import { encodeCursor } from '../kernel/pages.js';
import { ListingRepository, type ListingQuery } from './listing.repository.js';
import { distanceKm } from './listing.rules.js';

interface Row {
  id: string;
  startsAt: Date;
  over: boolean;
  place: { lat: number; lon: number } | null;
  words: string[];
}

/** More than are looked through before an index is asked. */
const EVENTS = 6000;
const CITIES = [
  { lat: 52.5, lon: 13.4 },
  { lat: 52.4, lon: 13.06 },
  { lat: -16.8, lon: 180 },
  { lat: -16.8, lon: -180 },
  { lat: -16.7, lon: -179.9 },
  { lat: 89.9, lon: 40 },
  { lat: 0, lon: 0 },
];
/**
 * By how many events have them: half, a tenth, one in a hundred, and fewer.
 * `edge` is what all have that start within a day or after many.
 */
const WORDS = { with: 2, jazz: 10, jazzy: 100, rock: 10, opera: 100, operetta: 300, cafe: 1000 };

let stage: Stage;
let repository: ListingRepository;
let rows: Row[];

beforeAll(async () => {
  stage = await Stage.open();
  repository = stage.house.api.get(ListingRepository);
  const client = await stage.house.sql.connect();
  try {
    // Many events, at few times, of which some are over. The listing alone is filled: foreign keys are not looked up.
    await client.query('BEGIN; SET LOCAL session_replication_role = replica; SELECT setseed(0.5)');
    await client.query(
      `INSERT INTO catalog.listing (org_id, event_id, starts_at, ends_at, latitude, longitude, words)
       SELECT md5('org' || n % 7)::uuid, md5('event' || n)::uuid, starts_at, starts_at + interval '2 hours',
         place.latitude, place.longitude,
         to_tsvector('simple', 'show' || n || words ||
           CASE WHEN starts_at BETWEEN platform.now() + interval '1 day' AND platform.now() + interval '70 days' THEN '' ELSE ' edge' END)
       FROM (SELECT n,
         date_trunc('day', platform.now()) + floor(random() * 401 - 100) * interval '6 hours' AS starts_at,
         floor(random() * 40)::int AS city,
         (SELECT string_agg(CASE WHEN random() * often < 1 THEN ' ' || word ELSE '' END, '')
          FROM unnest($1::text[], $2::int[]) w (word, often) WHERE n > 0) AS words
         FROM generate_series(1, $3::int) n) e
       LEFT JOIN unnest($4::float8[], $5::float8[]) WITH ORDINALITY
         place (latitude, longitude, city) ON place.city = greatest(e.city, 1)`,
      [Object.keys(WORDS), Object.values(WORDS), EVENTS, CITIES.map((c) => c.lat), CITIES.map((c) => c.lon)],
    );
    await client.query('COMMIT; ANALYZE catalog.listing');
    const found = await client.query<Omit<Row, 'place'> & { lat: number | null; lon: number }>(
      `SELECT event_id AS id, starts_at AS "startsAt", ends_at <= platform.now() AS over, latitude AS lat, longitude AS lon,
         tsvector_to_array(words) AS words FROM catalog.listing ORDER BY starts_at, event_id`,
    );
    rows = found.rows.map(({ lat, lon, ...row }) => ({ ...row, place: lat === null ? null : { lat, lon } }));
  } finally {
    client.release();
  }
});
afterAll(() => stage?.close());

/** What is to be found, by reading everything. */
function plainly({ q, from, to, near }: Omit<ListingQuery, 'limit'>): Row[] {
  const begun = q?.toLowerCase().split(' ') ?? [];
  return rows.filter(
    (row) =>
      !row.over &&
      (!from || row.startsAt >= from) &&
      (!to || row.startsAt < to) &&
      (!near || (row.place !== null && distanceKm(near, row.place) <= near.km)) &&
      begun.every((b) => row.words.some((word) => word.startsWith(b))),
  );
}

const hours = (n: number) => new Date(Date.now() + n * 3_600_000);
const word = fc.constantFrom(
  'with',
  'jazz',
  'jazzy',
  'rock',
  'oper',
  'operetta',
  'cafe',
  'Café',
  'show',
  'show12',
  'show123',
  'nonsense',
  'edge',
);
const plain = (q: string) => q.normalize('NFKD').replace(/\u0301/g, '');
const asked = fc.record({
  q: fc.option(
    fc.array(word, { minLength: 1, maxLength: 3 }).map((w) => w.join(' ')),
    { nil: undefined },
  ),
  near: fc.option(
    fc.record({
      place: fc.constantFrom(...CITIES, { lat: 52, lon: 13 }, { lat: 89.95, lon: -140 }),
      km: fc.constantFrom(1, 5, 25, 45, 100, 700, 20_040),
    }),
    { nil: undefined },
  ),
  from: fc.option(fc.integer({ min: -100, max: 1800 }).map(hours), { nil: undefined, freq: 1 }),
  to: fc.option(fc.integer({ min: 0, max: 1800 }).map(hours), { nil: undefined, freq: 1 }),
  limit: fc.constantFrom(1, 3, 20, 100),
});

describe('a search', () => {
  it.each([
    ['as few events as there are', EVENTS],
    ['so many that it looks through more of the next ones first', 10_000_000],
  ])(
    'of %s finds what reading everything finds, and goes on after it',
    async (_, all) => {
      await stage.house.sql.query(`UPDATE pg_class SET reltuples = $1 WHERE oid = 'catalog.listing'::regclass`, [all]);
      await fc.assert(
        fc.asyncProperty(asked, async ({ q, near: around, from, to, limit }) => {
          const near = around && { ...around.place, km: around.km };
          const expected = plainly({ q: q && plain(q), near, from, to }).map((row) => row.id);
          const first = await repository.search({ q, near, from, to, limit });
          expect(first.map((e) => e.eventId)).toEqual(expected.slice(0, limit + 1));
          if (first.length <= limit) return;
          const { startsAt, eventId } = first[limit - 1];
          const cursor = encodeCursor([startsAt.toISOString(), eventId]);
          const second = await repository.search({ q, near, from, to, limit, cursor });
          expect(second.map((e) => e.eventId)).toEqual(expected.slice(limit, 2 * limit + 1));
        }),
        { numRuns: 200 },
      );
    },
    60_000,
  );

  it('is not held up by what Postgres sees no word in', async () => {
    const some = plainly({ q: 'opera' }).map((row) => row.id);
    expect(some.length).toBeGreaterThan(20);
    for (const q of ['opera <b>', '&amp; opera'])
      expect((await repository.search({ q, limit: 100 })).map((e) => e.eventId)).toEqual(some);
    expect(await repository.search({ q: '&amp;', limit: 5 })).toEqual([]);
  });

  it('that would look for too long is ended, and says what to ask instead', async () => {
    const endless = repository['atLength'](['SELECT pg_sleep(60)', []]);
    await expect(endless).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining('rarer words') as string,
    });
  }, 30_000);
});
