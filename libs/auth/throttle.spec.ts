// Guessing at secrets runs out: for an account, for a network, for mails; by counts in Postgres that hold no address.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness } from '../../test/harness.js';
import { PASSWORD, person, refused } from '../../test/people.js';
import { PasswordHash } from './password-hash.service.js';
import { ThrottleRepository } from './throttle.repository.js';
import { allowances } from './throttle.rules.js';

let evently: Harness;
// Behind this proxy an address is a client's own: 198.51.100.x is no loopback, so its network is counted. The request limits are not what is tried here.
const environment = { TRUST_PROXY: '127.0.0.1', RATE_LIMITS: 'login=100000/60,register=100000/60' };
const post = (path: string, body: unknown) => evently.call('POST', path, body);

beforeAll(async () => (evently = await Harness.start(ApiModule, undefined, environment)));
afterAll(async () => {
  for (const name of Object.keys(environment)) delete process.env[name];
  await evently.stop();
});

describe('guessing', () => {
  const guess = (email: string, ip: string, password = 'wrong wrong') =>
    evently.call('POST', '/v1/auth/login', { email, password }, { headers: { 'x-forwarded-for': ip } });

  it('runs out for one account from one network, known or not, and tells how long to wait', async () => {
    const ada = await person(evently);
    for (const email of [ada.email, 'nobody-at-all@example.org']) {
      for (let i = 0; i < allowances.account.tries; i++) expect((await guess(email, '198.51.100.1')).status).toBe(401);
      const reply = await guess(email, '198.51.100.1', PASSWORD);
      expect(refused(reply)).toEqual([429, 'rate_limited']);
      const wait = Number(reply.headers.get('retry-after'));
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThanOrEqual(allowances.account.everySeconds);
    }
    expect((await guess(ada.email, '203.0.113.9', PASSWORD)).status).toBe(200); // The person is not locked out elsewhere.
    await evently.shiftClock(allowances.account.everySeconds + 1);
    expect((await guess(ada.email, '198.51.100.1', PASSWORD)).status).toBe(200);
  });

  it('counts guesses that are sent all at once', async () => {
    const ada = await person(evently);
    const matches = vi.spyOn(PasswordHash.prototype, 'matches');
    const replies = await Promise.all(Array.from({ length: 40 }, () => guess(ada.email, '198.51.100.2')));
    expect(replies.filter((r) => r.status === 401)).toHaveLength(allowances.account.tries);
    expect(replies.filter((r) => r.status === 429)).toHaveLength(40 - allowances.account.tries);
    expect(matches).toHaveBeenCalledTimes(allowances.account.tries);
    matches.mockRestore();
  });

  it('right passwords cost nothing, many at once either', async () => {
    const ada = await person(evently);
    const replies = await Promise.all(Array.from({ length: 30 }, () => guess(ada.email, '198.51.100.3', PASSWORD)));
    expect(new Set(replies.map((r) => r.status))).toEqual(new Set([200]));
  });

  it('runs out for one network over many accounts; allowed networks are exempt', async () => {
    const throttles = evently.api.get(ThrottleRepository);
    const counted = [{ allowance: allowances.network, of: '2001:db8:1:2::/64' }];
    for (let i = 0; i < allowances.network.tries; i++) await throttles.count(counted);
    expect(refused(await guess('anybody@example.org', '2001:db8:1:2:ffff::1'))).toEqual([429, 'rate_limited']);
    expect((await guess('anybody@example.org', '2001:db8:1:3::1')).status).toBe(401);
    await throttles.count(
      Array.from({ length: allowances.network.tries }, () => ({ allowance: allowances.network, of: '127.0.0.1' })),
    );
    expect((await guess('anybody@example.org', '127.0.0.1')).status).toBe(401);
  });

  it('mails to one address run out, whether it has an account or not', async () => {
    const ada = await person(evently);
    for (const email of [ada.email, 'no-account@example.org']) {
      const statuses = [];
      for (let i = 0; i <= allowances.mail.tries; i++) statuses.push((await post('/v1/auth/password-reset', { email })).status);
      expect(statuses).toEqual([...Array.from({ length: allowances.mail.tries }, () => 204), 429]);
    }
  });

  it('is kept by HMAC, and forgotten when idle', async () => {
    const { rows } = await evently.sql.query<{ key: string }>(`SELECT key FROM auth.throttle`);
    expect(rows.length).toBeGreaterThan(3);
    for (const { key } of rows) expect(key).toMatch(/^[a-z-]+:[A-Za-z0-9_-]{27}$/);
    await evently.shiftClock(86_400);
    await evently.api.get(ThrottleRepository).forgetIdle();
    expect((await evently.sql.query(`SELECT 1 FROM auth.throttle`)).rowCount).toBe(0);
  });
});
