// From a domain event to a mail in a real SMTP server: one each, however often it is heard; through refusals, outages and without Redis.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Harness, until } from '../../test/harness.js';
import { MailServer } from '../../test/mail-server.js';
import {
  account,
  announce,
  booking,
  contact,
  hearsOf,
  pdfs,
  TestApi,
  TestWorker,
  usedTokens,
} from '../../test/notification-house.js';
import * as authEvents from '../auth/auth.domain-events.js';
import * as bookingEvents from '../booking/booking.domain-events.js';
import { newId, newOrgId, NO_ORG } from '../kernel/ids.js';
import { DeliveryService } from './delivery.service.js';
import { NotificationProcessor } from './notification.processor.js';
import { notificationRules } from './notification.rules.js';

describe('the table of messages', () => {
  it('has its domain events heard, each by one line of the processor', () => {
    const heard = hearsOf(NotificationProcessor).map((h) => h.type.type);
    expect(new Set(heard).size).toBe(heard.length);
    expect([...heard].sort()).toEqual([...new Set(Object.values(notificationRules).map((r) => r.event.type))].sort());
  });
});

describe('messages by SMTP', () => {
  const org = newOrgId();
  const server = new MailServer();
  let house: Harness;
  const statusOf = async (recipient: string) =>
    (await house.sql.query(`SELECT status, reason, locale FROM notifications.message WHERE recipient = $1`, [recipient])).rows;
  const jobsDone = () =>
    until('no job waits', async () => {
      const { rows } = await house.sql.query(`SELECT 1 FROM platform.job WHERE status IN ('queued', 'running')`);
      return rows.length === 0;
    });

  beforeAll(async () => {
    await server.up();
    house = await Harness.start(TestApi, TestWorker, { SMTP_URL: server.url, MAIL_FROM: 'Evently <tickets@evently.example>' });
  });
  beforeEach(() => {
    server.fault = 'none';
    pdfs.length = 0;
  });
  afterAll(async () => {
    await house.stop();
    await server.down();
    for (const name of ['SMTP_URL', 'MAIL_FROM']) delete process.env[name];
  });

  it('sends a link with the token that auth makes anew, in the language of the account', async () => {
    const who = account('Grete', 'de-AT');
    await announce(house, authEvents.PasswordResetRequested(who));
    const [mail] = await until('the mail', async () => server.mailsTo('grete@example.org').length > 0 && server.mailsTo('grete@example.org'));
    expect(mail.plain).toContain('Neues Passwort');
    expect(mail.plain).toContain(`http://127.0.0.1:3000/links/reset-password#token=password-reset.${who.accountId}`);
    await jobsDone();
    expect(await statusOf('grete@example.org')).toEqual([{ status: 'sent', reason: null, locale: 'de' }]);
    const { rows } = await house.sql.query(`SELECT m::text || j.data::text AS kept FROM notifications.message m, platform.job j`);
    expect(rows.map((r) => r.kept).join()).not.toContain('password-reset.');
  }); // prettier-ignore

  it('sends the tickets of a confirmed booking along', async () => {
    const about = booking(org, 'Bert');
    await announce(house, bookingEvents.BookingConfirmed(about));
    await until('the mail', async () => server.mailsTo('bert@example.org').length > 0);
    const [mail] = server.mailsTo('bert@example.org');
    expect(pdfs).toEqual([about.bookingId]);
    expect(mail.raw).toContain('application/pdf');
    expect(mail.plain).toContain(`https://x/manage#${about.bookingId}`);
  });

  it('sends a transferred ticket to its new holder alone, and only news to the buyer', async () => {
    const ticketId = newId(org);
    const ticket = { id: ticketId, ticketTypeName: 'Standing', seat: null, holder: contact('Newby') };
    const about = booking(org, 'Oldie', { tickets: [{ ...ticket, id: newId(org), holder: null }, ticket] });
    await announce(house, bookingEvents.TicketTransferred({ ...about, ticketId }));
    await until('both mails', async () => server.mailsTo('newby@example.org')[0] && server.mailsTo('oldie@example.org')[0]);
    const [toHolder, toBuyer] = ['newby@example.org', 'oldie@example.org'].map((a) => server.mailsTo(a)[0]);
    expect(pdfs).toEqual([ticketId]);
    expect(toHolder.raw).toContain('application/pdf');
    expect(toHolder.plain).not.toContain('https://x/manage');
    expect(toBuyer.raw).not.toContain('application/pdf');
    expect(toBuyer.plain).toContain('https://x/manage');
  });

  it('makes one mail of a domain event that is heard again', async () => {
    const about = booking(org, 'Once');
    await announce(house, bookingEvents.TicketsResendRequested(about));
    await until('the mail', async () => server.mailsTo('once@example.org').length > 0);
    const before = (await house.sql.query('SELECT count(*) FROM notifications.message')).rows[0].count;
    const place = `SELECT done::text FROM platform.consumer WHERE name = 'notifications.tickets-resent'`;
    await house.sql.query(
      `UPDATE platform.consumer SET done = '1:1:', target = NULL, target_org = NULL, target_seq = NULL WHERE name LIKE 'notifications.%'`,
    );
    await announce(house, bookingEvents.TicketsResendRequested(booking(org, 'After')));
    await until('the next mail, so that all before it was heard again', async () => server.mailsTo('after@example.org')[0]);
    await until('the consumer is at its end again', async () => (await house.sql.query(place)).rows[0].done !== '1:1:');
    await jobsDone();
    expect(server.mailsTo('once@example.org')).toHaveLength(1);
    const { rows } = await house.sql.query(`SELECT count(*) FROM notifications.message WHERE about->>'bookingId' = $1`, [about.bookingId]);
    expect(rows[0].count).toBe(1);
    expect((await house.sql.query('SELECT count(*) FROM notifications.message')).rows[0].count).toBe(before + 1);
  }); // prettier-ignore

  it('sends twice rather than never when it died before writing that it had sent, under one Message-ID', async () => {
    await announce(house, authEvents.AccountRegistered(account('Twice')));
    await until('the mail', async () => server.mailsTo('twice@example.org').length === 1);
    await jobsDone();
    const { rows } = await house.sql.query(
      `UPDATE notifications.message SET status = 'queued', settled_at = NULL WHERE recipient = 'twice@example.org' RETURNING id`,
    );
    await house.sql.query(
      `UPDATE platform.job SET status = 'queued', finished_at = NULL, handed_at = NULL, run_at = platform.now() WHERE data->>'messageId' = $1`,
      [rows[0].id],
    );
    await until('the double', async () => server.mailsTo('twice@example.org').length === 2);
    const [a, b] = server.mailsTo('twice@example.org');
    expect(a.messageId).toBe(`<${rows[0].id}@evently.example>`);
    expect(b.messageId).toBe(a.messageId);
  });

  it('does not try a refused recipient again, and says why without naming anybody', async () => {
    server.fault = 'refuse recipient';
    const begun = server.begun;
    const about = booking(org, 'Nobody');
    await announce(house, bookingEvents.BookingConfirmed(about));
    await until('it ended', async () => (await statusOf('nobody@example.org'))[0]);
    await jobsDone();
    expect(await statusOf('nobody@example.org')).toMatchObject([{ status: 'bounced', reason: 'recipient_refused 550 5.1.1' }]);
    expect(server.begun - begun).toBe(1);
    const { rows } = await house.sql.query(`SELECT attempts, error FROM platform.job ORDER BY created_at DESC LIMIT 1`);
    expect(rows).toEqual([{ attempts: 1, error: null }]);
  });

  it('keeps a mail while the server is away or drops it, and sends it when it is back', async () => {
    await server.down();
    await announce(house, authEvents.EmailVerificationRequested(account('Patience')));
    const tried = await until('a failed try', async () => {
      const { rows } = await house.sql.query(`SELECT error FROM platform.job WHERE error IS NOT NULL ORDER BY created_at DESC`);
      return rows[0]?.error as string;
    });
    expect(tried).toMatch(/^MailerAway: ECONNREFUSED|^MailerAway: ESOCKET/);
    await server.up();
    server.fault = 'drop after mail';
    await house.shiftClock(5);
    await until('the mail came, and again after the drop', async () => server.mailsTo('patience@example.org').length === 2);
    await jobsDone();
    expect(new Set(server.mailsTo('patience@example.org').map((m) => m.messageId)).size).toBe(1);
    expect(await statusOf('patience@example.org')).toMatchObject([{ status: 'sent' }]);
  });

  it('gives up after five days', async () => {
    server.fault = 'defer recipient';
    await announce(house, authEvents.AccountRegistered(account('Fivedays')));
    await until('a try', async () => server.begun > 0 && (await house.sql.query(`SELECT 1 FROM platform.job WHERE error LIKE '%451 4.7.1'`)).rows[0]);
    await house.shiftClock(5 * 24 * 3600 + 60);
    await until('it gave up', async () => (await house.sql.query(`SELECT 1 FROM notifications.message WHERE reason = 'gave_up'`)).rows[0]);
    await jobsDone();
    expect(server.mailsTo('fivedays@example.org')).toEqual([]);
  }); // prettier-ignore

  it('does not tell what is no news: old history, holds that ended, used links, tickets of a cancelled booking', async () => {
    await house.sql.query(
      `INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, recorded_at)
       VALUES ($1, 'account:old', 1, 'account.registered', 1, '{}', 'system:spec', 'spec', platform.now() - interval '6 days')`,
      [NO_ORG],
    );
    const used = account('Used');
    usedTokens.add(used.accountId);
    const cancelled = booking(org, 'Late', { status: 'CANCELLED', tickets: [] });
    await announce(
      house,
      bookingEvents.BookingCancelled({ ...booking(org, 'Expired'), reason: 'expired', refund: 0 }),
      bookingEvents.BookingCancelled({ ...booking(org, 'Holder', { confirmedAt: null }), reason: 'requested', refund: 0 }),
      bookingEvents.BookingCancelled({ ...booking(org, 'Ended'), reason: 'event', refund: 2500 }),
      authEvents.PasswordResetRequested(used),
      bookingEvents.BookingConfirmed(cancelled),
      authEvents.AccountRegistered(account('Last')),
    );
    await until('what is news', async () => server.mailsTo('ended@example.org')[0] && server.mailsTo('last@example.org')[0]);
    expect(server.mailsTo('ended@example.org')[0].plain).toContain('€25.00 will be returned');
    const unwanted = () =>
      house.sql.query(`SELECT kind FROM notifications.message WHERE reason = 'no_longer_wanted' ORDER BY kind`);
    await until('the rest is settled', async () => (await unwanted()).rows.length === 2);
    await jobsDone();
    expect((await unwanted()).rows.map((r) => r.kind)).toEqual(['booking_confirmed', 'password_reset']);
    for (const name of ['expired', 'holder', 'used', 'late']) expect(server.mailsTo(`${name}@example.org`), name).toEqual([]);
    const { rows } = await house.sql.query(`SELECT 1 FROM notifications.message WHERE cause LIKE 'account:old%'`);
    expect(rows).toEqual([]);
  });

  it('lists an organization its messages page by page, newest first, with nothing personal in them', async () => {
    const read = (query: string, staffOf = org) =>
      house.call<{ items: Record<string, string>[]; nextCursor: string | null; code?: string }>(
        'GET', `/v1/organizations/${org}/messages${query}`, undefined, { headers: staffOf ? { 'x-staff-of': staffOf } : {} },
      ); // prettier-ignore
    const all = await read('');
    expect(all.status).toBe(200);
    expect(all.text).not.toMatch(/example\.org|Nobody|token/);
    expect(all.body.items.length).toBeGreaterThan(4);
    expect(all.body.items.find((m) => m.status === 'bounced')).toMatchObject({
      kind: 'booking_confirmed',
      channel: 'email',
      reason: 'recipient_refused 550 5.1.1',
    });
    const paged: Record<string, string>[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await read(`?limit=2${cursor && `&cursor=${cursor}`}`);
      paged.push(...page.body.items);
      cursor = page.body.nextCursor;
    }
    expect(paged).toEqual(all.body.items);
    expect(paged.map((m) => m.id)).toEqual(paged.map((m) => m.id).sort().toReversed()); // prettier-ignore
    expect((await read('', newOrgId())).status).toBe(404);
    expect((await read('', '')).status).toBe(401);
    expect((await read('?cursor=WyJ4Il0')).status).toBe(400);
  });
});

describe('messages without Redis and without a mail server', () => {
  let house: Harness;
  beforeAll(async () => (house = await Harness.start(TestApi, TestWorker, { REDIS_URL: 'redis://127.0.0.1:9' })));
  afterAll(() => house.stop());

  it('writes mails where npm run mails finds them, and makes no tickets for nobody', async () => {
    pdfs.length = 0;
    const who = account('Reader', 'ar');
    await announce(house, authEvents.PasswordResetRequested(who), bookingEvents.BookingConfirmed(booking(newOrgId(), 'Buyer')));
    const mails = await until('both mails', async () => {
      const { rows } = await house.sql.query(`SELECT o.*, m.status, m.reason FROM notifications.outbox_mail o
        JOIN notifications.message m ON m.org_id = o.org_id AND m.id = o.message_id WHERE m.status <> 'queued' ORDER BY o.recipient`);
      return rows.length === 2 && rows;
    });
    expect(mails[0]).toMatchObject({ recipient: 'buyer@example.org', attachments: ['tickets.pdf'], status: 'sent' });
    expect(mails[1].body_text).toContain(`/links/reset-password#token=password-reset.${who.accountId}`);
    expect(mails[1].body_html).toContain('dir="rtl"');
    expect(mails[1].reason).toContain('no SMTP_URL');
    expect(pdfs).toEqual([]);
  });

  it('removes them after a week', async () => {
    await house.shiftClock(7 * 24 * 3600 + 1);
    await house.worker!.get(DeliveryService).trim();
    expect((await house.sql.query('SELECT 1 FROM notifications.outbox_mail')).rows).toEqual([]);
  });
});
