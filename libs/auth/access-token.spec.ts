// Who a bearer stands for: our own tokens and keys alone, whatever is sent instead; and keys that change while we run.
import { createHmac, createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness, until } from '../../test/harness.js';
import { apiKey, login, organizationOf, person, refused, type Person } from '../../test/people.js';
import { newGlobalId } from '../kernel/ids.js';
import { rotateKeys, TOKEN_SECONDS_MAX } from '../platform/config/secret.keyring.js';
import { ACCESS_TOKEN_SECONDS } from './access-token.service.js';
import { AuthPort } from './auth.port.js';

let evently: Harness;
let ada: Person;
let secrets: string;

const me = (token: string) => evently.call('GET', '/v1/me', undefined, { token });
const jwks = async () => (await evently.call<JSONWebKeySet>('GET', '/.well-known/jwks.json')).body;
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const parts = (token: string) =>
  token
    .split('.')
    .slice(0, 2)
    .map((s) => JSON.parse(Buffer.from(s, 'base64url').toString())) as Record<string, unknown>[];

function forge(header: object, payload: object, key: KeyObject): string {
  const data = `${encode(header)}.${encode(payload)}`;
  return `${data}.${sign('RSA-SHA256', Buffer.from(data), key).toString('base64url')}`;
}

beforeAll(async () => {
  evently = await Harness.start(ApiModule);
  secrets = process.env.SECRETS_DIR!;
  ada = await person(evently);
});
afterAll(() => evently.stop());

describe('access tokens', () => {
  it('are RS256 with a kid, 15 minutes long, and verify with the published keys', async () => {
    const { payload, protectedHeader } = await jwtVerify(ada.accessToken, createLocalJWKSet(await jwks()), {
      audience: 'evently',
    });
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: 'test-rsa' });
    expect(payload.sub).toBe(ada.id);
    expect(payload.exp! - payload.iat!).toBe(ACCESS_TOKEN_SECONDS);
    expect(ACCESS_TOKEN_SECONDS).toBeLessThan(TOKEN_SECONDS_MAX);
  });

  it('are refused when anything about them was changed or forged', async () => {
    const [header, payload] = parts(ada.accessToken);
    const [h, p, s] = ada.accessToken.split('.');
    const strange = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const ring = JSON.parse(readFileSync(join(secrets, 'JWT_KEYS'), 'utf8')) as { keys: object[] };
    const own = createPrivateKey({ key: ring.keys[0] as never, format: 'jwk' });
    const publicPem = (await jwks()).keys[0];
    const hs = `${encode({ ...header, alg: 'HS256' })}.${p}`;
    const tokens = {
      'alg none': `${encode({ ...header, alg: 'none' })}.${p}.`,
      'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${p}.${s}`,
      'HS256 with the public key': `${hs}.${createHmac('sha256', JSON.stringify(publicPem)).update(hs).digest('base64url')}`,
      'another person': `${h}.${encode({ ...payload, sub: newGlobalId() })}.${s}`,
      'a later end': `${h}.${encode({ ...payload, exp: 4e9 })}.${s}`,
      'a changed signature': `${h}.${p}.${s.startsWith('A') ? 'B' : 'A'}${s.slice(1)}`,
      'no signature': `${h}.${p}.`,
      'an unknown kid': forge({ ...header, kid: 'mine' }, payload, strange),
      'a strange key under our kid': forge(header, payload, strange),
      'a member in the header that means something': forge({ ...header, crit: ['b64'], b64: false }, payload, own),
      'a key of its own in the header': forge({ ...header, jwk: ring.keys[0] }, payload, own),
      'another issuer': forge(header, { ...payload, iss: 'https://elsewhere.example' }, own),
      'another audience': forge(header, { ...payload, aud: 'elsewhere' }, own),
      'another type of token': forge({ ...header, typ: 'JWT' }, payload, own),
      'no end': forge(header, { ...payload, exp: undefined }, own),
      'a session that is not there': forge(header, { ...payload, sid: newGlobalId() }, own),
      expired: forge(header, { ...payload, exp: Math.floor(Date.now() / 1000) - 1 }, own),
      'one megabyte': 'x'.repeat(3000),
      'two parts': `${h}.${p}`,
      'five parts': `${ada.accessToken}.a.b`,
      'not base64': `${h}.${p}.!!!`,
      'a refresh token': ada.refreshToken.slice(0, 1900),
    };
    for (const [what, token] of Object.entries(tokens))
      expect([what, ...refused(await me(token))]).toEqual([what, 401, 'unauthenticated']);
    expect((await me(forge(header, payload, own))).status).toBe(200); // The forger's tool itself works.
    expect((await me(ada.accessToken)).status).toBe(200);
  });

  it('end after 15 minutes by the one clock, also those already seen', async () => {
    const { accessToken } = (await login(evently, ada.email)).body;
    expect((await me(accessToken)).status).toBe(200);
    await evently.shiftClock(ACCESS_TOKEN_SECONDS - 30);
    expect((await me(accessToken)).status).toBe(200);
    await evently.shiftClock(60);
    expect(refused(await me(accessToken))).toEqual([401, 'unauthenticated']);
    await evently.shiftClock(-(ACCESS_TOKEN_SECONDS + 30));
  });

  it('need the Bearer scheme', async () => {
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${Buffer.from('a:b').toString('base64')}`,
      ada.accessToken,
      `Bearer ${ada.accessToken} x`,
    ]) {
      const reply = await evently.call('GET', '/v1/me', undefined, { headers: { authorization } });
      expect([authorization.slice(0, 20), ...refused(reply)]).toEqual([authorization.slice(0, 20), 401, 'unauthenticated']);
    }
    expect(
      (await evently.call('GET', '/v1/me', undefined, { headers: { authorization: `bearer ${ada.accessToken}` } })).status,
    ).toBe(200);
  });

  it('a bad one is refused even where none is needed', async () => {
    expect(refused(await evently.call('GET', '/.well-known/jwks.json', undefined, { token: 'evk_nothing' }))).toEqual([
      401,
      'unauthenticated',
    ]);
  });
});

describe('keys', () => {
  it('are published without their private half, those of tickets too', async () => {
    const { keys } = await jwks();
    expect(keys.map((k) => [k.kid, k.alg, k.use])).toEqual([
      ['test-rsa', 'RS256', 'sig'],
      ['test-ed25519', 'EdDSA', 'sig'],
    ]);
    for (const key of keys) for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(key).not.toHaveProperty(member);
  });

  it('rotate while we run: the new one signs, the old one verifies as long as its tokens live', async () => {
    const file = join(secrets, 'JWT_KEYS');
    const before = (await login(evently, ada.email)).body.accessToken;
    const first = rotateKeys(file, 'RS256', new Date());
    expect(first.kept).toEqual(['test-rsa']);
    await until(
      'the new key signs',
      async () => parts((await login(evently, ada.email)).body.accessToken)[0].kid === first.added,
    );
    expect((await me(before)).status).toBe(200);
    expect((await jwks()).keys.map((k) => k.kid)).toEqual([first.added, 'test-rsa', 'test-ed25519']);

    const second = rotateKeys(file, 'RS256', new Date(Date.now() + (TOKEN_SECONDS_MAX + 1) * 1000));
    expect(second.dropped).toEqual(['test-rsa']);
    expect(second.kept).toEqual([first.added]);
    await until('the dropped key counts no more', async () => (await me(before)).status === 401);
    expect(
      (await evently.call('GET', '/v1/me', undefined, { token: (await login(evently, ada.email)).body.accessToken })).status,
    ).toBe(200);
  });

  it('of tickets are never dropped', () => {
    const file = join(secrets, 'TICKET_KEYS');
    const first = rotateKeys(file, 'EdDSA', new Date('2020-01-01'));
    const second = rotateKeys(file, 'EdDSA', new Date('2030-01-01'));
    expect(second.kept).toEqual([first.added, 'test-ed25519']);
  });
});

describe('API keys and guests', () => {
  beforeAll(async () => void (ada = await person(evently)));

  it('an API key stands for its organization, and is refused when damaged', async () => {
    const orgId = await organizationOf(evently, ada);
    const key = await apiKey(evently, ada, orgId);
    expect((await evently.call('GET', `/v1/organizations/${orgId}`, undefined, { token: key })).status).toBe(200);
    const swapped = key.slice(0, -1) + (key.endsWith('a') ? 'b' : 'a');
    for (const token of [swapped, 'evk_', `${key}x`, key.slice(0, -1), 'evk_%00']) {
      expect(refused(await evently.call('GET', `/v1/organizations/${orgId}`, undefined, { token }))).toEqual([
        401,
        'unauthenticated',
      ]);
    }
  });

  it('is no person', async () => {
    const key = await apiKey(evently, ada, await organizationOf(evently, ada));
    expect(refused(await me(key))).toEqual([403, 'forbidden']);
    expect(refused(await evently.call('POST', '/v1/organizations', { name: 'X', slug: 'x-x' }, { token: key }))).toEqual([
      403,
      'forbidden',
    ]);
  });

  it('a guest holds one thing, by a token that is the same each time and cannot be made up', async () => {
    const port = evently.api.get(AuthPort);
    const [one, other] = [newGlobalId(), newGlobalId()];
    const token = port.guestToken(one);
    expect(port.guestToken(one)).toBe(token);
    expect(await port.principalOf(token)).toEqual({ kind: 'guest', subjectId: one });
    const seal = token.split('.')[1];
    for (const bad of [`evg_${other}.${seal}`, `evg_${one}.${'A'.repeat(43)}`, `evg_${one}`, 'evg_x.y', `${token}A`]) {
      await expect(port.principalOf(bad)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
  });
});
