// Compiled validation: whatever it lets pass, class-validator and class-transformer let pass too and make the same of; and it knows every DTO of the house.
import 'reflect-metadata';
import { ValidationPipe } from '@nestjs/common';
import { getMetadataStorage } from 'class-validator';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { defaultMetadataStorage as transformations } from 'class-transformer/cjs/storage.js';
import { type Class, compiledOf } from './validation.compiled.js';
import { validationPipe } from './validation.pipe.js';
import '../../../apps/api/api.module.js';

/** What DTOs ask for, more often than chance would give it. */
const LIKELY: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  '01a201b2-0413-7036-a92d-d17d488ff88b', 'ada@example.org', ' ada@example.org ', 'EUR', 'de', 'Europe/Berlin', '2031-05-01T18:00:00Z', 'test', '*',
  0, 1, 2, 100, 1.5, -1, 2 ** 31, '5', '', ' ', 'x'.repeat(300), '\0', '\ud800', null, true, false, [], {}, ['a'], ['a', 'b'], [1], [null], [['a']], { a: 1 }, 'free', 'booking:read',
); // prettier-ignore

const classes = (): Class[] => {
  const storage = getMetadataStorage() as unknown as { validationMetadatas: Map<Class, unknown> };
  return [...storage.validationMetadatas.keys()].filter((c) => typeof c === 'function' && /(Dto|Query)$/.test(c.name));
};

const propertiesOf = (type: Class) => [
  ...new Set(
    getMetadataStorage()
      .getTargetValidationMetadatas(type, '', false, false)
      .map((v) => v.propertyName),
  ),
];

/** Bodies for a class: some of its properties, mostly likely values, nested objects of the right class, now and then something else. */
function bodyOf(type: Class, depth = 0): fc.Arbitrary<Record<string, unknown>> {
  const valueOf = (name: string): fc.Arbitrary<unknown> => {
    const typed = transformations.findTypeMetadata(type, name);
    const plain = fc.oneof({ weight: 9, arbitrary: LIKELY }, { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) });
    if (!typed || depth > 2) return plain;
    const nested = bodyOf(typed.typeFunction() as Class, depth + 1);
    return fc.oneof({ weight: 4, arbitrary: nested }, { weight: 4, arbitrary: fc.array(nested, { maxLength: 3 }) }, plain);
  };
  const known = fc.record(Object.fromEntries(propertiesOf(type).map((name) => [name, valueOf(name)])), { requiredKeys: [] });
  const odd = fc.dictionary(fc.constantFrom('odd', 'constructor', 'toString', '__proto__'), LIKELY, { maxKeys: 1 });
  return fc
    .tuple(known, odd, fc.integer({ min: 0, max: 9 }))
    .map(([body, more, chance]) => JSON.parse(JSON.stringify(chance === 0 ? { ...body, ...more } : body)) as never);
}

/** Whether any object in it has a key that every object inherits: class-transformer drops those in silence, here they are left to it. */
const hasOddKey = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).some(([key, inner]) => key in Object.prototype || hasOddKey(inner));

describe('compiled validation', () => {
  const long = validationPipe();
  /** The long way alone. */
  const told = (body: unknown, metatype: Class) =>
    ValidationPipe.prototype.transform
      .call(long, structuredClone(body), { type: 'body', metatype })
      .then((value: unknown) => ({ value }), (error: unknown) => ({ error })); // prettier-ignore
  let all: Class[];
  beforeAll(() => {
    all = classes();
    expect(all.length).toBeGreaterThan(40);
  });

  it('knows every class of the house', () => {
    expect(all.filter((c) => compiledOf(c) === null).map((c) => c.name)).toEqual([]);
  });

  it('lets pass what class-validator lets pass, as the same instance, and nothing else', async () => {
    let right = 0;
    for (const type of all) {
      const check = compiledOf(type);
      if (!check) continue;
      await fc.assert(
        fc.asyncProperty(bodyOf(type), async (body) => {
          const quick = check(structuredClone(body));
          const slow = await told(body, type);
          if ('error' in slow) expect(quick).toBeUndefined();
          else if (quick || !hasOddKey(body)) {
            expect(quick).toStrictEqual(slow.value);
            right += 1;
          }
        }),
        { numRuns: 200 },
      );
    }
    expect(right).toBeGreaterThan(300);
  }, 60_000);
});
