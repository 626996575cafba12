// Refunds: one for each key, never more than was paid, brought to the provider until it answers, and booked.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { PATIENCE_SECONDS } from './payment.rules.js';
import { ProviderError } from './provider.client.js';

const away = () => new ProviderError('unreachable', true, 'connection refused');

describe('refunds', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());
  afterEach(() => vi.restoreAllMocks());

  const paid = async (card = CARD.pays) => {
    const wish = house.wish({ card });
    return { ...wish, payment: await house.pay(wish) };
  };
  const give = (of: { orgId: string; bookingId: string }, amount: number, key: string) =>
    house.port.refund({ orgId: of.orgId, bookingId: of.bookingId, amount, key, reason: 'Sorry, Ada' });
  const refunds = async (orgId: string) =>
    (
      await house.evently.sql.query<{ key: string; amount: number; status: string; failure_code: string | null }>(
        'SELECT key, amount, status, failure_code FROM payments.refund WHERE org_id = $1 ORDER BY id',
        [orgId],
      )
    ).rows;
  const provider = async (orgId: string) =>
    (await house.evently.sql.query('SELECT amount, outcome FROM payments.test_refund WHERE org_id = $1', [orgId])).rows;

  it('gives a part back, then the rest', async () => {
    const of = await paid();
    await give(of, 1000, 'part');
    expect(await house.balance(of.orgId, 'buyer')).toBe(-1000); // Promised, not yet given.
    expect(await house.work()).toBeGreaterThanOrEqual(2);
    expect(await house.payment(of.orgId, of.payment.id)).toMatchObject({ status: 'succeeded', refunded_amount: 1000 });
    await give(of, 1500, 'rest');
    await house.work();
    expect(await house.payment(of.orgId, of.payment.id)).toMatchObject({ status: 'refunded', refunded_amount: 2500 });
    for (const account of ['provider', 'buyer']) expect(await house.balance(of.orgId, account)).toBe(0);
    expect(await house.balance(of.orgId, 'revenue')).toBe(-2500);
    expect(await house.balance(of.orgId, 'refunds')).toBe(2500);
    expect(await house.providerHolds(of.orgId)).toBe(0);
    const part = ['payment.refund-requested', 'payment.refunded'];
    expect(await house.told(of.orgId, of.payment.id)).toEqual(['payment.created', 'payment.succeeded', ...part, ...part]);
  });

  it('makes one refund of one key, before and after it was given', async () => {
    const of = await paid();
    await Promise.all(Array.from({ length: 8 }, () => give(of, 2500, 'all')));
    await give(of, 2500, 'all');
    await house.work();
    await give(of, 2500, 'all');
    await house.work();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded', amount: 2500 }]);
    expect(await provider(of.orgId)).toHaveLength(1);
  });

  it('does not take one key for two refunds', async () => {
    const of = await paid();
    await give(of, 100, 'k');
    await expect(give(of, 200, 'k')).rejects.toThrow('used for another refund');
  });

  it('never promises more than was paid, also when asked at once', async () => {
    const of = await paid();
    const asked = await Promise.allSettled(Array.from({ length: 6 }, (_, i) => give(of, 1000, `k${i}`)));
    expect(asked.filter((a) => a.status === 'fulfilled')).toHaveLength(2);
    for (const a of asked) if (a.status === 'rejected') expect(a.reason).toMatchObject({ code: 'bad_transition' });
    await house.work();
    await expect(give(of, 501, 'more')).rejects.toMatchObject({ code: 'bad_transition' });
    await give(of, 500, 'last');
    await house.work();
    expect(await house.payment(of.orgId, of.payment.id)).toMatchObject({ status: 'refunded' });
  });

  it('refuses where nothing was paid, and has nothing to do for 0', async () => {
    const wish = house.wish({ card: CARD.declines });
    await house.pay(wish);
    await expect(give(wish, 100, 'k')).rejects.toMatchObject({ code: 'bad_transition' });
    await expect(give(house.wish(), 100, 'k')).rejects.toMatchObject({ code: 'bad_transition' });
    const open = house.wish({ card: CARD.late });
    await house.pay(open);
    await expect(give(open, 100, 'k')).rejects.toMatchObject({ code: 'bad_transition' });
    await give(wish, 0, 'k');
    expect(await refunds(wish.orgId)).toEqual([]);
  });

  it('is wished for in the transaction of the asker', async () => {
    const of = await paid();
    const failed = house.db.transaction(async () => {
      await give(of, 2500, 'all');
      throw new Error('the cancellation failed');
    });
    await expect(failed).rejects.toThrow('the cancellation failed');
    expect(await refunds(of.orgId)).toEqual([]);
    expect(await house.balance(of.orgId, 'buyer')).toBe(0);
  });

  it('comes back while the provider is away', async () => {
    const of = await paid();
    const spy = vi.spyOn(house.provider, 'refund').mockRejectedValue(away());
    await give(of, 2500, 'all');
    await house.work();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'requested' }]);
    expect(spy).toHaveBeenCalledTimes(3);
    spy.mockRestore();
    await house.after(2);
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('gives back once although the yes was lost with its process', async () => {
    const of = await paid();
    const real = house.provider.refund.bind(house.provider);
    vi.spyOn(house.provider, 'refund').mockImplementationOnce(async (...args) => {
      await real(...args);
      throw new Error('killed');
    });
    await give(of, 2500, 'all');
    await house.work();
    await house.after(2);
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded' }]);
    expect(await provider(of.orgId)).toHaveLength(1);
    expect(await house.balance(of.orgId, 'provider')).toBe(0);
  });

  it('is settled by the reconciler when its job is gone', async () => {
    const of = await paid();
    await give(of, 2500, 'all');
    await house.evently.sql.query('DELETE FROM platform.job WHERE org_id = $1', [of.orgId]);
    await house.evently.shiftClock(PATIENCE_SECONDS + 1);
    await house.processor.settleOverdue();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('is told when it fails, and may be asked for again', async () => {
    const of = await paid(CARD.refundFails);
    await give(of, 2500, 'all');
    await house.work();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'failed', failure_code: 'account_closed' }]);
    expect(await house.told(of.orgId, of.payment.id)).toContain('payment.refund-failed');
    expect(await house.balance(of.orgId, 'provider')).toBe(2500);
    expect(await house.balance(of.orgId, 'refunds')).toBe(0);
    await give(of, 2500, 'again');
    await house.work();
    expect(await refunds(of.orgId)).toHaveLength(2);
  });

  it('fails when the provider finally refuses it', async () => {
    const of = await paid();
    vi.spyOn(house.provider, 'refund').mockRejectedValue(new ProviderError('charge_disputed', false, 'no'));
    await give(of, 2500, 'all');
    await house.work();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'failed', failure_code: 'charge_disputed' }]);
  });

  it('waits for the webhook of one that takes a while', async () => {
    const of = await paid(CARD.refundLate);
    await give(of, 2500, 'all');
    await house.work();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'processing' }]);
    await house.after(1);
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded' }]);
    expect(await house.told(of.orgId, of.payment.id)).toEqual([
      'payment.created', 'payment.succeeded', 'payment.refund-requested', 'payment.refund-processing', 'payment.refunded',
    ]); // prettier-ignore
  });

  it('asks after one whose webhook never came', async () => {
    const of = await paid(CARD.refundLate);
    await give(of, 2500, 'all');
    await house.work();
    await house.evently.sql.query('DELETE FROM platform.job WHERE org_id = $1', [of.orgId]);
    await house.evently.shiftClock(PATIENCE_SECONDS + 1);
    await house.processor.settleOverdue();
    expect(await refunds(of.orgId)).toMatchObject([{ status: 'succeeded' }]);
  });

  it('keeps its reason out of the domain events', async () => {
    const of = await paid();
    await give(of, 2500, 'all');
    const { rows } = await house.evently.sql.query('SELECT data::text AS data FROM platform.event WHERE org_id = $1', [of.orgId]);
    expect(JSON.stringify(rows)).toContain('payments.refund');
    expect(JSON.stringify(rows)).not.toContain('Ada');
  });
});
