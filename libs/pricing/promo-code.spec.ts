// Promo codes over HTTP, and what bookings of their event then cost.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { anEvent, Stage, ToldStock, type Caller } from '../../test/catalog.stage.js';
import { CatalogPort } from '../catalog/catalog.port.js';
import { PricingPort } from './pricing.port.js';

describe('promo codes', () => {
  let stage: Stage;
  let owner: Caller;
  let eventId: string;
  let path: string;
  beforeAll(async () => {
    stage = await Stage.open();
    owner = await stage.owner();
  });
  afterAll(() => stage?.close());
  beforeEach(async () => {
    eventId = (await stage.make(owner, '/events', anEvent())).id;
    path = `/events/${eventId}/promo-codes`;
    ToldStock.told.length = 0;
  });

  const tried = (body: Record<string, unknown>) => stage.at(owner, 'POST', path, { code: 'EARLY', ...body });

  it('are made with a percentage or an amount, and revise their event', async () => {
    const limits = { maxUses: 100, maxPerPerson: 1, from: '2027-01-01T00:00:00.000Z', until: '2027-02-01T00:00:00.000Z' };
    const percent = await tried({ percent: 12.5, ...limits });
    expect(percent).toMatchObject({ status: 201, body: { code: 'EARLY', percent: 12.5, amount: null, ...limits, version: 1 } });
    expect(ToldStock.told).toMatchObject([{ call: 'eventRevised', eventId, revision: 2 }]);
    const plain = await tried({ code: 'A', amount: 500 });
    const money = await tried({ code: 'B', amount: { amount: 500, currency: 'EUR' } });
    for (const made of [plain, money])
      expect(made.body).toMatchObject({ percent: null, amount: 500, currency: 'EUR', maxUses: null });
    expect((await stage.at(owner, 'GET', `${path}/${plain.body.id}`)).body).toEqual(plain.body);
    type Page = { items: { code: string }[]; nextCursor: string | null };
    const first = (await stage.at<Page>(owner, 'GET', `${path}?limit=2`)).body;
    const rest = (await stage.at<Page>(owner, 'GET', `${path}?limit=2&cursor=${first.nextCursor}`)).body;
    expect([...first.items, ...rest.items].map((p) => p.code)).toEqual(['EARLY', 'A', 'B']);
  });

  const wrong: [string, Record<string, unknown>, string][] = [
    ['have no discount', {}, ''],
    ['have two', { percent: 1, amount: 1 }, ''],
    ['take nothing', { percent: 0 }, '/percent'],
    ['take more than all', { percent: 100.5 }, '/percent'],
    ['take thousandths', { percent: 1.125 }, '/percent'],
    ['take nothing off', { amount: 0 }, '/amount'],
    ['give', { amount: -5 }, '/amount'],
    ['take half a cent', { amount: 0.5 }, '/amount'],
    ['take text', { amount: '5' }, '/amount'],
    ['take money with more', { amount: { amount: 1, currency: 'EUR', tip: 1 } }, '/amount'],
    ['take other money', { amount: { amount: 1, currency: 'USD' } }, '/amount/currency'],
    ['end first', { percent: 1, from: '2027-02-01T00:00:00Z', until: '2027-02-01T00:00:00Z' }, '/until'],
    ['can never be used', { percent: 1, maxUses: 0 }, '/maxUses'],
    ['have blanks', { code: 'A B', percent: 1 }, '/code'],
    ['have no code', { code: '', percent: 1 }, '/code'],
  ];
  it.each(wrong)('are none that %s', async (_, body, pointer) => {
    expect(await tried(body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  });

  it('are unique within an event without case, also when made at once, until archived', async () => {
    const all = await Promise.all(['Early', 'EARLY', 'early', 'eArLy'].map((code) => tried({ code, percent: 10 })));
    expect(all.map((r) => r.status).sort()).toEqual([201, 409, 409, 409]);
    expect(all.find((r) => r.status === 409)?.body.code).toBe('slug_taken');
    const other = await stage.make(owner, '/events', anEvent());
    expect(await stage.make(owner, `/events/${other.id}/promo-codes`, { code: 'EARLY', percent: 10 })).toBeTruthy();
    const { id } = all.find((r) => r.status === 201)!.body;
    expect((await stage.at(owner, 'DELETE', `${path}/${id}`)).status).toBe(204);
    expect((await stage.at(owner, 'DELETE', `${path}/${id}`)).status).toBe(404);
    expect((await stage.at(owner, 'GET', `${path}/${id}`)).status).toBe(404);
    expect((await tried({ percent: 20 })).status).toBe(201);
  });

  it('change by version', async () => {
    const { id } = (await tried({ percent: 10, maxUses: 5 })).body;
    const at = `${path}/${id}`;
    expect((await stage.at(owner, 'PATCH', at, { maxUses: 6 })).status).toBe(428);
    const changed = await stage.at(owner, 'PATCH', at, { amount: 300, until: '2027-03-01T00:00:00Z' }, { ifMatch: 1 });
    expect(changed.body).toMatchObject({ percent: null, amount: 300, maxUses: 5, version: 2 });
    expect((await stage.at(owner, 'PATCH', at, { maxUses: null }, { ifMatch: 1 })).status).toBe(412);
    expect((await stage.at(owner, 'PATCH', at, { maxUses: null }, { ifMatch: 2 })).body).toMatchObject({
      maxUses: null,
      amount: 300,
    });
    expect((await stage.at(owner, 'PATCH', at, { amount: null }, { ifMatch: 3 })).status).toBe(400);
    expect((await stage.at(owner, 'PATCH', at, { code: 'OTHER' }, { ifMatch: 3 })).body.errors?.[0].pointer).toBe('/code');
    await stage.at(owner, 'POST', `/events/${eventId}/cancel`);
    expect((await stage.at(owner, 'PATCH', at, { percent: 5 }, { ifMatch: 3 })).body.code).toBe('bad_transition');
  });

  it('lower the price of a booking while they last', async () => {
    const type = async (name: string, amount: number) =>
      (await stage.make(owner, `/events/${eventId}/ticket-types`, { name, price: { amount, currency: 'EUR' }, capacity: 10 })).id;
    const [adult, child] = [await type('Adult', 2500), await type('Child', 999)];
    await tried({
      code: 'Ten',
      percent: 10,
      maxUses: 7,
      maxPerPerson: 2,
      from: '2027-01-01T00:00:00Z',
      until: '2027-02-01T00:00:00Z',
    });
    await tried({ code: 'FIVER', amount: 500 });
    await stage.at(owner, 'POST', `/events/${eventId}/publish`);
    const event = (await stage.house.api.get(CatalogPort).eventForSale(owner.orgId, eventId))!;
    const lines = [
      { ticketTypeId: adult, quantity: 2 },
      { ticketTypeId: child, quantity: 1 },
    ];
    const at = (text: string) => new Date(text);
    const within = at('2027-01-15T00:00:00Z');
    const price = async (code?: string, now = within) => {
      const pricing = stage.house.api.get(PricingPort);
      return code === undefined ? pricing.listPrice(event, lines) : pricing.price(event, lines, code, now);
    };

    expect(await price()).toMatchObject({ total: 5999, promo: null, lines: [{ unitPrice: 2500, total: 5000 }, { total: 999 }] });
    const ten = await price(' tEN ');
    expect(ten).toMatchObject({ total: 5399, lines: [{ total: 4500 }, { total: 899 }], promo: { maxUses: 7, maxPerPerson: 2 } });
    const fiver = await price('fiver');
    expect(fiver.total).toBe(5499);
    expect(fiver.lines.map((l) => l.total)).toEqual([4583, 916]);

    const refused = { code: 'invalid_request', extra: { errors: [{ pointer: '/promoCode' }] } };
    await expect(price('nope')).rejects.toMatchObject(refused);
    await expect(price('')).rejects.toMatchObject(refused);
    await expect(price('ten', at('2026-12-31T23:59:59.999Z'))).rejects.toMatchObject(refused);
    expect((await price('ten', at('2027-01-01T00:00:00Z'))).total).toBe(5399);
    await expect(price('ten', at('2027-02-01T00:00:00Z'))).rejects.toMatchObject(refused);
    const unknown = [{ ticketTypeId: eventId, quantity: 1 }];
    const nothing = { extra: { errors: [{ pointer: '/items/0/ticketTypeId' }] } };
    const pricing = stage.house.api.get(PricingPort);
    await expect(Promise.resolve().then(() => pricing.listPrice(event, unknown))).rejects.toMatchObject(nothing);
    await expect(pricing.price(event, unknown, 'ten', within)).rejects.toMatchObject(nothing);
  });
});
