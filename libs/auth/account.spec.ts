// One's own account: registering, changing it, passwords, and mailed links that work once and not for ever.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness } from '../../test/harness.js';
import { login, PASSWORD, person, refused, type Person } from '../../test/people.js';
import { newGlobalId } from '../kernel/ids.js';
import { AccountLinkService } from './account-link.service.js';
import { AuthPort, type MailedTokenKind } from './auth.port.js';
import { PasswordHash } from './password-hash.service.js';

let evently: Harness;
const post = (path: string, body: unknown, token?: string, headers: Record<string, string> = {}) =>
  evently.call<{ email?: string; errors?: { pointer: string }[] }>('POST', path, body, { token, headers });
const mailed = async (kind: MailedTokenKind, id: string) =>
  (await evently.api.get(AuthPort).mailedToken(kind, id))?.token ?? null;

/** Does the jobs of password resets as the worker does; gives how many there were. */
async function doResetJobs(): Promise<number> {
  const { rows } = await evently.sql.query<{ id: string }>(
    `DELETE FROM platform.job WHERE type = 'auth.request-password-reset' RETURNING data ->> 'accountId' AS id`,
  );
  for (const { id } of rows) await evently.api.get(AccountLinkService).startPasswordReset(id);
  return rows.length;
}

async function resetLink(who: Person): Promise<string> {
  expect((await post('/v1/auth/password-reset', { email: who.email })).status).toBe(204);
  expect(await doResetJobs()).toBe(1);
  return (await mailed('password-reset', who.id))!;
}

beforeAll(async () => (evently = await Harness.start(ApiModule)));
afterAll(() => evently.stop());

describe('registering', () => {
  it('answers with the whole account, and takes each address once, whatever its case', async () => {
    const body = { email: 'Grace@Example.org', password: PASSWORD, name: 'Grace' };
    const made = await post('/v1/auth/register', body);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      email: 'Grace@Example.org',
      emailVerified: false,
      name: 'Grace',
      locale: 'en',
      timeZone: 'UTC',
      version: 1,
    });
    expect(made.headers.get('etag')).toBe('"1"');
    expect(JSON.stringify(made.body)).not.toContain('assword');
    expect(refused(await post('/v1/auth/register', { ...body, email: ' grace@EXAMPLE.org' }))).toEqual([409, 'email_taken']);
  });

  it('makes one account of many requests at once', async () => {
    const body = { email: 'rush@example.org', password: PASSWORD, name: 'Rush' };
    const replies = await Promise.all(Array.from({ length: 5 }, () => post('/v1/auth/register', body)));
    expect(replies.map((r) => r.status).sort()).toEqual([201, 409, 409, 409, 409]);
  });

  it('is done once under a key, however often and however close together it is sent', async () => {
    const body = { email: 'once@example.org', password: PASSWORD, name: 'Once' };
    const send = () => evently.call('POST', '/v1/auth/register', body, { key: 'register-once' });
    const replies = [...(await Promise.all([send(), send(), send()])), await send()];
    expect(replies.map((r) => r.status)).toEqual([201, 201, 201, 201]);
    expect(new Set(replies.map((r) => r.text)).size).toBe(1);
  });

  it('says at which pointer a body is wrong', async () => {
    for (const [body, pointer] of [
      [{ email: 'no', password: PASSWORD, name: 'A' }, '/email'],
      [{ email: 'a@example.org', password: 'short', name: 'A' }, '/password'],
      [{ email: 'a@example.org', password: PASSWORD }, '/name'],
      [{ email: 'a@example.org', password: PASSWORD, name: 'A\0' }, '/name'],
      [{ email: 'a@example.org', password: PASSWORD, name: 'A', role: 'owner' }, '/role'],
      [{ email: 'a@example.org', password: PASSWORD, name: 'A', timeZone: 'Mars/Olympus' }, '/timeZone'],
    ] as const) {
      const reply = await post('/v1/auth/register', body);
      expect([reply.status, reply.body.errors?.[0].pointer]).toEqual([400, pointer]);
    }
  });

  it('keeps names, addresses and passwords out of domain events', async () => {
    const { rows } = await evently.sql.query<{ text: string }>(`SELECT data::text AS text FROM platform.event`);
    const all = rows.map((r) => r.text).join('\n');
    expect(rows.length).toBeGreaterThan(0);
    for (const word of ['Grace', 'example.org', 'argon2', 'node']) expect(all.includes(word) && word).toBe(false);
  });
});

describe('my account', () => {
  it('changes with the version I read, and not with an older one', async () => {
    const { accessToken: token } = await person(evently);
    const patch = (body: object, ifMatch?: number) => evently.call('PATCH', '/v1/me', body, { token, ifMatch });
    expect(refused(await patch({ name: 'B' }))).toEqual([428, 'if_match_required']);
    const changed = await patch(
      {
        name: 'Bea',
        locale: 'de-DE',
        timeZone: 'Europe/Berlin',
        phone: '+4930123456',
        quietHours: { from: '22:00', to: '07:00' },
      },
      1,
    );
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({
      name: 'Bea',
      locale: 'de-DE',
      timeZone: 'Europe/Berlin',
      phone: '+4930123456',
      quietHours: { from: '22:00', to: '07:00' },
      version: 2,
    });
    expect(refused(await patch({ name: 'Cea' }, 1))).toEqual([412, 'stale_version']);
    const cleared = await patch({ phone: null, quietHours: null, timeZone: null }, 2);
    expect(cleared.body).not.toHaveProperty('phone');
    expect(cleared.body).not.toHaveProperty('quietHours');
    expect(cleared.body).toMatchObject({ name: 'Bea', timeZone: 'UTC', version: 3 });
    expect((await evently.call('GET', '/v1/me', undefined, { token })).text).toBe(cleared.text);
    for (const bad of [
      { phone: '030' },
      { quietHours: { from: '25:00', to: '07:00' } },
      { locale: 'german' },
      { email: 'x@example.org' },
    ])
      expect(refused(await patch(bad, 3))).toEqual([400, 'invalid_request']);
  });

  it('of two changes at once one wins', async () => {
    const { accessToken: token } = await person(evently);
    const replies = await Promise.all(
      ['A', 'B', 'C'].map((name) => evently.call('PATCH', '/v1/me', { name }, { token, ifMatch: 1 })),
    );
    expect(replies.map((r) => r.status).sort()).toEqual([200, 412, 412]);
  });
});

describe('verifying the address', () => {
  it('works once with the mailed token, within 24 hours, and not with a changed one', async () => {
    const { id, accessToken: token } = await person(evently);
    const link = (await mailed('email-verification', id))!;
    const other = (await mailed('email-verification', (await person(evently)).id))!;
    for (const bad of [
      `${link}x`,
      link.slice(0, -2),
      `${id}.${other.split('.')[1]}`,
      'x',
      `${newGlobalId()}.${link.split('.')[1]}`,
    ])
      expect(refused(await post('/v1/auth/verify-email', { token: bad }))).toEqual([400, 'invalid_request']);
    expect((await post('/v1/auth/verify-email', { token: link })).status).toBe(204);
    expect((await evently.call<{ emailVerified: boolean }>('GET', '/v1/me', undefined, { token })).body.emailVerified).toBe(true);
    expect((await post('/v1/auth/verify-email', { token: link })).status).toBe(400);
    expect(await mailed('email-verification', id)).toBeNull();
  });

  it('stays possible after the account was changed; a newer link ends the older', async () => {
    const { id, accessToken: token } = await person(evently);
    const first = (await mailed('email-verification', id))!;
    await evently.call('PATCH', '/v1/me', { locale: 'fr' }, { token, ifMatch: 1 });
    expect(await mailed('email-verification', id)).toBe(first);
    expect((await post('/v1/me/email-verification', undefined, token)).status).toBe(204);
    const second = (await mailed('email-verification', id))!;
    expect((await post('/v1/auth/verify-email', { token: first })).status).toBe(400);
    expect((await post('/v1/auth/verify-email', { token: second })).status).toBe(204);
  });

  it('ends after 24 hours', async () => {
    const { id } = await person(evently);
    const link = (await mailed('email-verification', id))!;
    await evently.shiftClock(24 * 3600 + 1);
    expect((await post('/v1/auth/verify-email', { token: link })).status).toBe(400);
    expect(await mailed('email-verification', id)).toBeNull();
  });
});

describe('passwords', () => {
  it('change with the one I have; my other sessions end', async () => {
    const ada = await person(evently);
    const elsewhere = (await login(evently, ada.email)).body.accessToken;
    const wrong = await post(
      '/v1/me/password',
      { currentPassword: 'not it at all', newPassword: 'another good one' },
      ada.accessToken,
    );
    expect([wrong.status, wrong.body.errors?.[0].pointer]).toEqual([400, '/currentPassword']);
    expect(
      (await post('/v1/me/password', { currentPassword: PASSWORD, newPassword: 'another good one' }, ada.accessToken)).status,
    ).toBe(204);
    expect((await evently.call('GET', '/v1/me', undefined, { token: ada.accessToken })).status).toBe(200);
    expect((await evently.call('GET', '/v1/me', undefined, { token: elsewhere })).status).toBe(401);
    expect((await login(evently, ada.email)).status).toBe(401);
    expect((await login(evently, ada.email, 'another good one')).status).toBe(200);
  });

  it('are set anew by a mailed link that works once; all sessions end', async () => {
    const ada = await person(evently);
    const token = await resetLink(ada);
    expect((await post('/v1/auth/password-reset/confirm', { token, password: 'short' })).status).toBe(400);
    expect((await post('/v1/auth/password-reset/confirm', { token, password: 'brand new one' })).status).toBe(204);
    expect((await evently.call('GET', '/v1/me', undefined, { token: ada.accessToken })).status).toBe(401);
    expect((await login(evently, ada.email, 'brand new one')).status).toBe(200);
    expect(refused(await post('/v1/auth/password-reset/confirm', { token, password: 'and another one' }))).toEqual([
      400,
      'invalid_request',
    ]);
  });

  it('links to a reset end after an hour, and with a newer one', async () => {
    const ada = await person(evently);
    const first = await resetLink(ada);
    const second = await resetLink(ada);
    expect(second).not.toBe(first);
    expect((await post('/v1/auth/password-reset/confirm', { token: first, password: 'brand new one' })).status).toBe(400);
    await evently.shiftClock(3601);
    expect((await post('/v1/auth/password-reset/confirm', { token: second, password: 'brand new one' })).status).toBe(400);
  });

  it('of an unknown address are asked for with the same answer and the same work', async () => {
    const unknown = await post('/v1/auth/password-reset', { email: 'nobody@example.org' });
    expect([unknown.status, unknown.text]).toEqual([204, '']);
    const { rows } = await evently.sql.query(`SELECT data FROM platform.job WHERE type = 'auth.request-password-reset'`);
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain('nobody');
    expect(await doResetJobs()).toBe(1); // For an id that nobody has: nothing happens.
  });

  it('take as long to refuse for nobody as for somebody', async () => {
    const hashes = evently.api.get(PasswordHash);
    const stored = await hashes.make('the right one');
    const times = { nobody: [] as number[], somebody: [] as number[] };
    for (let i = 0; i < 15; i++) {
      for (const [who, hash] of [
        ['nobody', null],
        ['somebody', stored],
      ] as const) {
        const began = performance.now();
        expect(await hashes.matches('a wrong one', hash)).toBe(false);
        times[who].push(performance.now() - began);
      }
    }
    const median = (list: number[]) => list.sort((a, b) => a - b)[7];
    expect(median(times.nobody) / median(times.somebody)).toBeGreaterThan(0.5);
    expect(median(times.nobody) / median(times.somebody)).toBeLessThan(2);
  });
});
