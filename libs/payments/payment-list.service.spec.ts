// What organizers see of their payments: their own, newest first, with refunds; another organization's never.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { apiKey, organizationOf, person, refused } from '../../test/people.js';
import { newGlobalId, newId, newOrgId } from '../kernel/ids.js';
import type { Principal, Role } from '../kernel/principal.js';
import { runAs } from '../platform/db/ambient.js';
import type { PaymentsQuery } from './payments.dto.js';
import { PaymentsController } from './payments.controller.js';

describe('the list of payments', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  const list = (principal: Principal, orgId: string, query: Partial<PaymentsQuery> = {}) =>
    runAs({ principal }, () => house.evently.api.get(PaymentsController).list(orgId, { limit: 50, ...query }));
  const member = (orgId: string, role: Role): Principal => ({
    kind: 'account',
    accountId: newGlobalId(),
    sessionId: newGlobalId(),
    roles: { [orgId]: role },
  });
  const key = (orgId: string, ...scopes: string[]): Principal => ({ kind: 'apiKey', apiKeyId: newId(orgId), orgId, scopes });

  it('shows a payment with what was given back of it', async () => {
    const wish = house.wish({ card: CARD.pays });
    const { id } = await house.pay(wish);
    await house.port.refund({ ...wish, amount: 700, key: 'k', reason: 'Rain' });
    await house.work();
    const { items, nextCursor } = await list(member(wish.orgId, 'staff'), wish.orgId);
    expect(nextCursor).toBeNull();
    const money = (amount: number) => ({ amount, currency: 'EUR' });
    expect(JSON.parse(JSON.stringify(items))).toEqual([
      {
        id, bookingId: wish.bookingId, provider: 'test', amount: money(2500), status: 'succeeded', declineCode: null,
        refunded: money(700), surplus: false, createdAt: expect.stringMatching(/Z$/), version: 3,
        refunds: [{
          id: expect.any(String), amount: money(700), status: 'succeeded', reason: 'Rain', failureCode: null,
          createdAt: expect.stringMatching(/Z$/),
        }],
      },
    ]); // prettier-ignore
  });

  it('is asked for over HTTP by a member, and by nobody else', async () => {
    const { evently } = house;
    const [owner, stranger] = [await person(evently), await person(evently)];
    const orgId = await organizationOf(evently, owner);
    const { bookingId } = await house.pay(house.wish({ orgId }));
    const path = `/v1/organizations/${orgId}/payments?bookingId=${bookingId}&limit=5`;
    const get = (token: string, at = path) => evently.call('GET', at, undefined, { token });
    expect(await get(owner.accessToken)).toMatchObject({
      status: 200,
      body: { items: [{ bookingId, status: 'succeeded' }], nextCursor: null },
    });
    expect((await get(await apiKey(evently, owner, orgId, ['bookings:read']))).status).toBe(200);
    expect(refused(await get(await apiKey(evently, owner, orgId, ['events:write'])))).toEqual([403, 'forbidden']);
    expect(refused(await get(stranger.accessToken))).toEqual([404, 'not_found']);
    expect((await evently.call('GET', path)).status).toBe(401);
    for (const query of ['bookingId=1', 'limit=0', 'limit=201', 'cursor=x', 'else=1'])
      expect((await get(owner.accessToken, `/v1/organizations/${orgId}/payments?${query}`)).status, query).toBe(400);
  });

  it('goes page by page, and by booking', async () => {
    const orgId = newOrgId();
    const wishes = Array.from({ length: 5 }, () => house.wish({ orgId }));
    for (const wish of wishes) await house.pay(wish);
    const owner = member(orgId, 'owner');
    const seen: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await list(owner, orgId, { limit: 2, cursor });
      seen.push(...page.items.map((p) => p.bookingId));
      if (!page.nextCursor) break;
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(wishes.map((w) => w.bookingId).toReversed());
    const { items } = await list(owner, orgId, { bookingId: wishes[1].bookingId });
    expect(items.map((p) => p.bookingId)).toEqual([wishes[1].bookingId]);
    await expect(list(owner, orgId, { cursor: Buffer.from('["x"]').toString('base64url') })).rejects.toMatchObject({
      status: 400,
    });
  });

  it('takes an API key that may read bookings', async () => {
    const { orgId } = house.wish();
    for (const scope of ['bookings:read', 'bookings:write', '*'])
      await expect(list(key(orgId, scope), orgId)).resolves.toBeDefined();
    await expect(list(key(orgId, 'events:write'), orgId)).rejects.toMatchObject({ status: expect.toBeOneOf([403, 404]) });
  });

  it('does not know another organization, nor its bookings', async () => {
    const theirs = house.wish();
    await house.pay(theirs);
    const orgId = newOrgId();
    await expect(list(member(orgId, 'owner'), theirs.orgId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(list(key(orgId, '*'), theirs.orgId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(list({ kind: 'guest', subjectId: theirs.bookingId }, theirs.orgId)).rejects.toMatchObject({ code: 'not_found' });
    expect((await list(member(orgId, 'owner'), orgId, { bookingId: theirs.bookingId })).items).toEqual([]);
  });
});
