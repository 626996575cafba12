// API keys: shown once, stored hashed, no mightier than their scopes, and ended by time or by hand.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness, until } from '../../test/harness.js';
import { apiKey, loggedInAgain, organizationOf, person, refused, type Person } from '../../test/people.js';

interface Key {
  id: string;
  key: string;
  lastUsedAt: string | null;
  items: Key[];
}

let evently: Harness;
let owner: Person;
let orgId: string;

const call = (method: string, path: string, who: Person | string, body?: unknown, ifMatch?: number) =>
  evently.call<Key>(method, path, body, { token: typeof who === 'string' ? who : who.accessToken, ifMatch });
const org = (path = '') => `/v1/organizations/${orgId}${path}`;

beforeAll(async () => {
  evently = await Harness.start(ApiModule);
  owner = await person(evently);
  orgId = await organizationOf(evently, owner);
});
afterAll(() => evently.stop());

describe('API keys', () => {
  it('are shown once, stored as a hash, and tell when they were used', async () => {
    const made = await call('POST', org('/api-keys'), owner, { name: 'Box office', scopes: ['events:write', 'bookings:read'] });
    expect(made.body.key).toMatch(/^evk_[0-9A-Za-z]{43}$/);
    const { id, key } = made.body;
    const entry = async () => (await call('GET', org('/api-keys?limit=200'), owner)).body.items.find((k) => k.id === id)!;
    expect(await entry()).toMatchObject({
      name: 'Box office',
      hint: key.slice(0, 8),
      scopes: ['events:write', 'bookings:read'],
      lastUsedAt: null,
    });
    expect(JSON.stringify(await entry())).not.toContain(key.slice(8));
    const { rows } = await evently.sql.query(`SELECT 1 FROM auth.api_key_directory WHERE hash = $1`, [
      createHash('sha256').update(key).digest(),
    ]);
    expect(rows).toHaveLength(1);
    expect((await call('GET', org(), key)).status).toBe(200);
    const used = await until('its use is noted', async () => (await entry()).lastUsedAt);
    expect((await call('GET', org(), key)).status).toBe(200);
    expect((await entry()).lastUsedAt).toBe(used); // At most once a minute.
  });

  it('do what their scopes say and no more, and give away no more either', async () => {
    const key = await apiKey(evently, owner, orgId, ['events:write', 'keys:write', 'members:write']);
    expect((await call('GET', org('/members'), key)).status).toBe(200);
    expect(refused(await call('PATCH', org(), key, { name: 'Mine' }, 1))).toEqual([403, 'forbidden']);
    expect(refused(await call('POST', org('/invitations'), key, { email: 'z@example.org', role: 'owner' }))).toEqual([
      403,
      'forbidden',
    ]);
    for (const scopes of [['*'], ['bookings:read'], ['events:read', 'venues:write']])
      expect(refused(await call('POST', org('/api-keys'), key, { name: 'K', scopes }))).toEqual([403, 'forbidden']);
    expect((await call('POST', org('/api-keys'), key, { name: 'K', scopes: ['events:read'] })).status).toBe(201);
    const reader = await apiKey(evently, owner, orgId, ['events:read']);
    expect(refused(await call('GET', org('/members'), reader))).toEqual([403, 'forbidden']);
    expect(refused(await call('POST', org('/api-keys'), reader, { name: 'K', scopes: ['events:read'] }))).toEqual([
      403,
      'forbidden',
    ]);
  });

  it('refuse scopes that there are not, and an end that is past', async () => {
    for (const body of [
      { name: 'K', scopes: ['events:delete'] },
      { name: 'K', scopes: [] },
      { name: 'K', scopes: ['*'], expiresAt: '2020-01-01T00:00:00Z' },
    ])
      expect(refused(await call('POST', org('/api-keys'), owner, body))).toEqual([400, 'invalid_request']);
  });

  it('end when they expire, and at once when they are revoked', async () => {
    const [{ rows }] = [await evently.sql.query<{ now: Date }>(`SELECT platform.now() AS now`)];
    const expiresAt = new Date(rows[0].now.getTime() + 3600_000).toISOString();
    const timed = (await call('POST', org('/api-keys'), owner, { name: 'K', scopes: ['*'], expiresAt })).body;
    const other = (await call('POST', org('/api-keys'), owner, { name: 'K', scopes: ['*'] })).body;
    for (const { key } of [timed, other]) expect((await call('GET', org(), key)).status).toBe(200);
    expect((await call('DELETE', org(`/api-keys/${other.id}`), owner)).status).toBe(204);
    expect(refused(await call('GET', org(), other.key))).toEqual([401, 'unauthenticated']);
    expect(refused(await call('DELETE', org(`/api-keys/${other.id}`), owner))).toEqual([404, 'not_found']);
    await evently.shiftClock(3601);
    expect(refused(await call('GET', org(), timed.key))).toEqual([401, 'unauthenticated']);
    owner = await loggedInAgain(evently, owner);
  });

  it('making one is replayed under its Idempotency-Key, and kept where no reader of the database sees it', async () => {
    const options = { token: owner.accessToken, key: 'make-a-key' };
    const body = { name: 'Once', scopes: ['*'] };
    const one = await evently.call<{ key: string }>('POST', org('/api-keys'), body, options);
    const two = await evently.call('POST', org('/api-keys'), body, options);
    expect(two.text).toBe(one.text);
    expect(refused(await evently.call('POST', org('/api-keys'), { ...body, name: 'Twice' }, options))).toEqual([
      422,
      'idempotency_key_reused',
    ]);
    const { rows } = await evently.sql.query<{ reply: Buffer }>(
      `SELECT reply FROM platform.idempotency WHERE key = 'make-a-key'`,
    );
    expect(rows[0].reply.toString('latin1')).not.toContain(one.body.key.slice(4));
  });
});
