// Messages get there once each: heard again, refused, deferred, dropped, with the server away for days, without Redis, without any server.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { book, cancel, confirm, expectStatus, one, organizer, shop, unique, type BookingBody } from '../../test/buyer.js';
import { Harness, until } from '../../test/harness.js';
import { MailServer } from '../../test/mail-server.js';
import { AuthPort } from '../auth/auth.port.js';
import { NO_ORG } from '../kernel/ids.js';
import { HEARS, type Hears } from '../platform/queue/processor.decorators.js';
import { DeliveryService } from './delivery.service.js';
import { NotificationProcessor } from './notification.processor.js';
import { notificationRules } from './notification.rules.js';

const proto = NotificationProcessor.prototype as unknown as Record<string, object>;
const hears = Object.getOwnPropertyNames(proto).flatMap((name) => (Reflect.getMetadata(HEARS, proto[name]) as Hears) ?? []);

it('has the domain events of its table heard, each by one line of the processor', () => {
  const heard = hears.map((h) => h.type.type);
  expect(new Set(heard).size).toBe(heard.length);
  expect([...heard].sort()).toEqual([...new Set(Object.values(notificationRules).map((r) => r.event.type))].sort());
});

const password = 'correct horse battery';
let house: Harness;

/** A new account; its welcome is on the way. */
async function register(more: Record<string, unknown> = {}): Promise<{ id: string; email: string }> {
  const email = `${unique('somebody')}@example.org`;
  const made = await house.call<{ id: string }>('POST', '/v1/auth/register', { email, password, name: 'Ada', ...more });
  return { id: expectStatus(made, 201).id, email };
}

async function booked(): Promise<{ booking: BookingBody; email: string; orgId: string; staff: string }> {
  const s = await shop(house, [{}]);
  const email = `${unique('guest')}@example.org`;
  const held = expectStatus(await book(house, s, one(s), { contact: { email } }), 201);
  const done = expectStatus(await confirm(house, held), 200);
  return { booking: { ...done, accessToken: held.accessToken }, email, orgId: s.orgId, staff: s.token };
}

const rows = async (sql: string, ...params: unknown[]) => (await house.sql.query(sql, params)).rows as Record<string, unknown>[];
const messagesTo = (email: string) =>
  rows('SELECT id, kind, status, reason, locale FROM notifications.message WHERE recipient = $1', email);

/** Every consumer has heard all there is, and every message has ended. */
const settled = () =>
  until('all is heard and ended', async () => {
    const [{ waits }] = await rows(
      `SELECT EXISTS (SELECT 1 FROM notifications.message WHERE status = 'queued') OR EXISTS (
         SELECT 1 FROM unnest($1::text[], $2::text[]) h (consumer, type) JOIN platform.consumer c ON c.name = h.consumer JOIN platform.event e USING (type)
         WHERE NOT pg_visible_in_snapshot(e.xid, c.done) AND
           (c.target IS NULL OR NOT pg_visible_in_snapshot(e.xid, c.target) OR (e.org_id, e.seq) > (c.target_org, c.target_seq))) AS waits`,
      hears.map((h) => h.name),
      hears.map((h) => h.type.type),
    );
    return !waits;
  });

describe('delivery by SMTP', () => {
  const server = new MailServer();
  const mailsTo = (email: string, n = 1) =>
    until(`mail ${n} to ${email}`, async () => server.mailsTo(email).length >= n && server.mailsTo(email));
  const failedTry = (kind: string, like: string) =>
    until(`a try to send ${kind} that ends with ${like}`, async () => {
      const job = `SELECT 1 FROM platform.job j JOIN notifications.message m ON m.org_id = j.org_id AND m.id::text = j.data->>'messageId'
        WHERE m.kind = $1 AND j.status = 'queued' AND j.error LIKE $2`;
      return (await rows(job, kind, like))[0];
    });

  beforeAll(async () => {
    await server.up();
    house = await Harness.start(ApiModule, WorkerModule, {
      SMTP_URL: server.url,
      MAIL_FROM: 'Evently <tickets@evently.example>',
    });
  });
  afterEach(() => void (server.fault = 'none'));
  afterAll(async () => {
    await house?.stop();
    await server.down();
    for (const name of ['SMTP_URL', 'MAIL_FROM']) delete process.env[name];
  });

  it('keeps no token anywhere, and what it keeps of the reader is where it went', async () => {
    const { email } = await register({ locale: 'de-AT' });
    const [mail] = await mailsTo(email);
    const token = decodeURIComponent(/^http\S+\/links\/verify-email#token=(\S+)/m.exec(mail.plain)![1]);
    await settled();
    expect(await messagesTo(email)).toMatchObject([{ kind: 'account_registered', status: 'sent', reason: null, locale: 'de' }]);
    for (const table of ['notifications.message', 'platform.job', 'platform.event']) {
      const kept = await rows(`SELECT t::text AS row FROM ${table} t`);
      expect(kept.length).toBeGreaterThan(0);
      for (const { row } of kept) expect(row, table).not.toContain(token);
    }
  });

  it('lets the mails of a crowd wait for each other, and no other for them', async () => {
    await register();
    await booked();
    await settled();
    const found = await rows(
      `SELECT DISTINCT m.kind, j.patient FROM notifications.message m JOIN platform.job j ON j.org_id = m.org_id AND j.data->>'messageId' = m.id::text
       WHERE m.kind IN ('account_registered', 'booking_confirmed') ORDER BY 1`,
    );
    expect(found).toEqual([
      { kind: 'account_registered', patient: false },
      { kind: 'booking_confirmed', patient: true },
    ]);
  });

  it('makes one mail of a domain event that is heard again', async () => {
    const { booking, email } = await booked();
    await settled();
    const before = server.taken.length;
    const messages = await rows('SELECT org_id, id FROM notifications.message ORDER BY id');
    await house.sql.query(
      `UPDATE platform.consumer SET done = '1:1:', target = NULL, target_org = NULL, target_seq = NULL WHERE name LIKE 'notifications.%'`,
    );
    await settled();
    expect(await rows('SELECT org_id, id FROM notifications.message ORDER BY id')).toEqual(messages);
    expectStatus(await house.call('POST', `/v1/bookings/${booking.id}/resend`, undefined, { token: booking.accessToken }), 204);
    await mailsTo(email, 2);
    await settled();
    expect(server.taken.length).toBe(before + 1);
  });

  it('sends twice rather than never when it died before writing that it had sent, under one Message-ID', async () => {
    const { email } = await register();
    await mailsTo(email);
    await settled();
    const [{ id }] = await messagesTo(email);
    await rows(`UPDATE notifications.message SET status = 'queued', settled_at = NULL WHERE id = $1`, id);
    const again = `UPDATE platform.job SET status = 'queued', finished_at = NULL, handed_at = NULL, run_at = platform.now() WHERE data->>'messageId' = $1`;
    await rows(again, id);
    const [a, b] = await mailsTo(email, 2);
    expect(a.messageId).toBe(`<${String(id)}@evently.example>`);
    expect(b.messageId).toBe(a.messageId);
    await settled();
  });

  it('does not try a refused recipient again, and says why without naming anybody', async () => {
    server.fault = 'refuse recipient';
    const begun = server.begun;
    const { email } = await register();
    await settled();
    expect(await messagesTo(email)).toMatchObject([{ status: 'bounced', reason: 'recipient_refused 550 5.1.1' }]);
    expect(server.begun - begun).toBe(1);
    const [{ id }] = await messagesTo(email);
    const job = () => rows(`SELECT status, attempts, error FROM platform.job WHERE data->>'messageId' = $1`, id);
    await until('its job is done', async () => (await job())[0].status === 'done');
    expect(await job()).toEqual([{ status: 'done', attempts: 1, error: null }]);
  });

  it('keeps a mail while the server is away or drops it, and sends it when it is back', async () => {
    await server.down();
    const { email } = await register();
    await failedTry('account_registered', 'MailerAway: E%');
    server.fault = 'drop after mail';
    await server.up();
    await house.shiftClock(5);
    await failedTry('account_registered', 'MailerAway: ECONNECTION%');
    await house.shiftClock(10);
    const mails = await mailsTo(email, 2);
    await settled();
    expect(new Set(mails.map((m) => m.messageId)).size).toBe(1);
    expect(await messagesTo(email)).toMatchObject([{ status: 'sent', reason: null }]);
  });

  it('does not send what is no longer so when the server is back', async () => {
    await server.down();
    const { id, email } = await register();
    const { token } = (await house.api.get(AuthPort).mailedToken('email-verification', id))!;
    expect((await house.call('POST', '/v1/auth/verify-email', { token })).status).toBeLessThan(300);
    const { booking, email: guest } = await booked();
    expectStatus(await cancel(house, booking), 200);
    await failedTry('account_registered', 'MailerAway: E%');
    await server.up();
    await house.shiftClock(30);
    await settled();
    expect(server.mailsTo(email)).toEqual([]);
    expect(server.mailsTo(guest).map((m) => /^Subject: (\w+)/m.exec(m.plain)?.[1])).toEqual(['Cancelled']);
    const unwanted = await rows(`SELECT kind FROM notifications.message WHERE reason = 'no_longer_wanted' ORDER BY kind`);
    expect(unwanted.map((m) => m.kind)).toEqual(expect.arrayContaining(['account_registered', 'booking_confirmed']));
  });

  it('gives up after five days, and does not tell old history at all', async () => {
    server.fault = 'defer recipient';
    const { email } = await booked();
    await failedTry('booking_confirmed', 'MailerAway: EENVELOPE at RCPT TO 451 4.7.1');
    await house.shiftClock(5 * 24 * 3600 + 60);
    await rows(
      `INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, recorded_at)
       VALUES ($1, 'account:old', 1, 'account.registered', 1, '{}', 'system:spec', 'spec', platform.now() - interval '6 days')`,
      NO_ORG,
    );
    const gaveUp = `SELECT reason FROM notifications.message WHERE status = 'failed' AND reason = 'gave_up'`;
    await until('the message is given up', async () => (await rows(gaveUp)).length > 0, 20_000);
    await settled();
    expect(await rows(`SELECT 1 FROM notifications.message WHERE cause LIKE 'account:old%'`)).toEqual([]);
    expect(server.mailsTo(email)).toEqual([]);
  });

  it('lists an organization its messages page by page, newest first, with nothing personal in them', async () => {
    const { booking, email, orgId, staff } = await booked();
    for (let n = 0; n < 4; n++)
      expectStatus(await house.call('POST', `/v1/bookings/${booking.id}/resend`, undefined, { token: booking.accessToken }), 204);
    await settled();
    const stranger = await organizer(house);
    type List = { items: Record<string, string>[]; nextCursor: string | null };
    const read = (query: string, token?: string) => house.call<List>('GET', `/v1/organizations/${orgId}/messages${query}`, undefined, { token });
    const all = await read('', staff);
    expect(expectStatus(all, 200).items).toHaveLength(5);
    expect(all.text).not.toContain(email.split('@')[0]);
    expect(all.body.items[0]).toMatchObject({ kind: 'tickets_resent', channel: 'email', status: 'sent', bookingId: booking.id });
    expect(all.body.items[0]).not.toHaveProperty('reason');
    const paged: Record<string, string>[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: List = expectStatus(await read(`?limit=2${cursor && `&cursor=${cursor}`}`, staff), 200);
      paged.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(all.body.items);
    expect(paged.map((m) => m.id)).toEqual(paged.map((m) => m.id).toSorted().toReversed()); // prettier-ignore
    expect((await read('', stranger.token)).status).toBe(404);
    expect((await read('')).status).toBe(401);
    expect((await read('', booking.accessToken)).status).toBe(404);
    expect((await read('?cursor=WyJ4Il0', staff)).status).toBe(400);
  }); // prettier-ignore
});

describe('delivery without Redis and without a mail server', () => {
  beforeAll(async () => (house = await Harness.start(ApiModule, WorkerModule, { REDIS_URL: 'redis://127.0.0.1:9' })));
  afterAll(() => house?.stop());

  it('writes mails where npm run mails finds them', async () => {
    const { email } = await register({ locale: 'ar' });
    const { email: guest } = await booked();
    await settled();
    const mails = await rows(
      `SELECT recipient, body_text, body_html, attachments FROM notifications.outbox_mail ORDER BY created_at`,
    );
    const of = (address: string) => mails.find((m) => m.recipient === address)!;
    expect(of(guest)).toMatchObject({ attachments: ['tickets.pdf'] });
    expect(of(email).body_text).toContain('/links/verify-email#token=');
    expect(of(email).body_html).toContain('dir="rtl"');
    expect(await messagesTo(email)).toMatchObject([{ status: 'sent', reason: 'no SMTP_URL: see npm run mails' }]);
  });

  it('removes them after a week', async () => {
    await house.worker!.get(DeliveryService, { strict: false }).trim();
    expect(await rows('SELECT 1 FROM notifications.outbox_mail')).not.toEqual([]);
    await house.shiftClock(7 * 24 * 3600 + 1);
    await house.worker!.get(DeliveryService, { strict: false }).trim();
    expect(await rows('SELECT 1 FROM notifications.outbox_mail')).toEqual([]);
  });
});
