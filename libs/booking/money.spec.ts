// Money and time: cards that answer late, holds that end meanwhile, cancelled events, fees, transfers, and the sales report.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { book, cancel, confirm, expectStatus, inventory, one, organizer, shop, type BookingBody } from '../../test/buyer.js';
import { Harness, until } from '../../test/harness.js';

const pay = (card: string) => ({ paymentMethod: { provider: 'test', card } });
const GOOD = '4242424242424242';
const LATE = '4000000000000341';

describe('money', () => {
  let evently: Harness;
  beforeAll(async () => (evently = await Harness.start(ApiModule, WorkerModule)));
  afterAll(() => evently?.stop());

  const read = async (b: BookingBody) =>
    expectStatus(
      await evently.call<BookingBody & { refunded?: { amount: number } }>('GET', `/v1/bookings/${b.id}`, undefined, {
        token: b.accessToken,
      }),
      200,
    );
  const status = (b: BookingBody, wanted: string) =>
    until(`${b.id} is ${wanted}`, async () => (await read(b)).status === wanted, 20_000);

  it.each(['0341', '0119', '0259'])('confirms when the webhook of card ...%s has come', async (last) => {
    const s = await shop(evently, [{ capacity: 5, amount: 1000 }]);
    const held = expectStatus(await book(evently, s, one(s)), 201);
    const reply = await confirm(evently, held, pay(`400000000000${last}`));
    expect([200, 202]).toContain(reply.status);
    if (reply.status === 202) expect(reply.body).toMatchObject({ status: 'PENDING', payment: { status: 'processing' } });
    await status(held, 'CONFIRMED');
    expect(await inventory(evently, s)).toMatchObject([{ held: 0, sold: 1 }]);
  });

  it('seats a booking again whose money came after its hold, or gives the money back', async () => {
    const s = await shop(evently, [{ capacity: 2, amount: 1000 }], { holdSeconds: 60 });
    const first = expectStatus(await book(evently, s, one(s)), 201);
    const second = expectStatus(await book(evently, s, one(s)), 201);
    for (const b of [first, second]) expectStatus(await confirm(evently, b, pay(LATE)), 202);
    // Behind everybody's back both holds end, and one of the two places goes to somebody else.
    await evently.sql.query(`SELECT booking.release_batch(true, ARRAY[$1::uuid], (SELECT array_agg(pool_id) FROM booking.inventory WHERE event_id = $2),
      ARRAY[$1, $1]::uuid[], $3::uuid[], ARRAY[2, 2], ARRAY['expired', 'expired'], ARRAY[NULL, NULL], ARRAY[0, 0], ARRAY['test', 'test'], ARRAY['t', 't'], NULL, ARRAY['1', '1'])`, [
      s.orgId, s.eventId, [first.id, second.id],
    ]); // prettier-ignore
    expect((await read(first)).status).toBe('CANCELLED');
    expectStatus(await confirm(evently, expectStatus(await book(evently, s, one(s)), 201), pay(GOOD)), 200);
    const settled = await until('one is seated, the other refunded', async () => {
      const both = [await read(first), await read(second)];
      return both.some((b) => b.status === 'CONFIRMED') && both.some((b) => b.refunded?.amount === 1000) && both;
    }, 20_000); // prettier-ignore
    expect(settled.map((b) => b.status).sort()).toEqual(['CANCELLED', 'CONFIRMED']);
    expect(await inventory(evently, s)).toMatchObject([{ held: 0, sold: 2 }]);
  });

  it('keeps a hold while its payment is under way, once longer', async () => {
    const s = await shop(evently, [{ capacity: 1, amount: 1000 }], { holdSeconds: 60 });
    const held = expectStatus(await book(evently, s, one(s)), 201);
    expectStatus(await confirm(evently, held, pay(LATE)), 202);
    const longer = await read(held);
    expect(Date.parse(longer.expiresAt ?? held.expiresAt!)).toBeGreaterThanOrEqual(Date.parse(held.expiresAt!));
    await status(held, 'CONFIRMED');
  });

  it('keeps the fee of a late change of mind, gives all back when the event is off', async () => {
    const s = await shop(evently, [{ capacity: 5, amount: 1000 }], {
      cancelPolicy: { untilHours: 24, feePercent: 10, feeAmount: 50 },
    });
    const [mine, other] = [
      expectStatus(await book(evently, s, one(s, 2)), 201),
      expectStatus(await book(evently, s, one(s)), 201),
    ];
    for (const b of [mine, other]) expectStatus(await confirm(evently, b, pay(GOOD)), 200);
    expect(expectStatus(await cancel(evently, mine), 200)).toMatchObject({
      status: 'CANCELLED',
      refunded: { amount: 2000 - 200 - 100 },
    });
    // The news of the payment is heard after the cancellation: it must not give the fee back.
    await until('the payment was heard of', async () => {
      const sql = `SELECT 1 FROM platform.job WHERE type = 'booking.settle-paid' AND data ->> 'bookingId' = $1 AND status = 'done'`;
      return (await evently.sql.query(sql, [mine.id])).rowCount;
    });
    expect((await read(mine)).refunded?.amount).toBe(1700);
    expectStatus(
      await evently.call('POST', `/v1/organizations/${s.orgId}/events/${s.eventId}/cancel`, {}, { token: s.token }),
      200,
    );
    await status(other, 'CANCELLED');
    expect(await read(other)).toMatchObject({ cancelReason: 'event', refunded: { amount: 1000 } });
    expect((await book(evently, s, one(s))).body).toMatchObject({ code: 'not_on_sale' });
  });

  it('hands a ticket over: a new code, the old one void', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    const held = expectStatus(await book(evently, s, one(s, 2)), 201);
    const done = expectStatus(await confirm(evently, held), 200);
    const [ticket] = done.tickets!;
    const path = `/v1/tickets/${ticket.id}/transfer`;
    const moved = expectStatus(
      await evently.call<BookingBody>('POST', path, { email: 'friend@example.org', name: 'Friend' }, { token: held.accessToken }),
      200,
    );
    const code = moved.tickets?.find((t) => t.id === ticket.id)?.code ?? '';
    const ver = (jws: string) =>
      JSON.parse(Buffer.from(jws.split('.')[1], 'base64url').toString()) as { tid: string; eid: string; ver: number };
    expect([ver(ticket.code), ver(code)]).toMatchObject([{ tid: ticket.id, eid: s.eventId, ver: 1 }, { ver: 2 }]);
    const pdf = await evently.call<string>('GET', `/v1/bookings/${held.id}/tickets.pdf`, undefined, { token: held.accessToken });
    expect([pdf.status, pdf.text.slice(0, 5)]).toEqual([200, '%PDF-']);
    const svg = await evently.call<string>('GET', `/v1/tickets/${ticket.id}/qr.svg`, undefined, { token: held.accessToken });
    expect([svg.status, svg.headers.get('content-type')]).toEqual([200, 'image/svg+xml']);
  });

  it('reports sales by month of the start, in the zone of the event', async () => {
    const owner = await organizer(evently);
    // 31 May 22:30 in UTC is 1 June in Berlin.
    const s = await shop(
      evently,
      [{ capacity: 9, amount: 700 }],
      { startsAt: '2027-05-31T22:30:00Z', endsAt: '2027-06-01T01:00:00Z' },
      owner,
    );
    const sold = [];
    for (let i = 0; i < 3; i++) sold.push(expectStatus(await book(evently, s, one(s, i + 1)), 201));
    for (const b of sold) expectStatus(await confirm(evently, b, pay(GOOD)), 200);
    await book(evently, s, one(s)); // A hold is no sale.
    expectStatus(await cancel(evently, { ...sold[0], accessToken: s.token }, { reason: 'They asked by phone' }), 200);
    const report = await evently.call('GET', `/v1/organizations/${s.orgId}/reports/sales?by=month`, undefined, {
      token: s.token,
    });
    expect(report.body).toEqual([{ month: '2027-06', bookings: 3, cancelled: 1, revenue: { amount: 5 * 700, currency: 'EUR' } }]);
    const list = await evently.call<{ items: object[] }>(
      'GET',
      `/v1/organizations/${s.orgId}/events/${s.eventId}/bookings?status=CANCELLED`,
      undefined,
      { token: s.token },
    );
    expect(list.body.items).toMatchObject([{ id: sold[0].id, cancelReason: 'organizer', cancelNote: 'They asked by phone' }]);
    const csv = await evently.call<string>('GET', `/v1/organizations/${s.orgId}/events/${s.eventId}/bookings.csv`, undefined, {
      token: s.token,
    });
    expect(csv.text.trim().split('\n')).toHaveLength(5);
  });
});
