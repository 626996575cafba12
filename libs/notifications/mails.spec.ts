// The mails of the whole house, as people get them: what stands in one works when it is used.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { book, cancel, confirm, expectStatus, one, organizer, shop, type BookingBody } from '../../test/buyer.js';
import { Harness, until } from '../../test/harness.js';
import { MailServer, type TakenMail } from '../../test/mail-server.js';

describe('mails of the whole house', () => {
  const server = new MailServer();
  let evently: Harness;
  beforeAll(async () => {
    await server.up();
    evently = await Harness.start(ApiModule, WorkerModule, { SMTP_URL: server.url, MAIL_FROM: 'tickets@evently.example' });
  });
  afterAll(async () => {
    await evently?.stop();
    await server.down();
    for (const name of ['SMTP_URL', 'MAIL_FROM']) delete process.env[name];
  });

  const mailTo = (address: string, subject: string): Promise<TakenMail> =>
    until(`a mail to ${address}: ${subject}`, async () =>
      server.mailsTo(address).find((m) => m.plain.includes(`Subject: ${subject}`)),
    );
  const tokenIn = (mail: TakenMail) => decodeURIComponent(/#token=([^\s"<]+)/.exec(mail.plain)?.[1] ?? 'none');
  const pdfIn = (mail: TakenMail) =>
    Buffer.from(/filename=tickets\.pdf\r\n\r\n([\s\S]+?)\r\n--/.exec(mail.raw)?.[1] ?? '', 'base64');
  const login = (email: string, password: string) => evently.call<{ accessToken: string }>('POST', '/v1/auth/login', { email, password }); // prettier-ignore
  const register = (email: string) =>
    evently.call('POST', '/v1/auth/register', { email, password: 'correct horse battery', name: 'Ada' });

  async function booked(email: string, quantity: number, amount = 0): Promise<{ booking: BookingBody; orgId: string; staff: string }> {
    const s = await shop(evently, [{ amount }], { title: 'Night of Strings' });
    const held = expectStatus(await book(evently, s, one(s, quantity), { contact: { email, name: 'Grace' } }), 201);
    const pay = amount > 0 ? { paymentMethod: { provider: 'test', card: '4242424242424242' } } : {};
    const done = expectStatus(await confirm(evently, held, pay), 200);
    return { booking: { ...done, accessToken: held.accessToken }, orgId: s.orgId, staff: s.token };
  } // prettier-ignore

  it('welcomes a new account with a link that proves its address, once', async () => {
    expectStatus(await register('new@example.org'), 201);
    const token = tokenIn(await mailTo('new@example.org', 'Welcome to Evently'));
    const use = () => evently.call('POST', '/v1/auth/verify-email', { token });
    expect((await use()).status).toBeLessThan(300);
    expect((await use()).status).toBe(400);
  });

  it('lets somebody who forgot the password choose another, and tells of the change', async () => {
    expectStatus(await register('forgot@example.org'), 201);
    expect((await evently.call('POST', '/v1/auth/password-reset', { email: 'forgot@example.org' })).status).toBeLessThan(300);
    const token = tokenIn(await mailTo('forgot@example.org', 'Set a new password'));
    const password = 'another horse battery';
    expect((await evently.call('POST', '/v1/auth/password-reset/confirm', { token, password })).status).toBeLessThan(300);
    expectStatus(await login('forgot@example.org', password), 200);
    expect((await mailTo('forgot@example.org', 'Your password was changed')).plain).not.toContain('#token=');
  });

  it('invites somebody to an organization', async () => {
    const { token: owner, orgId } = await organizer(evently);
    const invitation = { email: 'helper@example.org', role: 'staff' };
    expectStatus(await evently.call('POST', `/v1/organizations/${orgId}/invitations`, invitation, { token: owner }), 201);
    const mail = await mailTo('helper@example.org', 'Join Hall on Evently');
    expectStatus(await register('helper@example.org'), 201);
    const { accessToken } = expectStatus(await login('helper@example.org', 'correct horse battery'), 200);
    expectStatus(await evently.call('POST', '/v1/invitations/accept', { token: tokenIn(mail) }, { token: accessToken }), 200);
    const list = await evently.call<{ items: { kind: string; status: string }[] }>('GET', `/v1/organizations/${orgId}/messages`, undefined, { token: accessToken }); // prettier-ignore
    expect(expectStatus(list, 200).items).toMatchObject([{ kind: 'invitation', status: 'sent' }]);
  });

  it('sends tickets that open, with a link that is the guest’s own', async () => {
    const { booking } = await booked('guest@example.org', 2, 2500);
    const mail = await mailTo('guest@example.org', 'Your tickets: Night of Strings');
    expect(pdfIn(mail).subarray(0, 5).toString()).toBe('%PDF-');
    expect(mail.plain).toContain('2 × Standard');
    expect(mail.plain).toContain('€50.00');
    expect(mail.plain).toMatch(/June 1, 2027 at 8:00\sPM/);
    const read = await evently.call<BookingBody>('GET', `/v1/bookings/${booking.id}`, undefined, { token: tokenIn(mail) });
    expect(expectStatus(read, 200).status).toBe('CONFIRMED');
  });

  it('sends a transferred ticket to its new holder, and tells the buyer', async () => {
    const { booking } = await booked('giver@example.org', 2);
    const path = `/v1/tickets/${booking.tickets![0].id}/transfer`;
    const to = { email: 'taker@example.org', name: 'Tia' };
    expectStatus(await evently.call('POST', path, to, { token: booking.accessToken }), 200);
    const taken = await mailTo('taker@example.org', 'A ticket for you: Night of Strings');
    expect(pdfIn(taken).subarray(0, 5).toString()).toBe('%PDF-');
    expect(taken.plain).not.toContain('#token=');
    expect(pdfIn(await mailTo('giver@example.org', 'Ticket transferred: Night of Strings'))).toHaveLength(0);
  });

  it('tells what was given back and what is returned, and nothing of a hold that was given up', async () => {
    const { booking } = await booked('back@example.org', 3, 1000);
    expectStatus(await cancel(evently, booking, { ticketIds: [booking.tickets![0].id] }), 200);
    expect((await mailTo('back@example.org', 'Booking changed: Night of Strings')).plain).toContain('€10.00 will be returned');
    expectStatus(await cancel(evently, booking), 200);
    expect((await mailTo('back@example.org', 'Cancelled: Night of Strings')).plain).toContain('€20.00 will be returned');
    const s = await shop(evently, [{}]);
    const hold = expectStatus(await book(evently, s, one(s), { contact: { email: 'undecided@example.org' } }), 201);
    expectStatus(await cancel(evently, hold), 200);
    await until('the cancelled hold was heard', async () => {
      const { rows } = await evently.sql.query(
        `SELECT pg_visible_in_snapshot(e.xid, c.done) AS heard FROM platform.event e, platform.consumer c
         WHERE e.stream = $1 AND e.type = 'booking.cancelled' AND c.name = 'notifications.booking-cancelled'`,
        [`booking:${hold.id}`],
      );
      return rows[0]?.heard;
    });
    const about = `SELECT 1 FROM notifications.message WHERE about->>'bookingId' = $1`;
    expect((await evently.sql.query(about, [hold.id])).rows).toEqual([]);
    expect(server.mailsTo('undecided@example.org')).toEqual([]);
  });

  it('sends tickets again when asked', async () => {
    const { booking } = await booked('again@example.org', 1);
    const asked = await evently.call('POST', `/v1/bookings/${booking.id}/resend`, undefined, { token: booking.accessToken });
    expectStatus(asked, 204);
    const mail = await mailTo('again@example.org', 'Your tickets once more: Night of Strings');
    expect(pdfIn(mail).subarray(0, 5).toString()).toBe('%PDF-');
  });
});
