// Crash points: the process dies, or the provider does not answer, between our wish, the provider's yes and our record of it.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { ProviderError } from './provider.client.js';
import { PATIENCE_SECONDS } from './payment.rules.js';

const away = () => new ProviderError('unreachable', true, 'connection reset');
/** What a SIGKILL leaves behind: nothing of ours after this point was done. */
const killed = () => new Error('killed');

describe('reconciling', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());
  afterEach(() => vi.restoreAllMocks());

  const wait = async (seconds = PATIENCE_SECONDS + 1) => {
    await house.evently.shiftClock(seconds);
    await house.processor.settleOverdue();
  };
  /** The provider commits, and then nobody hears of it. */
  const commitsThenThrows = (method: 'create' | 'refund', error: () => Error, times: number) => {
    const real = house.provider[method].bind(house.provider) as (...a: unknown[]) => Promise<never>;
    const spy = vi.spyOn(house.provider, method);
    for (let n = 0; n < times; n++) {
      spy.mockImplementationOnce(async (...args: unknown[]) => {
        await real(...args);
        throw error();
      });
    }
    return spy;
  };
  const charges = async (orgId: string) =>
    (await house.evently.sql.query('SELECT outcome, code FROM payments.test_charge WHERE org_id = $1', [orgId])).rows;

  it('gives up at the provider what was never submitted, so that a late submit takes no money', async () => {
    const wish = house.wish();
    const { id } = await house.port.create(wish);
    await house.processor.settleOverdue();
    expect((await house.payment(wish.orgId, id)).status).toBe('created'); // Not yet: it may be on its way.
    await wait();
    expect(await house.payment(wish.orgId, id)).toMatchObject({ status: 'declined', decline_code: 'abandoned' });
    const late = await house.provider.create({ ...wish, paymentId: id }, wish.method, id);
    expect(late).toMatchObject({ status: 'declined', code: 'abandoned' });
    expect(await house.providerHolds(wish.orgId)).toBe(0);
    expect((await house.pay(wish)).status).toBe('succeeded'); // A new payment of the same booking.
  });

  it('does not call it a declined card when a submit comes after it was given up', async () => {
    const wish = house.wish();
    const { id } = await house.port.create(wish);
    const real = house.provider.create.bind(house.provider);
    vi.spyOn(house.provider, 'create').mockImplementationOnce(async (...args) => {
      await wait(); // A very slow way to the provider.
      return real(...args);
    });
    await expect(house.port.submit(wish.orgId, id, wish.method)).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    expect((await house.pay(wish)).status).toBe('succeeded');
    expect(await house.providerHolds(wish.orgId)).toBe(2500);
  });

  it('records a yes that was lost with its process', async () => {
    const wish = house.wish();
    commitsThenThrows('create', killed, 1);
    await expect(house.pay(wish)).rejects.toThrow('killed');
    const [open] = await house.port.ofBooking(wish.orgId, wish.bookingId);
    expect(open.status).toBe('created');
    await wait();
    const [settled] = await house.port.ofBooking(wish.orgId, wish.bookingId);
    expect(settled).toMatchObject({ id: open.id, status: 'succeeded' });
    expect(await house.balance(wish.orgId, 'provider')).toBe(await house.providerHolds(wish.orgId));
    expect(await charges(wish.orgId)).toHaveLength(1);
  });

  it('records a no that was lost with its process', async () => {
    const wish = house.wish({ card: CARD.declines });
    commitsThenThrows('create', killed, 1);
    await expect(house.pay(wish)).rejects.toThrow('killed');
    await wait();
    expect(await house.port.ofBooking(wish.orgId, wish.bookingId)).toMatchObject([
      { status: 'declined', declineCode: 'card_declined' },
    ]);
  });

  it('charges once when the client asks again after a crash', async () => {
    const wish = house.wish();
    commitsThenThrows('create', killed, 1);
    await expect(house.pay(wish)).rejects.toThrow('killed');
    expect((await house.pay(wish)).status).toBe('succeeded');
    expect(await charges(wish.orgId)).toEqual([{ outcome: 'succeeded', code: null }]);
    expect(await house.ledger(wish.orgId)).toHaveLength(2);
  });

  it('tries again with back-off while the provider is away, and charges once', async () => {
    const wish = house.wish();
    const spy = commitsThenThrows('create', away, 2);
    expect((await house.pay(wish)).status).toBe('succeeded');
    expect(spy).toHaveBeenCalledTimes(3);
    expect(await charges(wish.orgId)).toHaveLength(1);
  });

  it('says 503 when the provider stays away, and settles what became of it later', async () => {
    const wish = house.wish();
    vi.spyOn(house.provider, 'create').mockRejectedValue(away());
    vi.spyOn(house.provider, 'cancel').mockRejectedValueOnce(away());
    await expect(house.pay(wish)).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await wait();
    expect((await house.port.ofBooking(wish.orgId, wish.bookingId))[0].status).toBe('created');
    await house.processor.settleOverdue(); // Not due again yet.
    expect((await house.port.ofBooking(wish.orgId, wish.bookingId))[0].status).toBe('created');
    await wait();
    expect((await house.port.ofBooking(wish.orgId, wish.bookingId))[0]).toMatchObject({
      status: 'declined',
      declineCode: 'abandoned',
    });
  });

  it('declines what the provider finally refuses', async () => {
    const wish = house.wish();
    const spy = vi.spyOn(house.provider, 'create').mockRejectedValue(new ProviderError('account_suspended', false, 'no'));
    expect(await house.pay(wish)).toMatchObject({ status: 'declined', declineCode: 'account_suspended' });
    expect(spy).toHaveBeenCalledTimes(1);
  });

  it('asks after a webhook that never came', async () => {
    const wish = house.wish({ card: CARD.late });
    const { id } = await house.pay(wish);
    await wait();
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
    await house.work(); // It comes after all.
    expect((await house.ledger(wish.orgId)).filter((r) => r.account === 'provider')).toHaveLength(1);
  });

  it('lets go of a processing payment its provider no longer knows', async () => {
    const wish = house.wish({ card: CARD.late });
    const { id } = await house.pay(wish);
    await house.evently.sql.query('DELETE FROM payments.test_charge WHERE org_id = $1', [wish.orgId]);
    await wait();
    expect((await house.payment(wish.orgId, id)).status).toBe('declined');
  });

  it('asks once although three workers tick at once', async () => {
    const wishes = Array.from({ length: 12 }, () => house.wish());
    for (const wish of wishes) await house.port.create(wish);
    await house.evently.shiftClock(PATIENCE_SECONDS + 1);
    const spy = vi.spyOn(house.provider, 'cancel');
    await Promise.all([1, 2, 3].map(() => house.processor.settleOverdue()));
    const asked = spy.mock.calls.map(([charge]) => charge.orgId);
    for (const { orgId, bookingId } of wishes) {
      expect(asked.filter((o) => o === orgId)).toHaveLength(1);
      expect((await house.port.ofBooking(orgId, bookingId))[0].status).toBe('declined');
    }
    const { rows } = await house.evently.sql.query('SELECT count(*)::int AS left FROM payments.watch WHERE org_id = ANY($1)', [
      asked,
    ]);
    expect(rows).toEqual([{ left: 0 }]);
  });

  it('asks after newer ones although many older ones are stuck', async () => {
    const stuck = Array.from({ length: 25 }, () => house.wish());
    for (const wish of stuck) await house.port.create(wish);
    const spy = vi.spyOn(house.provider, 'cancel').mockRejectedValue(away());
    await wait();
    expect(spy.mock.calls.length).toBeGreaterThanOrEqual(25);
    spy.mockRestore();
    await house.evently.sql.query(`UPDATE payments.watch SET due_at = platform.now() + interval '1 hour'`);
    const fresh = house.wish();
    await house.port.create(fresh);
    await wait();
    expect((await house.port.ofBooking(fresh.orgId, fresh.bookingId))[0].status).toBe('declined');
    expect((await house.port.ofBooking(stuck[0].orgId, stuck[0].bookingId))[0].status).toBe('created');
    await house.evently.sql.query('DELETE FROM payments.watch');
    await house.processor.settleOverdue();
    expect((await house.port.ofBooking(stuck[24].orgId, stuck[24].bookingId))[0].status).toBe('declined');
  });

  it('gives back money that came for a payment given up, while another one counts', async () => {
    const wish = house.wish();
    const first = await house.port.create(wish);
    await wait();
    const second = await house.pay(wish);
    const answer = { status: 'succeeded' as const, chargeId: 'ch', amount: 2500, currency: 'EUR', code: null };
    expect(await house.settlement.take({ orgId: wish.orgId, paymentId: first.id }, answer)).toBe('applied');
    expect(await house.payment(wish.orgId, first.id)).toMatchObject({ status: 'succeeded', surplus: true });
    expect(await house.told(wish.orgId, first.id)).toEqual([
      'payment.created', 'payment.declined', 'payment.surplus', 'payment.refund-requested',
    ]); // prettier-ignore
    const { rows } = await house.evently.sql.query('SELECT key, amount, status FROM payments.refund WHERE org_id = $1', [
      wish.orgId,
    ]);
    expect(rows).toEqual([{ key: `surplus:${first.id}`, amount: 2500, status: 'requested' }]);
    expect(await house.balance(wish.orgId, 'buyer')).toBe(-2500); // Owed, and no revenue.
    expect(await house.balance(wish.orgId, 'revenue')).toBe(-2500);
    expect((await house.port.ofBooking(wish.orgId, wish.bookingId)).map((p) => p.id)).toContain(second.id);
  });

  it('takes money that came for a payment given up when no other one counts', async () => {
    const wish = house.wish();
    const first = await house.port.create(wish);
    await wait();
    const answer = { status: 'succeeded' as const, chargeId: 'ch', amount: 2500, currency: 'EUR', code: null };
    await house.settlement.take({ orgId: wish.orgId, paymentId: first.id }, answer);
    expect(await house.payment(wish.orgId, first.id)).toMatchObject({ status: 'succeeded', surplus: false });
    expect(await house.told(wish.orgId, first.id)).toContain('payment.succeeded');
    await expect(house.port.create(wish)).resolves.toMatchObject({ id: first.id, status: 'succeeded' });
  });
});
