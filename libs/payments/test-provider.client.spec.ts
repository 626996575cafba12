// The test provider as any provider must be: one answer for one key, no other wish under it, never more back than was taken.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { newId, newOrgId } from '../kernel/ids.js';

describe('the test provider', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  const charge = (amount = 2500) => {
    const orgId = newOrgId();
    return { orgId, paymentId: newId(orgId), amount, currency: 'EUR' };
  };
  const method = (card: string) => ({ provider: 'test', card });
  const refundOf = (c: ReturnType<typeof charge>, amount: number) => ({ ...c, refundId: newId(c.orgId), amount });

  it('gives the first answer again for the same key and wish, also once it is settled', async () => {
    const c = charge();
    const first = await house.provider.create(c, method(CARD.late), c.paymentId);
    expect(first.status).toBe('processing');
    await house.evently.shiftClock(5);
    expect(await house.provider.create(c, method(CARD.late), c.paymentId)).toEqual(first);
    expect(await house.provider.find(c, c.paymentId)).toEqual({ ...first, status: 'succeeded' });
    expect(await house.provider.cancel(c, c.paymentId)).toEqual({ ...first, status: 'succeeded' }); // Too late to give it up.
  });

  it('refuses another wish under the same key', async () => {
    const c = charge();
    await house.provider.create(c, method(CARD.pays), c.paymentId);
    const reused = { name: 'ProviderError', code: 'key_reused', retryable: false };
    await expect(house.provider.create({ ...c, amount: 2501 }, method(CARD.pays), c.paymentId)).rejects.toMatchObject(reused);
    await expect(house.provider.create({ ...c, currency: 'USD' }, method(CARD.pays), c.paymentId)).rejects.toMatchObject(reused);
    await expect(house.provider.create(c, method('5555555555554242'), c.paymentId)).rejects.toMatchObject(reused);
    const r = refundOf(c, 100);
    await house.provider.refund(r, r.refundId);
    await expect(house.provider.refund({ ...r, amount: 101 }, r.refundId)).rejects.toMatchObject(reused);
  });

  it('makes one charge of twenty requests with one key', async () => {
    const c = charge();
    const answers = await Promise.all(Array.from({ length: 20 }, () => house.provider.create(c, method(CARD.pays), c.paymentId)));
    expect(new Set(answers.map((a) => a.chargeId)).size).toBe(1);
    expect(await house.providerHolds(c.orgId)).toBe(2500);
  });

  it('gives back once for a key, and never more than it took', async () => {
    const c = charge(1000);
    await house.provider.create(c, method(CARD.pays), c.paymentId);
    const first = refundOf(c, 600);
    const answers = await Promise.all(Array.from({ length: 8 }, () => house.provider.refund(first, first.refundId)));
    expect(new Set(answers.map((a) => a.status))).toEqual(new Set(['succeeded']));
    const more = refundOf(c, 401);
    await expect(house.provider.refund(more, more.refundId)).rejects.toMatchObject({
      code: 'amount_too_large',
      retryable: false,
    });
    const both = [refundOf(c, 400), refundOf(c, 400)];
    const asked = await Promise.allSettled(both.map((r) => house.provider.refund(r, r.refundId)));
    expect(asked.map((a) => a.status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await house.providerHolds(c.orgId)).toBe(0);
  });

  it.each([CARD.declines, CARD.late])('gives nothing back of %s, which did not pay', async (card) => {
    const c = charge();
    await house.provider.create(c, method(card), c.paymentId);
    const r = refundOf(c, 1);
    await expect(house.provider.refund(r, r.refundId)).rejects.toMatchObject({ code: 'charge_not_refundable' });
  });

  it('keeps the books of organizations apart', async () => {
    const [one, two] = [charge(), charge()];
    await house.provider.create(one, method(CARD.pays), one.paymentId);
    expect(await house.provider.find({ ...two, paymentId: one.paymentId }, one.paymentId)).toBeNull();
    const r = { ...refundOf(two, 1), paymentId: one.paymentId };
    await expect(house.provider.refund(r, r.refundId)).rejects.toMatchObject({ code: 'charge_not_refundable' });
  });
});
