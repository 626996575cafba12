// What is sold, in the whole house: catalog and pricing with the real stock and real bookings above them.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { aSeatMap, anEvent, Stage, type Caller } from './catalog.stage.js';
import { until } from './harness.js';

interface Booking {
  id: string;
  status: string;
  total: { amount: number };
  items: { unitPrice: { amount: number }; total: { amount: number } }[];
  accessToken: string;
  code: string;
}
interface Availability {
  ticketTypes: { id: string; available: number; state: string }[];
}

describe('what is sold, in the whole house', () => {
  let stage: Stage;
  let owner: Caller;
  let eventId: string;
  let guests = 0;
  beforeAll(async () => {
    stage = await Stage.open(ApiModule, WorkerModule);
    owner = await stage.owner();
  });
  afterAll(() => stage?.close());
  beforeEach(async () => void (eventId = (await stage.make(owner, '/events', anEvent())).id));

  const price = { amount: 1000, currency: 'EUR' };
  const type = (body: Record<string, unknown>) =>
    stage.make(owner, `/events/${eventId}/ticket-types`, { name: 'T', price, ...body });
  const publish = () => stage.at(owner, 'POST', `/events/${eventId}/publish`, {});
  const change = (path: string, body: unknown, ifMatch: number) =>
    stage.at(owner, 'PATCH', `/events/${eventId}${path}`, body, { ifMatch });
  const book = (ticketTypeId: string, quantity: number, more: Record<string, unknown> = {}) => {
    const n = ++guests;
    const body = { items: [{ ticketTypeId, quantity }], contact: { email: `guest-${n}@example.org` }, ...more };
    return stage.call<Booking>('POST', `/v1/events/${eventId}/bookings`, body, { key: `book-${n}` });
  };
  const availability = async () => (await stage.call<Availability>('GET', `/v1/events/${eventId}/availability`)).body.ticketTypes;

  it('opens sales when published, at the capacity that was set, and refuses less than is held', async () => {
    const made = await type({ capacity: 5 });
    expect((await book(made.id, 1)).status).toBeGreaterThanOrEqual(400); // Nobody sells a draft.
    await publish();
    expect((await book(made.id, 3)).status).toBe(201);
    expect(await availability()).toMatchObject([{ id: made.id, available: 2 }]);
    expect((await change(`/ticket-types/${made.id}`, { capacity: 2 }, 1)).body.code).toBe('capacity_below_sold');
    expect((await change(`/ticket-types/${made.id}`, { capacity: 3 }, 1)).status).toBe(200);
    expect((await book(made.id, 1)).body.code).toBe('sold_out');
    expect((await change(`/ticket-types/${made.id}`, { capacity: 4 }, 2)).status).toBe(200);
    expect((await book(made.id, 1)).status).toBe(201);
  });

  it('sells a shared pool through each of its types, once', async () => {
    const pool = await stage.make(owner, `/events/${eventId}/pools`, { name: 'P', capacity: 3 });
    const [adult, child] = [await type({ poolId: pool.id }), await type({ poolId: pool.id })];
    await publish();
    expect((await book(adult.id, 2)).status).toBe(201);
    expect((await book(child.id, 2)).body.code).toBe('sold_out');
    expect((await book(child.id, 1)).status).toBe(201);
    expect((await availability()).map((t) => t.available)).toEqual([0, 0]);
  });

  it('takes a new price, code or end of sale for the very next booking', async () => {
    const made = await type({ capacity: 50 });
    await publish();
    expect((await book(made.id, 1)).body.items[0].unitPrice.amount).toBe(1000);
    await change(`/ticket-types/${made.id}`, { price: { amount: 1500, currency: 'EUR' } }, 1);
    expect((await book(made.id, 1)).body.items[0].unitPrice.amount).toBe(1500);
    await change(`/ticket-types/${made.id}`, { accessCode: 'OPEN-SESAME' }, 2);
    expect((await book(made.id, 1)).status).toBeGreaterThanOrEqual(400);
    expect((await book(made.id, 1, { accessCode: 'open-sesame' })).status).toBe(201);
    await change(`/ticket-types/${made.id}`, { salesEndAt: '2025-01-01T00:00:00Z' }, 3);
    expect((await book(made.id, 1, { accessCode: 'open-sesame' })).body.code).toBe('not_on_sale');
  });

  it('lowers prices by promo codes, as often as they may be used, until they are archived', async () => {
    const made = await type({ capacity: 50 });
    await publish();
    const codes = `/events/${eventId}/promo-codes`;
    const promo = await stage.make(owner, codes, { code: 'Half', percent: 50, maxUses: 2 });
    expect((await book(made.id, 2, { promoCode: 'HALF' })).body).toMatchObject({ total: { amount: 1000 } });
    const raced = await Promise.all([1, 2, 3].map(() => book(made.id, 1, { promoCode: 'half' })));
    expect(raced.map((r) => r.status).sort()).toEqual([201, 409, 409]);
    expect(raced.find((r) => r.status === 409)?.body.code).toBe('limit_exceeded');
    await stage.at(owner, 'DELETE', `${codes}/${promo.id}`);
    expect(await book(made.id, 1, { promoCode: 'half' })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/promoCode' }] },
    });
    await stage.make(owner, codes, { code: 'HALF', amount: 1 });
    expect((await book(made.id, 2, { promoCode: 'half' })).body.total.amount).toBe(1999);
  });

  it('places 50 000 seats and sells of them', async () => {
    const seatMap = aSeatMap(50_000);
    const { id: venueId } = await stage.make(owner, '/venues', { name: 'Arena', timeZone: 'Europe/Berlin', seatMap });
    await change('', { venueId }, 1);
    const began = performance.now();
    const rear = await type({ zone: 'rear' });
    console.log(`40 000 seats placed in ${(performance.now() - began).toFixed(0)} ms`);
    await publish();
    expect((await book(rear.id, 4)).body).toMatchObject({ status: 'PENDING', total: { amount: 4000 } });
    expect(await availability()).toMatchObject([{ available: 39_996 }]);
    type Seats = { seats: { id: string; state: string; ticketTypeId: string }[] };
    const { seats } = (await stage.call<Seats>('GET', `/v1/events/${eventId}/seats?fields=id,state`)).body;
    expect(seats.filter((s) => s.state === 'held')).toHaveLength(4);
  }, 90_000);

  it('sells never more while organizers change everything at once', async () => {
    const made = await type({ capacity: 20 });
    await publish();
    const edits = async () => {
      for (let version = 1; version <= 12; version++) {
        await change(`/ticket-types/${made.id}`, { capacity: 20 + (version % 2), name: `T${version}` }, version);
        await stage.make(owner, `/events/${eventId}/promo-codes`, { code: `C${version}`, percent: 1 });
      }
    };
    const buyers = Promise.all(Array.from({ length: 60 }, () => book(made.id, 1)));
    const [replies] = await Promise.all([buyers, edits()]);
    const sold = replies.filter((r) => r.status === 201).length;
    expect(
      replies.every((r) => r.status === 201 || r.body.code === 'sold_out'),
      JSON.stringify(replies.map((r) => r.body.code)),
    ).toBe(true);
    expect(sold).toBeGreaterThanOrEqual(20);
    expect(sold).toBeLessThanOrEqual(21);
    const { rows } = await stage.house.sql.query('SELECT capacity, held, sold FROM booking.inventory WHERE pool_id = $1', [
      made.poolId,
    ]);
    expect(rows[0].held + rows[0].sold).toBe(sold);
  });

  it('ends with its bookings when it is cancelled', async () => {
    const made = await type({ capacity: 5 });
    await publish();
    const { id, accessToken } = (await book(made.id, 1)).body;
    expect((await stage.at(owner, 'POST', `/events/${eventId}/cancel`)).body.status).toBe('cancelled');
    expect((await book(made.id, 1)).body.code).toBe('not_on_sale');
    await until('the booking is cancelled with its event', async () => {
      const { body } = await stage.call<Booking & { cancelReason?: string }>('GET', `/v1/bookings/${id}`, undefined, {
        token: accessToken,
      });
      return body.status === 'CANCELLED' && body.cancelReason === 'event';
    });
  });
});
