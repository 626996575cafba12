// Pools, ticket types and checkout fields over HTTP: what the stock is told, in which order, and what cannot be.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aSeatMap, anEvent, Stage, ToldStock, type Caller } from '../../test/catalog.stage.js';

describe('what an event sells', () => {
  let stage: Stage;
  let owner: Caller;
  let path: string;
  let eventId: string;
  beforeAll(async () => {
    stage = await Stage.open();
    owner = await stage.owner();
  });
  afterAll(() => stage?.close());
  beforeEach(async () => {
    const venue = await stage.make(owner, '/venues', { name: 'Hall', timeZone: 'Europe/Berlin', seatMap: aSeatMap(100) });
    eventId = (await stage.make(owner, '/events', anEvent({ venueId: venue.id }))).id;
    path = `/events/${eventId}`;
    ToldStock.told.length = 0;
  });

  const price = { amount: 2500, currency: 'EUR' };
  const told = () => ToldStock.told.map((t) => t.call);
  const type = (body: Record<string, unknown>) => stage.make(owner, `${path}/ticket-types`, { name: 'T', price, ...body });
  const tryType = (body: Record<string, unknown>) =>
    stage.at(owner, 'POST', `${path}/ticket-types`, { name: 'T', price, ...body });

  it('is a type with a pool of its own', async () => {
    const made = await type({ capacity: 50, maxPerBooking: 4 });
    expect(made).toMatchObject({
      kind: 'general',
      capacity: 50,
      maxPerBooking: 4,
      price,
      position: 0,
      version: 1,
      accessCode: null,
    });
    expect(ToldStock.told).toMatchObject([
      { call: 'poolCreated', eventId, poolId: made.poolId, capacity: 50 },
      { call: 'eventRevised', revision: 2 },
    ]);
    expect((await type({ capacity: 1 })).position).toBe(1);
    const both = await Promise.all([1, 2, 3, 4].map(() => type({ capacity: 1 })));
    expect(both.map((t) => t.position as number).sort()).toEqual([2, 3, 4, 5]);
    expect(ToldStock.told.filter((t) => t.call === 'eventRevised').map((t) => t.revision)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it('is types that share a pool', async () => {
    const pool = await stage.make(owner, `${path}/pools`, { name: 'Floor', capacity: 100 });
    expect(pool).toMatchObject({ shared: true, capacity: 100, version: 1 });
    const [adult, child] = [await type({ poolId: pool.id }), await type({ poolId: pool.id })];
    expect([adult.poolId, child.poolId]).toEqual([pool.id, pool.id]);
    expect(adult.capacity).toBeNull();
    expect(told()).toEqual(['poolCreated', 'eventRevised', 'eventRevised', 'eventRevised']);
    const own = await type({ capacity: 5 });
    const borrowed = await tryType({ poolId: own.poolId });
    expect(borrowed).toMatchObject({ status: 400, body: { errors: [{ pointer: '/poolId' }] } });
    type Items = { items: { id: string; shared: boolean }[] };
    const pools = (await stage.at<Items>(owner, 'GET', `${path}/pools`)).body.items;
    expect(pools.map((p) => p.shared)).toEqual([true, false]);
  });

  it('is the seats of a zone, once', async () => {
    const made = await type({ zone: 'front' });
    expect(made).toMatchObject({ kind: 'seated', zone: 'front', capacity: 20 });
    expect(told()).toEqual(['poolCreated', 'seatsPlaced', 'eventRevised']);
    const [, placed] = ToldStock.told;
    expect(placed).toMatchObject({ eventId, ticketTypeId: made.id });
    const first = {
      seatId: 'R1-1',
      section: 'hall',
      sectionName: 'The hall',
      row: '1',
      number: '1',
      x: 0,
      y: 0,
      zone: 'front',
      accessible: false,
    };
    expect(placed.call === 'seatsPlaced' && placed.seats[0]).toEqual({ ...first, companionOf: null, ordinal: 0 });
    for (const zone of ['front', 'empty', 'nowhere']) {
      expect(await tryType({ zone }), zone).toMatchObject({ status: 400, body: { errors: [{ pointer: '/zone' }] } });
    }
    const bare = await stage.make(owner, '/events', anEvent());
    const noVenue = await stage.at(owner, 'POST', `/events/${bare.id}/ticket-types`, { name: 'T', price, zone: 'front' });
    expect(noVenue.body.errors?.[0].pointer).toBe('/zone');
    expect((await stage.at(owner, 'PATCH', path, { venueId: null }, { ifMatch: 1 })).body.code).toBe('bad_transition');
  });

  const wrong: [string, Record<string, unknown>, string][] = [
    ['has no source', {}, ''],
    ['has two sources', { capacity: 1, zone: 'front' }, ''],
    ['is priced in another currency', { capacity: 1, price: { amount: 1, currency: 'USD' } }, '/price/currency'],
    ['has a price of halves', { capacity: 1, price: { amount: 0.5, currency: 'EUR' } }, '/price/amount'],
    ['has a price beyond money', { capacity: 1, price: { amount: 2 ** 53, currency: 'EUR' } }, '/price/amount'],
    ['pays its buyers', { capacity: 1, price: { amount: -1, currency: 'EUR' } }, '/price/amount'],
    ['has less than nothing', { capacity: -1 }, '/capacity'],
    ['has more than int', { capacity: 2 ** 63 }, '/capacity'],
    [
      'ends its sale first',
      { capacity: 1, salesStartAt: '2027-02-01T00:00:00Z', salesEndAt: '2027-01-01T00:00:00Z' },
      '/salesEndAt',
    ],
    ['sells none per booking', { capacity: 1, maxPerBooking: 0 }, '/maxPerBooking'],
    ['has an empty code', { capacity: 1, accessCode: '' }, '/accessCode'],
  ];
  it.each(wrong)('is no type that %s', async (_, body, pointer) => {
    const reply = await tryType(body);
    expect(reply).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    expect(told()).toEqual([]);
  });

  it('is changed by version; a capacity as the stock allows', async () => {
    const made = await type({ capacity: 50, salesEndAt: '2027-04-01T00:00:00Z', accessCode: 'VIP' });
    const at = `${path}/ticket-types/${made.id}`;
    expect((await stage.at(owner, 'PATCH', at, { name: 'U' })).status).toBe(428);
    const body = { name: 'U', price: { amount: 3000, currency: 'EUR' }, capacity: 60, accessCode: null };
    const changed = await stage.at(owner, 'PATCH', at, body, { ifMatch: 1 });
    expect(changed.body).toMatchObject({ ...body, salesEndAt: '2027-04-01T00:00:00.000Z', version: 2 });
    expect((await stage.at(owner, 'GET', at)).body).toEqual(changed.body);
    expect(ToldStock.told.slice(-2)).toMatchObject([{ call: 'capacityChanged', capacity: 60 }, { call: 'eventRevised' }]);
    expect((await stage.at(owner, 'PATCH', at, { name: 'V' }, { ifMatch: 1 })).status).toBe(412);
    ToldStock.full.add(made.poolId);
    const refused = await stage.at(owner, 'PATCH', at, { name: 'W', capacity: 1 }, { ifMatch: 2 });
    expect(refused).toMatchObject({ status: 409, body: { code: 'capacity_below_sold' } });
    expect((await stage.at(owner, 'GET', at)).body).toEqual(changed.body); // Nothing is half done.
    expect((await stage.at(owner, 'PATCH', at, { zone: 'front' }, { ifMatch: 2 })).body.errors?.[0].pointer).toBe('/zone');
    const early = await stage.at(owner, 'PATCH', at, { salesStartAt: '2027-05-01T00:00:00Z' }, { ifMatch: 2 });
    expect(early.body.errors?.[0].pointer).toBe('/salesEndAt');
    expect((await stage.at(owner, 'PATCH', path, { currency: 'USD' }, { ifMatch: 1 })).body.code).toBe('bad_transition');
  });

  it('has pools that are changed by version, their own types’ only through these', async () => {
    const pool = await stage.make(owner, `${path}/pools`, { name: 'Floor', capacity: 100 });
    const at = `${path}/pools/${pool.id}`;
    const changed = await stage.at(owner, 'PATCH', at, { capacity: 120 }, { ifMatch: 1 });
    expect(changed.body).toMatchObject({ name: 'Floor', capacity: 120, version: 2 });
    expect((await stage.at(owner, 'PATCH', at, { capacity: 130 }, { ifMatch: 1 })).status).toBe(412);
    const [shares, seats, own] = [await type({ poolId: pool.id }), await type({ zone: 'front' }), await type({ capacity: 3 })];
    for (const t of [shares, seats]) {
      const reply = await stage.at(owner, 'PATCH', `${path}/ticket-types/${t.id}`, { capacity: 7 }, { ifMatch: 1 });
      expect(reply.body.errors?.[0].pointer).toBe('/capacity');
    }
    const direct = await stage.at(owner, 'PATCH', `${path}/pools/${own.poolId}`, { capacity: 7 }, { ifMatch: 1 });
    expect(direct.body.code).toBe('bad_transition');
  });

  it('asks checkout fields, until they are archived', async () => {
    const at = `${path}/fields`;
    const text = await stage.make(owner, at, { label: 'Your company', kind: 'text', required: false, per: 'booking' });
    expect(text).toMatchObject({ choices: null, position: 0, version: 1 });
    const choice = { label: 'Size', kind: 'choice', required: true, choices: ['S', 'L'], per: 'ticket' };
    const size = await stage.make(owner, at, choice);
    expect(size).toMatchObject({ ...choice, position: 1 });
    for (const [other, pointer] of [
      [{ choices: undefined }, '/choices'],
      [{ choices: ['S'] }, '/choices'],
      [{ choices: ['S', 'S'] }, '/choices'],
      [{ kind: 'text' }, '/choices'],
      [{ kind: 'date' }, '/kind'],
      [{ per: 'year' }, '/per'],
    ] as const) {
      const reply = await stage.at(owner, 'POST', at, { ...choice, ...other });
      expect(reply, JSON.stringify(other)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    }
    const changed = await stage.at(owner, 'PATCH', `${at}/${size.id}`, { choices: ['S', 'M', 'L'] }, { ifMatch: 1 });
    expect(changed.body).toMatchObject({ label: 'Size', choices: ['S', 'M', 'L'], version: 2 });
    expect((await stage.at(owner, 'PATCH', `${at}/${size.id}`, { label: 'x' }, { ifMatch: 1 })).status).toBe(412);
    expect((await stage.at(owner, 'DELETE', `${at}/${text.id}`)).status).toBe(204);
    expect((await stage.at(owner, 'DELETE', `${at}/${text.id}`)).status).toBe(404);
    type Items = { items: { id: string }[] };
    expect((await stage.at<Items>(owner, 'GET', at)).body.items.map((f) => f.id)).toEqual([size.id]);
    await stage.at(owner, 'POST', `${path}/publish`);
    const shown = (await stage.call<{ fields: unknown[] }>('GET', `/v1/events/${eventId}`)).body.fields;
    expect(shown).toEqual([
      { id: size.id, label: 'Size', kind: 'choice', required: true, choices: ['S', 'M', 'L'], per: 'ticket' },
    ]);
  });
});
