// Books that agree say nothing; a row damaged behind their back is named.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { PaymentBooks } from './books.service.js';

describe("payments' books", () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  const differences = async (orgId: string) =>
    (await house.evently.api.get(PaymentBooks, { strict: false }).differences(orgId)).map((d) => `${d.table} ${d.column}`);
  const busy = async () => {
    const first = house.wish();
    const { orgId } = first;
    const cards = [CARD.pays, CARD.declines, CARD.late, CARD.refundFails, CARD.refundLate];
    await house.port.create(first);
    for (const card of cards) {
      const wish = house.wish({ orgId, card });
      const { status } = await house.pay(wish);
      if (status === 'succeeded') await house.port.refund({ ...wish, amount: 900, key: wish.bookingId, reason: 'r' });
    }
    return orgId;
  };

  it('agree at every step: open, refunds asked for, all done', async () => {
    const orgId = await busy();
    expect(await differences(orgId)).toEqual([]);
    await house.work();
    expect(await differences(orgId)).toEqual([]);
    await house.after(4);
    expect(await differences(orgId)).toEqual([]);
    expect(await house.providerHolds(orgId)).toBe(await house.balance(orgId, 'provider'));
  });

  const CAPTURE = `org_id = $1 AND kind = 'capture'`;
  it.each([
    [`UPDATE payments.ledger_entry SET amount = amount + 1 WHERE ${CAPTURE} AND account = 'revenue'`, ['payments.ledger_entry amount']],
    [`UPDATE payments.ledger_entry SET amount = amount * 2 WHERE ${CAPTURE}`, ['payments.payment ledger of provider']],
    [`DELETE FROM payments.ledger_entry WHERE ${CAPTURE}`, ['payments.payment ledger of provider', 'payments.payment capture']],
    [`UPDATE payments.payment SET refunded_amount = 1 WHERE org_id = $1`, ['payments.payment ledger of provider', 'payments.payment refunded_amount', 'payments.test_charge held']],
    [`UPDATE payments.test_charge SET amount = amount - 1 WHERE org_id = $1`, ['payments.test_charge held']],
    [`UPDATE payments.test_charge SET outcome = 'declined' WHERE org_id = $1`, ['payments.test_charge held']],
    [`UPDATE payments.payment SET status = 'declined' WHERE org_id = $1`, ['payments.payment ledger of provider', 'payments.payment capture', 'payments.test_charge held']],
  ])('name what %s did', async (damage, told) => {
    const wish = house.wish();
    await house.pay(wish);
    await house.evently.sql.query(damage, [wish.orgId]);
    expect(await differences(wish.orgId)).toEqual(told);
    expect(await differences(house.wish().orgId)).toEqual([]);
  });
}); // prettier-ignore
