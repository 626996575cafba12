// Logging in: one answer for everything wrong, refresh tokens that count once, sessions that end when they are told to.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness, until, type Reply } from '../../test/harness.js';
import { PasswordHash } from './password-hash.service.js';

interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}
interface Problem {
  code: string;
  detail: string;
}

let evently: Harness;
let people = 0;
const password = 'correct horse battery';

const register = async () => {
  const email = `person${++people}@example.org`;
  const made = await evently.call<{ id: string }>('POST', '/v1/auth/register', { email, password, name: 'Ada' });
  expect(made.status).toBe(201);
  return { email, id: made.body.id };
};
const login = (email: string, given = password) => evently.call<Tokens>('POST', '/v1/auth/login', { email, password: given });
const refresh = (refreshToken: string, key?: string) =>
  evently.call<Tokens>('POST', '/v1/auth/refresh', { refreshToken }, { key });
const me = (token: string) => evently.call<{ id: string }>('GET', '/v1/me', undefined, { token });
const refused = (reply: Reply<unknown>) => [reply.status, (reply.body as Problem).code];

beforeAll(async () => (evently = await Harness.start(ApiModule)));
afterAll(() => evently.stop());

describe('login', () => {
  it('gives an access token of 15 minutes that says who I am', async () => {
    const { email, id } = await register();
    const reply = await login(email.toUpperCase());
    expect(reply.status).toBe(200);
    expect(reply.body.expiresIn).toBe(900);
    expect((await me(reply.body.accessToken)).body.id).toBe(id);
  });

  it('answers an unknown address as it answers a wrong password, after the same work', async () => {
    const { email } = await register();
    const verifications = vi.spyOn(PasswordHash.prototype, 'matches');
    const wrong = await login(email, 'not the password');
    const unknown = await login('nobody@example.org', 'not the password');
    const strip = (body: object) => ({ ...body, requestId: 'any' });
    expect(refused(unknown)).toEqual([401, 'unauthenticated']);
    expect(strip(unknown.body)).toEqual(strip(wrong.body));
    expect(verifications.mock.calls.map(([given, stored]) => [given, stored === null])).toEqual([
      ['not the password', false],
      ['not the password', true],
    ]);
    verifications.mockRestore();
  });

  it('keeps no password and no token in the database, also under an Idempotency-Key', async () => {
    const { email } = await register();
    const body = { email, password };
    const one = await evently.call<Tokens>('POST', '/v1/auth/login', body, { key: 'login-1' });
    const two = await evently.call<Tokens>('POST', '/v1/auth/login', body, { key: 'login-1' });
    expect(two.text).toBe(one.text);
    const { refreshToken, accessToken } = one.body;
    const hash = createHash('sha256').update(refreshToken).digest();
    expect((await evently.sql.query(`SELECT 1 FROM auth.session_refresh WHERE hash = $1`, [hash])).rowCount).toBe(1);

    const bodyHash = createHash('sha256').update(JSON.stringify(body)).digest('hex');
    const { rows } = await evently.sql.query<{ row: string }>(
      `SELECT row_to_json(r)::text AS row FROM auth.session_refresh r UNION ALL SELECT data::text FROM platform.event
       UNION ALL SELECT row_to_json(a)::text FROM auth.account a
       UNION ALL SELECT encode(body_hash, 'hex') || coalesce(encode(reply, 'escape'), '') FROM platform.idempotency`,
    );
    const all = rows.map((r) => r.row).join('\n');
    for (const secret of [password, bodyHash, refreshToken.slice(4, 40), accessToken.slice(-40)])
      expect(all).not.toContain(secret);
  });
});

describe('refresh', () => {
  it('gives a new pair; the used token ends the whole family when it comes again', async () => {
    const { email } = await register();
    const first = (await login(email)).body;
    const second = await refresh(first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body.refreshToken).not.toBe(first.refreshToken);
    expect((await me(second.body.accessToken)).status).toBe(200);

    expect(refused(await refresh(first.refreshToken))).toEqual([401, 'unauthenticated']);
    expect(refused(await refresh(second.body.refreshToken))).toEqual([401, 'unauthenticated']);
    expect(refused(await me(second.body.accessToken))).toEqual([401, 'unauthenticated']);
    expect(refused(await me(first.accessToken))).toEqual([401, 'unauthenticated']);
    const { rows } = await evently.sql.query(
      `SELECT data -> 'rows' -> 'auth.session' -> 0 ->> 'end_reason' AS why FROM platform.event WHERE type = 'session.ended'`,
    );
    expect(rows.map((r) => r.why)).toContain('reuse');
  });

  it('ends the family also when the reuse comes with an Idempotency-Key', async () => {
    const { email } = await register();
    const first = (await login(email)).body;
    const second = (await refresh(first.refreshToken)).body;
    expect((await refresh(first.refreshToken, 'again')).status).toBe(401);
    expect((await me(second.accessToken)).status).toBe(401);
  });

  it('replays the reply to a repeated Idempotency-Key instead of taking it for a reuse', async () => {
    const { email } = await register();
    const first = (await login(email)).body;
    const one = await refresh(first.refreshToken, 'k1');
    const two = await refresh(first.refreshToken, 'k1');
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(two.text).toBe(one.text);
    expect((await me(one.body.accessToken)).status).toBe(200);
  });

  it('lets one of two win that come at once, and ends the family', async () => {
    const { email } = await register();
    const { refreshToken } = (await login(email)).body;
    const replies = await Promise.all(Array.from({ length: 6 }, () => refresh(refreshToken)));
    expect(replies.map((r) => r.status).sort()).toEqual([200, 401, 401, 401, 401, 401]);
    const won = replies.find((r) => r.status === 200)!.body;
    expect((await refresh(won.refreshToken)).status).toBe(401);
  });

  it('refuses what is no refresh token, without ending anything', async () => {
    const { email } = await register();
    const { refreshToken, accessToken } = (await login(email)).body;
    const tampered = refreshToken.slice(0, -1) + (refreshToken.endsWith('A') ? 'B' : 'A');
    for (const token of ['x', accessToken.slice(0, 199), tampered, `evr_${'A'.repeat(75)}.${'A'.repeat(43)}`]) {
      expect(refused(await refresh(token))).toEqual([401, 'unauthenticated']);
    }
    expect((await refresh(refreshToken)).status).toBe(200);
  });

  it('ends after 30 days without a refresh', async () => {
    const { email } = await register();
    const { refreshToken } = (await login(email)).body;
    await evently.shiftClock(29 * 86_400);
    const next = await refresh(refreshToken);
    expect(next.status).toBe(200);
    await evently.shiftClock(31 * 86_400);
    expect((await refresh(next.body.refreshToken)).status).toBe(401);
  });
});

describe('sessions', () => {
  it('are listed with what one knows them by, and revoked one by one', async () => {
    const { email } = await register();
    const [here, there] = [(await login(email)).body, (await login(email)).body];
    const list = await evently.call<{ items: { id: string; current: boolean; ip: string }[] }>(
      'GET',
      '/v1/me/sessions',
      undefined,
      {
        token: here.accessToken,
      },
    );
    expect(list.body.items.map((s) => s.current)).toEqual([false, true]);
    expect(list.body.items[0].ip).toBe('127.0.0.1');
    const other = list.body.items[0].id;
    expect((await me(there.accessToken)).status).toBe(200);
    expect((await evently.call('DELETE', `/v1/me/sessions/${other}`, undefined, { token: here.accessToken })).status).toBe(204);
    expect((await me(there.accessToken)).status).toBe(401);
    expect((await refresh(there.refreshToken)).status).toBe(401);
    expect((await me(here.accessToken)).status).toBe(200);
    expect((await evently.call('DELETE', `/v1/me/sessions/${other}`, undefined, { token: here.accessToken })).status).toBe(404);
  });

  it("of somebody else's account are not found", async () => {
    const [mine, theirs] = [await register(), await register()];
    const token = (await login(mine.email)).body.accessToken;
    await login(theirs.email);
    const { rows } = await evently.sql.query<{ id: string }>(`SELECT id FROM auth.session WHERE account_id = $1`, [theirs.id]);
    expect((await evently.call('DELETE', `/v1/me/sessions/${rows[0].id}`, undefined, { token })).status).toBe(404);
  });

  it('end with logout, by bearer or by refresh token', async () => {
    const { email } = await register();
    const [one, two] = [(await login(email)).body, (await login(email)).body];
    expect((await evently.call('POST', '/v1/auth/logout', undefined, { token: one.accessToken })).status).toBe(204);
    expect((await me(one.accessToken)).status).toBe(401);
    expect((await evently.call('POST', '/v1/auth/logout', { refreshToken: two.refreshToken })).status).toBe(204);
    expect((await refresh(two.refreshToken)).status).toBe(401);
    expect((await evently.call('POST', '/v1/auth/logout')).status).toBe(401);
  });

  it('revoked in another process end here within two seconds', async () => {
    const { email, id } = await register();
    const { accessToken } = (await login(email)).body;
    expect((await me(accessToken)).status).toBe(200);
    await evently.sql.query(`UPDATE auth.session SET ended_at = platform.now(), end_reason = 'revoked' WHERE account_id = $1`, [
      id,
    ]);
    // Two seconds and the time a busy machine takes for a request; a memory of many seconds would fail.
    await until('the session is refused', async () => (await me(accessToken)).status === 401, 6000);
  });
});
