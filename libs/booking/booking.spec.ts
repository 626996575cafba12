// Bookings from outside: hold, confirm, cancel, expire; many at once for few places; keys used twice; limits.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { book, cancel, confirm, expectStatus, inventory, one, shop, unique, type BookingBody } from '../../test/buyer.js';
import { Harness, until } from '../../test/harness.js';

describe('booking', () => {
  let evently: Harness;
  beforeAll(async () => (evently = await Harness.start(ApiModule, WorkerModule)));
  afterAll(() => evently?.stop());

  it('holds, confirms with tickets, and cancels', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    const held = expectStatus(await book(evently, s, one(s, 2)), 201);
    expect(held).toMatchObject({ status: 'PENDING', version: 1, total: { amount: 0, currency: 'EUR' } });
    expect(await inventory(evently, s)).toMatchObject([{ capacity: 5, held: 2, sold: 0 }]);
    const done = expectStatus(await confirm(evently, held), 200);
    expect(done).toMatchObject({ status: 'CONFIRMED', expiresAt: null, version: 2 });
    expect(done.tickets).toHaveLength(2);
    expect(await inventory(evently, s)).toMatchObject([{ held: 0, sold: 2 }]);
    expect(expectStatus(await confirm(evently, held), 200)).toEqual(done);
    const gone = expectStatus(await cancel(evently, held), 200);
    expect(gone).toMatchObject({ status: 'CANCELLED', cancelReason: 'requested' });
    expect(gone.tickets?.map((t) => t.status)).toEqual(['void', 'void']);
    expect(await inventory(evently, s)).toMatchObject([{ held: 0, sold: 0 }]);
  });

  it('sells each place once when many want few', async () => {
    const s = await shop(evently, [{ capacity: 10 }]);
    const replies = await Promise.all(Array.from({ length: 60 }, () => book(evently, s, one(s))));
    expect(replies.filter((r) => r.status === 201)).toHaveLength(10);
    const refused = replies.filter((r) => r.status !== 201);
    expect(new Set(refused.map((r) => `${r.status} ${r.body.code}`))).toEqual(new Set(['409 sold_out']));
    expect(await inventory(evently, s)).toMatchObject([{ held: 10 }]);
  });

  it('answers a key used twice with the same bytes, and another body with 422', async () => {
    const s = await shop(evently, [{ capacity: 1 }]);
    const key = unique('twice');
    const body = { contact: { email: 'same@example.org' } };
    const first = await book(evently, s, one(s), body, { key });
    expect(first.status).toBe(201);
    await confirm(evently, first.body);
    const again = await book(evently, s, one(s), body, { key });
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect((await book(evently, s, one(s, 2), body, { key })).status).toBe(422);
    const lost = unique('lost');
    const refused = await book(evently, s, one(s), body, { key: lost });
    expect(refused.status).toBe(409);
    expectStatus(await cancel(evently, first.body), 200);
    const replay = await book(evently, s, one(s), body, { key: lost });
    expect([replay.status, replay.text]).toEqual([409, refused.text]);
  });

  it('ends a hold in time, says so at once, and sells the place again', async () => {
    const s = await shop(evently, [{ capacity: 1 }], { holdSeconds: 60 });
    const held = expectStatus(await book(evently, s, one(s)), 201);
    await evently.shiftClock(61);
    const read = await evently.call<BookingBody>('GET', `/v1/bookings/${held.id}`, undefined, { token: held.accessToken });
    expect(read.body).toMatchObject({ status: 'CANCELLED', cancelReason: 'expired' });
    expect((await confirm(evently, held)).body).toMatchObject({ code: 'hold_expired' });
    expectStatus(await book(evently, s, one(s)), 201);
  });

  it('confirms what it has just held by what is true of it now', async () => {
    const s = await shop(evently, [{ capacity: 3 }]);
    const contact = { email: 'Ada@example.org', name: 'Ada', locale: 'de' };
    const { body: asked } = await book(evently, s, one(s), { contact }, { key: unique('fresh') });
    const confirmed = expectStatus(await confirm(evently, asked), 200);
    const read = await evently.call<BookingBody>('GET', `/v1/bookings/${asked.id}`, undefined, { token: asked.accessToken });
    expect({ ...read.body, now: null }).toEqual({ ...confirmed, now: null });
    const cancelled = expectStatus(await book(evently, s, one(s)), 201);
    expectStatus(await cancel(evently, cancelled), 200);
    expect((await confirm(evently, cancelled)).body).toMatchObject({ code: 'bad_transition', from: 'CANCELLED' });
  });

  it('answers what is looked at twice before it is let in, or refused', async () => {
    const s = await shop(evently, [{ capacity: 3 }]);
    const contact = { email: 'ada@example.org', name: 'Ada' };
    const ask = (body: object) =>
      evently.call<BookingBody>('POST', `/v1/events/${s.eventId}/bookings`, body, {
        headers: { 'idempotency-key': JSON.stringify(body) },
      });
    // Passed over in silence, but not at a glance.
    expectStatus(await ask({ items: one(s), contact: { ...contact, constructor: 1 } }), 201);
    for (const items of [[[]], [one(s)]])
      expect(await ask({ items, contact })).toMatchObject({ status: 400, body: { errors: [{ pointer: '/items' }] } });
  });

  it('sweeps holds that nobody asks about', async () => {
    const s = await shop(evently, [{ capacity: 3 }], { holdSeconds: 60 });
    await book(evently, s, one(s, 3));
    await evently.shiftClock(61);
    await until('the sweep gives the units back', async () => (await inventory(evently, s))[0].held === 0);
  });

  it('tells under the trace of each request what it did', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    const traces = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
    const call = <T>(n: number, path: string, body: object, token?: string) => {
      const headers = { traceparent: `00-${traces[n]}-${'d'.repeat(16)}-01`, 'idempotency-key': unique('traced') };
      return evently.call<T>('POST', path, body, { headers, token });
    };
    const contact = { email: 'ada@example.org' };
    const wish = { items: one(s), contact };
    const [held] = await Promise.all([
      call<BookingBody>(0, `/v1/events/${s.eventId}/bookings`, wish),
      book(evently, s, one(s)), // Untraced, and perhaps in the same batch.
    ]);
    const { id, accessToken } = expectStatus(held, 201);
    expectStatus(await call<BookingBody>(1, `/v1/bookings/${id}/confirm`, {}, accessToken), 200);
    expectStatus(await call<BookingBody>(2, `/v1/bookings/${id}/cancel`, {}, accessToken), 200);
    const told = 'SELECT trace_id FROM platform.event WHERE stream = $1 ORDER BY stream_version';
    const { rows } = await evently.sql.query<{ trace_id: string }>(told, [`booking:${id}`]);
    expect(rows.map((r) => r.trace_id)).toEqual(traces);
  });

  it('keeps one booking from everybody else', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    const mine = expectStatus(await book(evently, s, one(s)), 201);
    const theirs = expectStatus(await book(evently, s, one(s)), 201);
    expect((await evently.call('GET', `/v1/bookings/${mine.id}`, undefined, { token: theirs.accessToken })).status).toBe(404);
    expect((await evently.call('GET', `/v1/bookings/${mine.id}`)).status).toBe(401);
    expect((await confirm(evently, { ...mine, accessToken: theirs.accessToken })).status).toBe(404);
  });

  it('sells what was added or opened since the event was last looked at', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    expectStatus(await book(evently, s, one(s)), 201);
    const wish = { name: 'Late', price: { amount: 0, currency: 'EUR' }, capacity: 3 };
    const added = await evently.call<{ id: string }>(
      'POST',
      `/v1/organizations/${s.orgId}/events/${s.eventId}/ticket-types`,
      wish,
      { token: s.token },
    );
    const late = [{ ticketTypeId: expectStatus(added, 201).id, quantity: 1 }];
    expectStatus(await book(evently, s, late), 201);
  });

  it('gives the history, and the booking as it was', async () => {
    const s = await shop(evently, [{ capacity: 5 }]);
    const held = expectStatus(await book(evently, s, one(s)), 201);
    expectStatus(await confirm(evently, held), 200);
    const path = `/v1/bookings/${held.id}/history`;
    const token = held.accessToken;
    const { items } = expectStatus(
      await evently.call<{ items: { type: string; at: string }[] }>('GET', path, undefined, { token }),
      200,
    );
    expect(items.map((i) => i.type)).toEqual(['booking.held', 'booking.confirmed']);
    const then = await evently.call<BookingBody>('GET', `${path}?at=${items[0].at}`, undefined, { token });
    expect(then.body).toMatchObject({ status: 'PENDING', version: 1 });
  });

  it('takes payment, and tells a declined card', async () => {
    const s = await shop(evently, [{ capacity: 5, amount: 2500 }]);
    const held = expectStatus(await book(evently, s, one(s)), 201);
    expect(await confirm(evently, held)).toMatchObject({ status: 402, body: { code: 'payment_required', methods: ['test'] } });
    const card = (n: string) => ({ paymentMethod: { provider: 'test', card: n } });
    expect(await confirm(evently, held, card('4000000000000002'))).toMatchObject({
      status: 402,
      body: { code: 'payment_declined' },
    });
    expect(await confirm(evently, held, card('4242424242424242'))).toMatchObject({ status: 200, body: { status: 'CONFIRMED' } });
  });
});
