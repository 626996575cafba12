// Arrays as Postgres reads them: whatever is written comes back, element by element.
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PlatformHouse } from '../../../test/platform.house.js';
import { bare, bytes, texts } from './arrays.js';

let house: PlatformHouse;
beforeAll(async () => (house = await PlatformHouse.open()));
afterAll(() => house.close());

const read = async <T>(type: string, array: string | null): Promise<T[] | null> =>
  (await house.sql.query<{ list: T[] | null }>(`SELECT to_jsonb($1::${type}[]) AS list`, [array])).rows[0].list;
const same = <T>(one: T) => one;
/** Where there is nothing in a list there is no list. */
const expected = <T>(list: (T | null)[]) => (list.some((one) => one !== null) ? list : null);
const listOf = <T>(one: fc.Arbitrary<T>) => fc.array(fc.option(one, { nil: null }), { maxLength: 8 });

it('any texts', async () => {
  const telling = fc.constantFrom('', 'NULL', 'null', '"', '\\', '\\"', '{}', ',', ' a ', '\n\t', '{"a":"b\\\\c"}', '💺');
  const text = fc
    .oneof(telling, fc.string({ unit: 'grapheme', maxLength: 20 }))
    .filter((s) => !s.includes('\0') && s.isWellFormed());
  await fc.assert(
    fc.asyncProperty(listOf(text), async (list) => {
      expect(await read('text', texts(list, same))).toEqual(expected(list));
    }),
    { numRuns: 300 },
  );
});

it('any bytes', async () => {
  await fc.assert(
    fc.asyncProperty(listOf(fc.uint8Array({ maxLength: 40 })), async (list) => {
      const hex = list.map((b) => b && `\\x${Buffer.from(b).toString('hex')}`);
      expect(
        await read(
          'bytea',
          bytes(list, (b) => b && Buffer.from(b)),
        ),
      ).toEqual(expected(hex));
    }),
  );
});

it('what needs no quotes', async () => {
  await fc.assert(
    fc.asyncProperty(listOf(fc.maxSafeInteger()), async (list) => {
      expect(await read('bigint', bare(list, same))).toEqual(expected(list));
    }),
  );
  expect(await read('boolean', bare([true, undefined, false], same))).toEqual([true, null, false]);
});
