// Inputs made from JSON schemas: such as the document allows, and such as no one should send.
import * as fc from 'fast-check';
import type { Json, JsonObject } from '../libs/platform/http/openapi.rules.js';

const isObject = (v: Json | undefined): v is JsonObject => typeof v === 'object' && v !== null && !Array.isArray(v);

/** Follows references within the document. */
export function resolve(document: JsonObject, schema: Json | undefined): JsonObject {
  let found = (isObject(schema) ? schema : {}) as JsonObject;
  while (typeof found.$ref === 'string') {
    let at: Json | undefined = document;
    for (const part of found.$ref.slice(2).split('/')) at = (at as JsonObject)[part.replaceAll('~1', '/').replaceAll('~0', '~')];
    found = at as JsonObject;
  }
  return found;
}

/** Values by the name of a field, where any text of the schema's would only ever be refused. */
export type Known = (name: string) => readonly Json[];

/** Values that a schema allows. */
export function valid(document: JsonObject, schema: Json | undefined, known: Known, name = '', depth = 0): fc.Arbitrary<Json> {
  const s = resolve(document, schema);
  const inner = (each: Json | undefined, called = name) => valid(document, each, known, called, depth + 1);
  const given = known(name);
  if (given.length > 0 && (s.type === 'string' || isObject(s))) {
    if (s.type !== 'array' && s.type !== 'object') return fc.constantFrom(...given);
  }
  if (s.const !== undefined) return fc.constant(s.const);
  if (Array.isArray(s.enum)) return fc.constantFrom(...s.enum);
  const choices = (s.anyOf ?? s.oneOf) as Json[] | undefined;
  if (choices) return fc.oneof(...choices.map((c) => inner(c)));
  if (Array.isArray(s.allOf)) return inner(s.allOf[0]);
  const type = Array.isArray(s.type) ? s.type : [s.type];
  return fc.oneof(...type.map((t) => ofType(String(t ?? 'object'), s, inner, depth)));
}

function ofType(
  type: string,
  s: JsonObject,
  inner: (each: Json | undefined, called?: string) => fc.Arbitrary<Json>,
  depth: number,
): fc.Arbitrary<Json> {
  switch (type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer': {
      const min = Number(s.minimum ?? 0);
      const max = Number(s.maximum ?? 1000);
      return fc.oneof(fc.integer({ min, max: Math.min(max, min + 100) }), fc.constantFrom(min, max));
    }
    case 'number':
      return fc.double({ min: Number(s.minimum ?? 0), max: Number(s.maximum ?? 1000), noNaN: true });
    case 'array': {
      const min = Number(s.minItems ?? 0);
      return fc.array(inner(s.items), { minLength: min, maxLength: Math.min(Number(s.maxItems ?? 3), min + 2) });
    }
    case 'string':
      return text(s);
    default: {
      const required = new Set((s.required ?? []) as string[]);
      const properties = (s.properties ?? {}) as JsonObject;
      const names = Object.keys(properties).filter((n) => required.has(n) || depth < 4);
      const model = Object.fromEntries(names.map((n) => [n, inner(properties[n], n)]));
      return fc.record(model, { requiredKeys: names.filter((n) => required.has(n)) }) as fc.Arbitrary<Json>;
    }
  }
}

function text(s: JsonObject): fc.Arbitrary<Json> {
  const minLength = Number(s.minLength ?? 0);
  const maxLength = Math.min(Number(s.maxLength ?? 40), minLength + 40);
  if (s.format === 'uuid') return fc.uuid({ version: 7 });
  if (s.format === 'date-time')
    return fc.date({ min: new Date('2027-01-01'), max: new Date('2028-01-01'), noInvalidDate: true }).map((d) => d.toISOString());
  if (s.format === 'email') return fc.integer({ min: 1, max: 1e9 }).map((n) => `fuzz${n}@example.org`);
  if (typeof s.pattern === 'string') return fc.stringMatching(new RegExp(s.pattern));
  return fc.string({ minLength, maxLength, unit: 'grapheme' });
}

const deep = (n: number): Json => {
  let value: Json = 1;
  for (let i = 0; i < n; i++) value = [value];
  return value;
};
const wide: Json = Array.from({ length: 100_000 }, (_, i) => i);

/** Stands for bytes that JSON.stringify would never write; see `bytesOf`. */
const RAW = 'raw:';

/** Values that break things: of another type, too big, too long, too deep, no text, no time, no zone, no number. */
export const nasty: fc.Arbitrary<Json> = fc.constantFrom<Json>(
  null, true, '', ' ', -1, 0.5, 1e308, 2 ** 53, -(2 ** 63), 2 ** 64, '9223372036854775808', [], {}, [null], [[]], { length: 3 }, { toString: 1 },
  'a\u0000b', '\ud800', '\u202e', '💥'.repeat(50), "'; DROP TABLE x; --", '${7*7}', '../../etc/passwd', '%00', 'x'.repeat(70_000), wide, deep(500),
  '9999-12-31T23:59:59Z', '9999-12-31T23:59:59+23:59', '10000-01-01T00:00:00Z', '1969-12-31T23:59:59Z', '2027-02-30T00:00:00Z', '2027-01-01',
  'Mars/Olympus', 'Europe/../Berlin', '+02:00', 'XXX', 'eur', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-7fff-bfff-ffffffffffff',
  `${RAW}9223372036854775808`, `${RAW}-1e400`, `${RAW}1e400`, `${RAW}0.1e-400`, `${RAW}123456789012345678901234567890`,
); // prettier-ignore

/** One thing of a good body made bad: replaced, taken away, or something added that nobody knows. */
export function spoiled(good: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc
    .tuple(good, nasty, fc.nat(1000), fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add', 'whole'))
    .map(([body, bad, at, how]) => {
      if (how === 'whole') return bad;
      const copy = structuredClone(body);
      const places = placesOf(copy);
      if (places.length === 0) return bad;
      const { holder, key } = places[at % places.length];
      if (how === 'add' && !Array.isArray(holder)) holder.unheardOf = bad;
      else if (how === 'remove') delete (holder as JsonObject)[key];
      else (holder as JsonObject)[key] = bad;
      return copy;
    });
}

function placesOf(value: Json): { holder: JsonObject; key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [{ holder: value as JsonObject, key }, ...placesOf(each as Json)]);
}

/** JSON text, with the raw numbers put in. Lone surrogates stay escaped, as JSON.stringify writes them. */
export const bytesOf = (body: Json): string => JSON.stringify(body).replace(/"raw:([^"]+)"/g, '$1');

/** Texts for places in addresses and headers. */
export const nastyText: fc.Arbitrary<string> = fc.constantFrom(
  'x', '0', '-1', '%00', 'a%0d%0ab', '%f0%9f%92%a5', 'x'.repeat(200), '00000000-0000-0000-0000-000000000000', "'--", 'null', '{}', '__proto__', 'constructor',
  'ffffffff-ffff-7fff-bfff-ffffffffffff', '1e9', '9223372036854775808', '*', '~',
); // prettier-ignore
