// With Redis away: people log in, are told apart, and guesses still run out.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness } from '../../test/harness.js';
import { apiKey, login, organizationOf, person, refused } from '../../test/people.js';
import { Redis } from '../platform/redis/redis.js';
import { allowances } from './throttle.rules.js';

let evently: Harness;
// Nothing listens on port 1.
beforeAll(async () => (evently = await Harness.start(ApiModule, undefined, { REDIS_URL: 'redis://127.0.0.1:1' })));
afterAll(() => evently.stop());

it('logs in, refreshes, reads and revokes', async () => {
  expect(evently.api.get(Redis).up).toBe(false);
  const ada = await person(evently);
  const orgId = await organizationOf(evently, ada);
  const key = await apiKey(evently, ada, orgId);
  expect((await evently.call('GET', `/v1/organizations/${orgId}`, undefined, { token: key })).status).toBe(200);
  const next = await evently.call<{ accessToken: string }>('POST', '/v1/auth/refresh', { refreshToken: ada.refreshToken });
  expect((await evently.call('GET', '/v1/me', undefined, { token: next.body.accessToken })).status).toBe(200);
  expect((await evently.call('POST', '/v1/auth/logout', undefined, { token: ada.accessToken })).status).toBe(204);
  expect((await evently.call('GET', '/v1/me', undefined, { token: next.body.accessToken })).status).toBe(401);
});

it('throttles guesses: closed, not open', async () => {
  const ada = await person(evently);
  for (let i = 0; i < allowances.account.tries; i++) expect((await login(evently, ada.email, 'wrong wrong')).status).toBe(401);
  const reply = await login(evently, ada.email);
  expect(refused(reply)).toEqual([429, 'rate_limited']);
  expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
});
