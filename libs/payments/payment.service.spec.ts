// What payments promises to booking: one payment a booking, asked for once, known by its answer, and no card number kept.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { Refusal } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';

describe('payments', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  it('takes the money at once with 4242, and books it', async () => {
    const wish = house.wish();
    const payment = await house.pay(wish);
    expect(payment).toMatchObject({
      status: 'succeeded',
      amount: 2500,
      bookingId: wish.bookingId,
      declineCode: null,
      refundedAmount: 0,
    });
    expect(await house.balance(wish.orgId, 'provider')).toBe(2500);
    expect(await house.balance(wish.orgId, 'revenue')).toBe(-2500);
    expect(await house.providerHolds(wish.orgId)).toBe(2500);
    expect(await house.told(wish.orgId, payment.id)).toEqual(['payment.created', 'payment.succeeded']);
  });

  it.each([CARD.declines, '1234567890120002'])('declines %s, and another payment may follow', async (card) => {
    const wish = house.wish({ card });
    const payment = await house.pay(wish);
    expect(payment).toMatchObject({ status: 'declined', declineCode: 'card_declined' });
    expect(await house.ledger(wish.orgId)).toEqual([]);
    const second = await house.pay({ ...wish, method: { provider: 'test', card: CARD.pays } });
    expect(second.id).not.toBe(payment.id);
    expect(second.status).toBe('succeeded');
    expect((await house.port.ofBooking(wish.orgId, wish.bookingId)).map((p) => p.status)).toEqual(['succeeded', 'declined']);
  });

  it('gives the payment there is when asked again, open or succeeded', async () => {
    const wish = house.wish();
    const first = await house.port.create(wish);
    expect(await house.port.create(wish)).toEqual(first);
    const paid = await house.port.submit(wish.orgId, first.id, wish.method);
    expect(await house.port.create(wish)).toEqual(paid);
    expect(await house.port.submit(wish.orgId, first.id, wish.method)).toEqual(paid);
    await expect(house.port.create({ ...house.wish(wish), amount: 9900 })).resolves.toEqual(paid);
  });

  it('refuses another amount while a payment is under way', async () => {
    const wish = house.wish();
    await house.port.create(wish);
    await expect(house.port.create({ ...wish, amount: 9900 })).rejects.toMatchObject({ code: 'bad_transition', status: 409 });
  });

  it('makes one payment and one charge of twenty requests at once', async () => {
    const wish = house.wish();
    const payments = await Promise.all(Array.from({ length: 20 }, () => house.pay(wish)));
    expect(new Set(payments.map((p) => p.id)).size).toBe(1);
    expect(payments.every((p) => p.status === 'succeeded')).toBe(true);
    expect((await house.ledger(wish.orgId)).filter((r) => r.kind === 'capture' && r.account === 'provider')).toHaveLength(1);
    expect(await house.providerHolds(wish.orgId)).toBe(2500);
  });

  it.each([
    [{ provider: 'test' }, '/paymentMethod/card'],
    [{ provider: 'test', card: '4242' }, '/paymentMethod/card'],
    [{ provider: 'test', card: '4242424242429999' }, '/paymentMethod/card'],
    [{ provider: 'test', card: '4242 4242 4242 4242' }, '/paymentMethod/card'],
    [{ provider: 'gold', card: CARD.pays }, '/paymentMethod/provider'],
  ])('refuses %j with a pointer', async (method, pointer) => {
    const refusal = await house.port.create({ ...house.wish(), method }).catch((e: unknown) => e as Refusal);
    expect(refusal).toBeInstanceOf(Refusal);
    expect(refusal).toMatchObject({ status: 400, code: 'invalid_request', extra: { errors: [{ pointer }] } });
    expect(JSON.stringify(refusal)).not.toContain('4242424242429999');
  });

  it('writes the wish in the transaction of the asker', async () => {
    const wish = house.wish();
    const failed = house.db.transaction(async () => {
      await house.port.create(wish);
      throw new Error('the booking failed');
    });
    await expect(failed).rejects.toThrow('the booking failed');
    expect(await house.port.ofBooking(wish.orgId, wish.bookingId)).toEqual([]);
  });

  it('never calls the provider inside a transaction', async () => {
    const wish = house.wish();
    const { id } = await house.port.create(wish);
    const inside = house.db.transaction(() => house.port.submit(wish.orgId, id, wish.method));
    await expect(inside).rejects.toThrow('inside a transaction');
    await expect(house.db.transaction(() => house.provider.find({ ...wish, paymentId: id }, id))).rejects.toThrow(
      'our transaction',
    );
  });

  it('counts what was asked first when a lost answer is asked for with another card', async () => {
    const wish = house.wish({ card: CARD.declines });
    const { id } = await house.port.create(wish);
    await house.provider.create({ ...wish, paymentId: id }, wish.method, id); // Our process died before it heard the answer.
    const payment = await house.port.submit(wish.orgId, id, { provider: 'test', card: CARD.pays });
    expect(payment).toMatchObject({ status: 'declined', declineCode: 'card_declined' });
  });

  it('names bookings whose payment may still succeed', async () => {
    const { orgId } = house.wish();
    const [created, processing, paid, declined] = [
      house.wish({ orgId }),
      house.wish({ orgId, card: CARD.late }),
      house.wish({ orgId }),
      house.wish({ orgId, card: CARD.declines }),
    ];
    await house.port.create(created);
    await Promise.all([processing, paid, declined].map((w) => house.pay(w)));
    const ids = [created, processing, paid, declined].map((w) => w.bookingId);
    expect(await house.port.openAmong(orgId, [...ids, newId(orgId)])).toEqual(new Set([created.bookingId, processing.bookingId]));
    expect(await house.port.openAmong(orgId, [])).toEqual(new Set());
    expect(await house.port.openAmong(house.wish().orgId, ids)).toEqual(new Set());
  });

  it('keeps no card number anywhere', async () => {
    const card = '9876543210984242';
    const wish = house.wish({ card });
    await house.pay(wish);
    await house.work();
    const { rows: tables } = await house.evently.sql.query<{ name: string }>(
      `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      const { rows } = await house.evently.sql.query(`SELECT 1 FROM ${name} t WHERE t::text LIKE $1`, [`%${card}%`]);
      expect(rows, `${name} holds a card number`).toEqual([]);
    }
  });

  it('lists them for nobody without a token', async () => {
    const { orgId } = house.wish();
    const reply = await house.evently.call<{ code: string }>('GET', `/v1/organizations/${orgId}/payments`);
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });
});
