// Bad input, made from the OpenAPI document: no request gets a 5xx, nothing undocumented is answered, and what is refused leaves nothing behind.
import { createHmac } from 'node:crypto';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { operationsOf, type Json, type JsonObject } from '../libs/platform/http/openapi.rules.js';
import { organizer } from './buyer.js';
import { bytesOf, nastyText, resolve, spoiled, valid } from './fuzz.arbitrary.js';
import { World } from './fuzz.world.js';
import { Harness, type Reply } from './harness.js';

/** Requests of each kind to each operation; FUZZ=200 for a long run. The seed is printed, FUZZ_SEED repeats it. */
const runs = Number(process.env.FUZZ ?? 6);
const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Operation {
  path: string;
  method: string;
  operation: JsonObject;
  open: boolean;
  write: boolean;
}

let evently: Harness;
let document: JsonObject;
let operations: Operation[];
let mine: World;
let theirs: World;
/** Who may lose his session. */
let victim: string;
let ajv: Ajv2020;
const validators = new Map<string, ValidateFunction>();

beforeAll(async () => {
  console.log(`fuzz: FUZZ_SEED=${seed}`);
  evently = await Harness.start(ApiModule);
  document = (await evently.call<JsonObject>('GET', '/openapi.json')).body;
  operations = operationsOf(document)
    .filter(({ path }) => path.startsWith('/v1/') || path.startsWith('/.well-known'))
    .map((o) => ({
      ...o,
      open: (o.operation.security as JsonObject[]).some((s) => Object.keys(s).length === 0),
      write: o.method !== 'get',
    }));
  theirs = await World.make(evently);
  ajv = new Ajv2020({ strict: false, validateFormats: true });
  (formats as unknown as (a: Ajv2020) => void)(ajv);
  ajv.addSchema(document, 'doc');
}, 120_000);
afterAll(() => evently.stop());
/** Each test begins with everything made: what is sent may cancel an event or archive a code. */
beforeEach(async () => {
  mine = await World.make(evently);
  victim = (await organizer(evently)).token;
});

const pointer = (...parts: string[]) =>
  parts.map((p) => encodeURIComponent(p.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

/** What is wrong with a reply by the document; empty when nothing is. */
function wrongWith({ path, method, operation }: Operation, reply: Reply<Json>): string {
  if (reply.status >= 500) return `answered ${reply.status}: ${reply.text.slice(0, 300)}`;
  const responses = operation.responses as JsonObject;
  const response = responses[String(reply.status)] as JsonObject | undefined;
  if (!response) return `answered ${reply.status}, which is not documented: ${reply.text.slice(0, 300)}`;
  const content = response.content as JsonObject | undefined;
  const type = reply.headers.get('content-type')?.split(';')[0];
  if (!content) return reply.text === '' ? '' : `has a body with ${reply.status}: ${reply.text.slice(0, 100)}`;
  if (!type || !content[type]) return `answered ${reply.status} as ${type}, documented is ${Object.keys(content).join()}`;
  if (!type.endsWith('json')) return '';
  const ref = `doc#/${pointer('paths', path, method, 'responses', String(reply.status), 'content', type, 'schema')}`;
  let validate = validators.get(ref);
  if (!validate) validators.set(ref, (validate = ajv.compile({ $ref: ref })));
  return validate(reply.body) ? '' : `answered ${reply.status} ${ajv.errorsText(validate.errors)}: ${reply.text.slice(0, 300)}`;
}

const nameOf = (o: Operation) => `${o.method.toUpperCase()} ${o.path}`;
const bodySchema = (o: Operation): Json | undefined =>
  ((resolve(document, o.operation.requestBody).content as JsonObject | undefined)?.['application/json'] as JsonObject | undefined)
    ?.schema;
/** These may end the session or change the account that all else needs: somebody else is sent. */
const ENDS = /logout|\/me\b|\/auth\/|password|invitations\/accept/;

interface Shot {
  address: string;
  body?: string | Buffer;
  token?: string;
  headers: Record<string, string>;
}

const parametersOf = (o: Operation, where: string) =>
  ((o.operation.parameters ?? []) as JsonObject[]).filter((p) => p.in === where);

/** A request as the document allows: own ids, a good query and a good body. */
function goodShot(o: Operation): fc.Arbitrary<Shot> {
  const schema = bodySchema(o);
  const query = parametersOf(o, 'query').map((p) =>
    fc.option(
      valid(document, p.schema, mine.known, String(p.name)).map(
        (v) => `${String(p.name)}=${encodeURIComponent(typeof v === 'string' ? v : JSON.stringify(v))}`,
      ),
      { nil: '' },
    ),
  );
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : valid(document, schema, mine.known).map((b) => JSON.stringify(b) as string | undefined);
  return fc.tuple(body, fc.tuple(...query), fc.uuid()).map(([text, parts, key]) => {
    const asked = parts.filter(Boolean).join('&');
    return {
      address: mine.address(o.path) + (asked && `?${asked}`),
      body: text,
      token: ENDS.test(o.path) ? victim : (mine.guest[o.path.split('/')[2]] ?? mine.shop.token),
      headers: {
        ...(o.write && { 'idempotency-key': key }),
        ...(parametersOf(o, 'header').some((p) => p.name === 'If-Match') && { 'if-match': '"1"' }),
      },
    };
  });
}

/** The same with one thing of it bad. */
function badShot(o: Operation): fc.Arbitrary<Shot> {
  const schema = bodySchema(o);
  const spoil: fc.Arbitrary<(shot: Shot) => Shot>[] = [
    fc.tuple(fc.constantFrom('limit', 'cursor', 'q', 'from', 'near', 'status', 'unheardOf'), nastyText).map(([n, t]) => (s) => ({
      ...s,
      address: `${s.address}${s.address.includes('?') ? '&' : '?'}${n}=${t}`,
    })),
    fc
      .constantFrom('', '7', '"x"', 'W/"1"', '*', '"99999999999"')
      .map((v) => (s) => ({ ...s, headers: { ...s.headers, 'if-match': v } })),
    fc
      .constantFrom('x'.repeat(300), '\u00e4', ' ')
      .map((v) => (s) => ({ ...s, headers: { ...s.headers, 'idempotency-key': v } })),
  ];
  const places = o.path.split('/').flatMap((part, i) => (part.startsWith('{') ? [i] : []));
  if (places.length > 0) {
    const put = (text: string, at: number) => (s: Shot) => ({
      ...s,
      address: s.address
        .split('/')
        .map((part, i) => (i === at ? text : part))
        .join('/'),
    });
    spoil.push(fc.tuple(nastyText, fc.constantFrom(...places)).map(([text, at]) => put(text, at)));
  }
  if (schema !== undefined) {
    const bad = spoiled(valid(document, schema, mine.known)).map((b) => (s: Shot) => ({ ...s, body: bytesOf(b) }));
    const bytes = fc.constantFrom<string | Buffer>(
      '{',
      '[]',
      'null',
      '"',
      Buffer.from([0x7b, 0xff, 0x7d]),
      '{"a":1}{"b":2}',
      '{"__proto__":{"a":1}}',
    );
    const types = fc.constantFrom(
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded',
      'x',
    );
    spoil.push(
      bad,
      bad,
      bad,
      bad,
      bytes.map((b) => (s) => ({ ...s, body: b })),
    );
    spoil.push(types.map((t) => (s) => ({ ...s, headers: { ...s.headers, 'content-type': t } })));
  }
  return fc.tuple(goodShot(o), fc.oneof(...spoil)).map(([shot, change]) => change(shot));
}

const fire = (o: Operation, { address, body, token, headers }: Shot) =>
  evently.call<Json>(o.method.toUpperCase(), address, body, { token, headers }).catch((e: Error) => {
    throw new Error(`${nameOf(o)} ${address}: ${e.message} ${String((e as { cause?: unknown }).cause)}`);
  });

/** Fires shots at an operation and says what was wrong, each kind once. */
async function barrage(o: Operation, shots: Shot[], more: (reply: Reply<Json>) => string = () => ''): Promise<string[]> {
  const wrong = new Map<string, string>();
  for (const shot of shots) {
    const reply = await fire(o, shot);
    const told = wrongWith(o, reply) || more(reply);
    if (told && wrong.size < 3)
      wrong.set(
        told.slice(0, 60),
        `${nameOf(o)} ${told}\n    sent ${shot.address.slice(0, 200)} ${String(shot.body).slice(0, 400)}`,
      );
  }
  return [...wrong.values()];
}

const sample = <T>(arbitrary: fc.Arbitrary<T>, n: number) => fc.sample(arbitrary, { numRuns: n, seed });

/** How many rows each table of the contexts has, but for what counts attempts and keeps verdicts. */
async function rows(): Promise<Record<string, number>> {
  const { rows: tables } = await evently.sql.query<{ t: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS t FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema', 'public')
       AND table_schema || '.' || table_name NOT IN ('platform.idempotency', 'platform.consumer', 'auth.throttle')`,
  );
  const counts = tables.map(({ t }) => `SELECT '${t}' AS t, count(*)::int AS n FROM ${t}`).join(' UNION ALL ');
  const { rows: found } = await evently.sql.query<{ t: string; n: number }>(counts);
  return Object.fromEntries(found.map((r) => [r.t, r.n]));
}

describe('whatever is sent', { timeout: 300_000 }, () => {
  it('what the document allows is answered as it says', async () => {
    const wrong: string[] = [];
    const worked = new Set<string>();
    for (const o of operations) {
      if (ENDS.test(o.path)) victim = (await organizer(evently)).token;
      const see = (reply: Reply<Json>) => (reply.status < 300 && worked.add(nameOf(o)), '');
      wrong.push(...(await barrage(o, sample(goodShot(o), runs), see)));
      if (o.method === 'delete' || /\/(cancel|remove)$/.test(o.path)) mine = await World.make(evently);
    }
    console.log(
      `fuzz: ${worked.size} of ${operations.length} operations did something; not ${operations
        .map(nameOf)
        .filter((n) => !worked.has(n))
        .join(', ')}`,
    );
    expect(wrong.join('\n')).toBe('');
    expect(worked.size).toBeGreaterThan(operations.length / 2); // Else it is the generator that is refused, and nothing is tried.
  });

  it('what it does not allow is refused as it says, and leaves nothing behind', async () => {
    const wrong: string[] = [];
    for (const o of operations) {
      if (ENDS.test(o.path)) victim = (await organizer(evently)).token;
      const before = o.write ? await rows() : {};
      let worked = false;
      const see = (reply: Reply<Json>) => ((worked ||= reply.status < 400), '');
      wrong.push(...(await barrage(o, sample(badShot(o), runs * 2), see)));
      if (o.write && !worked) {
        const after = await rows();
        for (const t of Object.keys(after))
          if (after[t] !== before[t])
            wrong.push(`${nameOf(o)} refused everything, and left ${after[t] - before[t]} rows in ${t}`);
      }
    }
    expect(wrong.join('\n')).toBe('');
  });

  it('ten megabytes, and a hundred thousand items, are too much for anything that takes a body', async () => {
    const wrong: string[] = [];
    const big = JSON.stringify({ text: 'x'.repeat(10_000_000) });
    const wide = JSON.stringify({ items: Array.from({ length: 100_000 }, () => ({ a: 1 })) });
    // The limit is the server's, but for routes that raise it: every sixth operation is enough to see it hold.
    const taking = operations.filter((each) => bodySchema(each) !== undefined);
    for (const o of taking.filter((each, i) => i % 6 === 0 || /venue|seat/.test(each.path))) {
      const [shot] = sample(goodShot(o), 1);
      const bad = (reply: Reply<Json>) => (reply.status < 400 ? `took it with ${reply.status}` : '');
      wrong.push(
        ...(await barrage(
          o,
          [
            { ...shot, body: big },
            { ...shot, body: wide },
          ],
          bad,
        )),
      );
    }
    expect(wrong.join('\n')).toBe('');
  });
});

describe('whoever asks', { timeout: 300_000 }, () => {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it('with a token that is expired, tampered with, unsigned, signed with another key or no token at all is 401', async () => {
    const [head, payload, signature] = mine.shop.token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const hmac = (text: string) => createHmac('sha256', 'key').update(text).digest('base64url');
    const hs256 = `${part({ alg: 'HS256', typ: 'JWT' })}.${payload}`;
    const tokens = {
      unsigned: `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`,
      otherAlgorithm: `${hs256}.${hmac(hs256)}`,
      otherClaims: `${head}.${part({ ...claims, sub: theirs.shop.orgId })}.${signature}`,
      expired: `${head}.${part({ ...claims, exp: 1 })}.${signature}`,
      flippedBit: `${head}.${payload}.${signature.slice(0, -3)}${signature.at(-3) === 'A' ? 'B' : 'A'}${signature.slice(-2)}`,
      noKey: 'evk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
      noGuest: `evg_${mine.ids.get('bookings')![0]}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`,
      garbage: 'x.y.z',
      long: 'x'.repeat(9000),
    };
    const wrong: string[] = [];
    for (const o of operations) {
      const [shot] = sample(goodShot(o), 1);
      for (const [name, token] of Object.entries(tokens)) {
        const told = (reply: Reply<Json>) => (reply.status === 401 ? '' : `took the ${name} token: ${reply.status}`);
        wrong.push(...(await barrage(o, [{ ...shot, token }], told)));
      }
      if (!o.open) {
        const told = (reply: Reply<Json>) => (reply.status === 401 ? '' : `needs no token: ${reply.status}`);
        wrong.push(...(await barrage(o, [{ ...shot, token: undefined }], told)));
      }
    }
    expect(wrong.join('\n')).toBe('');
  });

  it('for what is another organization’s gets 404, in whatever position its id stands', async () => {
    const wrong: string[] = [];
    const unknown = (reply: Reply<Json>) => {
      if (reply.text.includes(theirs.email)) return 'told of somebody else';
      return reply.status === 404 || reply.status === 400 ? '' : `answered ${reply.status} ${reply.text.slice(0, 200)}`;
    };
    for (const o of operations.filter((each) => !each.open && each.path.includes('{'))) {
      const parts = o.path.split('/');
      const places = parts.flatMap((p, i) => (p.startsWith('{') && theirs.ids.has(parts[i - 1]) ? [i] : []));
      if (places.length === 0) continue;
      const own = mine.address(o.path).split('/');
      const foreign = theirs.address(o.path).split('/');
      const addresses = [foreign, ...places.map((at) => own.map((p, i) => (i === at ? foreign[i] : p)))].map((a) => a.join('/'));
      const [shot] = sample(goodShot(o), 1);
      wrong.push(
        ...(await barrage(
          o,
          addresses.map((address) => ({ ...shot, address, token: mine.shop.token })),
          unknown,
        )),
      );
    }
    expect(wrong.join('\n')).toBe('');
  });
});
