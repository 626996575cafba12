// Events and what they sell, over HTTP: their states, times and versions, what the stock is told, and who may.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aSeatMap, anEvent, Stage, ToldStock, type Caller } from '../../test/catalog.stage.js';

describe('events', () => {
  let stage: Stage;
  let owner: Caller;
  beforeAll(async () => {
    stage = await Stage.open();
    owner = await stage.owner();
  });
  afterAll(() => stage?.close());
  beforeEach(() => void (ToldStock.told.length = 0));

  const told = () => ToldStock.told.map((t) => t.call);
  const draft = (other?: Record<string, unknown>) => stage.make(owner, '/events', anEvent(other));

  it('are drafted whole, with defaults, an ETag and their zone', async () => {
    const reply = await stage.at(owner, 'POST', '/events', anEvent());
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({
      ...anEvent(), orgId: owner.orgId, status: 'draft', holdSeconds: 600, venueId: null, version: 1,
      cancelPolicy: { untilHours: 0, feePercent: 0, feeAmount: 0 },
    }); // prettier-ignore
    expect(reply.headers.get('etag')).toBe('"1"');
    expect(told()).toEqual(['eventRevised']);
    expect(ToldStock.told[0]).toMatchObject({ revision: 1, onSale: false, timeZone: 'Europe/Berlin', currency: 'EUR' });
    const read = await stage.at(owner, 'GET', `/events/${reply.body.id}`);
    expect(read.body).toEqual(reply.body);
    const unchanged = await stage.at(owner, 'GET', `/events/${reply.body.id}`, undefined, {
      headers: { 'if-none-match': '"1"' },
    });
    expect(unchanged.status).toBe(304);
  });

  const wrong: [string, Record<string, unknown>, string][] = [
    ['ends before it starts', { endsAt: '2027-05-01T17:00:00Z' }, '/endsAt'],
    ['ends as it starts', { endsAt: '2027-05-01T18:00:00Z' }, '/endsAt'],
    ['is in the year 9999', { startsAt: '9999-12-31T00:00:00Z', endsAt: '9999-12-31T23:59:59Z' }, '/startsAt,/endsAt'],
    ['ends in the year 9999', { endsAt: '9999-12-31T23:59:59Z' }, '/endsAt'],
    ['is in 1970', { startsAt: '1970-01-01T00:00:00Z' }, '/startsAt'],
    ['lasts eleven years', { endsAt: '2038-05-02T00:00:00Z' }, '/endsAt'],
    ['is on 30 February', { startsAt: '2027-02-30T00:00:00Z' }, '/startsAt'],
    ['is nowhere', { timeZone: 'Mars/Olympus' }, '/timeZone'],
    ['is at an offset', { timeZone: '+02:00' }, '/timeZone'],
    ['costs shells', { currency: 'XYZ' }, '/currency'],
    ['holds too short', { holdSeconds: 4 }, '/holdSeconds'],
    ['holds too long', { holdSeconds: 3601 }, '/holdSeconds'],
    ['keeps more than all', { cancelPolicy: { feePercent: 100.01 } }, '/cancelPolicy/feePercent'],
    ['keeps thousandths', { cancelPolicy: { feePercent: 1.005 } }, '/cancelPolicy/feePercent'],
    ['has no title', { title: '' }, '/title'],
    ['has a NUL in its title', { title: 'a\u0000b' }, '/title'],
    ['says what nobody asked', { colour: 'red' }, '/colour'],
  ];
  it.each(wrong)('refuse one that %s', async (_, other, pointer) => {
    const reply = await stage.at(owner, 'POST', '/events', anEvent(other));
    expect(reply.status).toBe(400);
    expect(reply.body.errors?.map((e) => e.pointer).join()).toBe(pointer);
    expect(told()).toEqual([]);
  });

  it('change by version only, and keep what is not said', async () => {
    const { id } = await draft({ description: 'Loud.', cancelPolicy: { untilHours: 48, feePercent: 12.34 } });
    const path = `/events/${id}`;
    expect((await stage.at(owner, 'PATCH', path, { title: 'B' })).status).toBe(428);
    const changed = await stage.at(owner, 'PATCH', path, { title: 'B', cancelPolicy: { feeAmount: 50 } }, { ifMatch: 1 });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ title: 'B', description: 'Loud.', version: 2 });
    expect(changed.body.cancelPolicy).toEqual({ untilHours: 48, feePercent: 12.34, feeAmount: 50 });
    expect((await stage.at(owner, 'PATCH', path, { title: 'C' }, { ifMatch: 1 })).status).toBe(412);
    expect((await stage.at(owner, 'PATCH', path, { title: 'C' }, { ifMatch: '"x"' })).status).toBe(412);
    const cleared = await stage.at(
      owner,
      'PATCH',
      path,
      { description: null, cancelPolicy: { untilHours: null } },
      { ifMatch: 2 },
    );
    expect(cleared.body).toMatchObject({ title: 'B', description: null });
    expect(cleared.body.cancelPolicy).toMatchObject({ untilHours: null, feePercent: 12.34 });
    expect((await stage.at(owner, 'PATCH', path, { endsAt: '2027-05-01T17:00:00Z' }, { ifMatch: 3 })).status).toBe(400);
    expect((await stage.at(owner, 'GET', path)).body.version).toBe(3);
  });

  it('let one of many who change at once win', async () => {
    const { id } = await draft();
    const all = await Promise.all(
      [1, 2, 3, 4, 5].map((n) => stage.at(owner, 'PATCH', `/events/${id}`, { title: `${n}` }, { ifMatch: 1 })),
    );
    expect(all.map((r) => r.status).sort()).toEqual([200, 412, 412, 412, 412]);
  });

  it('keep the wall clock when only the zone changes, and the instants that are given', async () => {
    const { id } = await draft(); // 20:00 to 23:00 in Berlin, summer.
    const moved = await stage.at(owner, 'PATCH', `/events/${id}`, { timeZone: 'America/New_York' }, { ifMatch: 1 });
    expect(moved.body).toMatchObject({ startsAt: '2027-05-02T00:00:00.000Z', endsAt: '2027-05-02T03:00:00.000Z' });
    const given = { timeZone: 'Asia/Tokyo', startsAt: '2027-05-01T10:00:00Z' };
    const both = await stage.at(owner, 'PATCH', `/events/${id}`, given, { ifMatch: 2 });
    expect(both.body).toMatchObject({ startsAt: '2027-05-01T10:00:00.000Z', endsAt: '2027-05-01T14:00:00.000Z' });
    expect(ToldStock.told.at(-1)).toMatchObject({ call: 'eventRevised', revision: 3, timeZone: 'Asia/Tokyo' });
  });

  it('are published and cancelled, once and for good', async () => {
    const { id } = await draft();
    expect((await stage.call('GET', `/v1/events/${id}`)).status).toBe(404);
    const published = await stage.at(owner, 'POST', `/events/${id}/publish`, {});
    expect(published).toMatchObject({ status: 200, body: { status: 'published', version: 2 } });
    expect(ToldStock.told.at(-1)).toMatchObject({ call: 'eventRevised', onSale: true });
    expect((await stage.at(owner, 'POST', `/events/${id}/publish`)).body).toMatchObject({ status: 'published', version: 2 });
    const cancelled = await stage.at(owner, 'POST', `/events/${id}/cancel`);
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', version: 3 } });
    expect(ToldStock.told.at(-1)).toMatchObject({ call: 'eventRevised', onSale: false });
    expect((await stage.at(owner, 'POST', `/events/${id}/publish`)).body.code).toBe('bad_transition');
    expect((await stage.at(owner, 'PATCH', `/events/${id}`, { title: 'x' }, { ifMatch: 3 })).body.code).toBe('bad_transition');
    const type = { name: 'Late', price: { amount: 1, currency: 'EUR' }, capacity: 1 };
    expect((await stage.at(owner, 'POST', `/events/${id}/ticket-types`, type)).body.code).toBe('bad_transition');
    expect((await stage.call('GET', `/v1/events/${id}`)).body).toMatchObject({ status: 'cancelled' });
  });

  it('say each change once to history, with the row and without words', async () => {
    const { id } = await draft({ title: 'A secret title' });
    await stage.at(owner, 'POST', `/events/${id}/publish`);
    await stage.at(owner, 'POST', `/events/${id}/publish`);
    const { rows } = await stage.house.sql.query(
      'SELECT type, data FROM platform.event WHERE org_id = $1 AND stream = $2 ORDER BY stream_version',
      [owner.orgId, `event:${id}`],
    );
    expect(rows.map((r) => r.type)).toEqual(['event.created', 'event.published']);
    expect(rows[1].data.rows['catalog.event'][0]).toMatchObject({ id, status: 'published', version: 2, hold_seconds: 600 });
    expect(JSON.stringify(rows)).not.toContain('secret');
  });

  it('are listed by start, filtered by status and time, page by page', async () => {
    const other = await stage.owner();
    const days = ['03', '01', '02', '04'];
    const ids: Record<string, string> = {};
    for (const d of days) {
      const times = { startsAt: `2027-06-${d}T10:00:00Z`, endsAt: `2027-06-${d}T11:00:00Z` };
      ids[d] = (await stage.make(other, '/events', anEvent(times))).id;
    }
    await stage.at(other, 'POST', `/events/${ids['02']}/publish`);
    type Page = { items: { id: string }[]; nextCursor: string | null };
    const list = async (query: string) => (await stage.at<Page>(other, 'GET', `/events?${query}`)).body;
    const first = await list('limit=3');
    expect(first.items.map((e) => e.id)).toEqual([ids['01'], ids['02'], ids['03']]);
    const second = await list(`limit=3&cursor=${first.nextCursor}`);
    expect(second).toMatchObject({ items: [{ id: ids['04'] }], nextCursor: null });
    expect((await list('status=published')).items.map((e) => e.id)).toEqual([ids['02']]);
    expect((await list('from=2027-06-02T10:00:00Z&to=2027-06-04T10:00:00Z')).items).toHaveLength(2);
    expect((await stage.at(other, 'GET', '/events?cursor=nonsense')).status).toBe(400);
    const forged = Buffer.from('["yesterday","me"]').toString('base64url');
    expect((await stage.at(other, 'GET', `/events?cursor=${forged}`)).status).toBe(400);
    expect((await stage.at(other, 'GET', '/events?limit=0')).status).toBe(400);
  });

  it('replay a create under its key, byte for byte', async () => {
    const key = 'create-once';
    const first = await stage.at(owner, 'POST', '/events', anEvent(), { key });
    const again = await stage.at(owner, 'POST', '/events', anEvent(), { key });
    expect(again.text).toBe(first.text);
    expect((await stage.at(owner, 'POST', '/events', anEvent({ title: 'Other' }), { key })).status).toBe(422);
  });

  it('are copied to another day across daylight saving, with all that they sell', async () => {
    const venue = await stage.make(owner, '/venues', { name: 'Hall', timeZone: 'Europe/Berlin', seatMap: aSeatMap(100) });
    const times = { startsAt: '2027-10-30T18:00:00Z', endsAt: '2027-10-30T22:00:00Z' }; // 20:00 in summer time.
    const { id } = await draft({ ...times, venueId: venue.id });
    const price = { amount: 2500, currency: 'EUR' };
    const pool = await stage.make(owner, `/events/${id}/pools`, { name: 'Floor', capacity: 300 });
    const sales = {
      salesStartAt: '2027-10-01T08:00:00Z',
      salesEndAt: '2027-10-30T17:00:00Z',
      accessCode: 'VIP',
      maxPerPerson: 4,
    };
    await stage.make(owner, `/events/${id}/ticket-types`, { name: 'Floor', price, poolId: pool.id, ...sales });
    await stage.make(owner, `/events/${id}/ticket-types`, { name: 'Bar', price, capacity: 20 });
    await stage.make(owner, `/events/${id}/ticket-types`, { name: 'Seats', price, zone: 'front' });
    await stage.make(owner, `/events/${id}/fields`, {
      label: 'Size',
      kind: 'choice',
      required: true,
      choices: ['S', 'L'],
      per: 'ticket',
    });
    ToldStock.told.length = 0;

    const copy = await stage.at(owner, 'POST', `/events/${id}/duplicate`, { shiftDays: 7 });
    expect(copy.status).toBe(201);
    expect(copy.body).toMatchObject({
      status: 'draft',
      startsAt: '2027-11-06T19:00:00.000Z',
      endsAt: '2027-11-06T23:00:00.000Z',
    });
    expect(copy.body.id).not.toBe(id);
    type Items = { items: Record<string, unknown>[] };
    const types = (await stage.at<Items>(owner, 'GET', `/events/${copy.body.id}/ticket-types`)).body.items;
    expect(types).toMatchObject([
      {
        name: 'Floor',
        capacity: null,
        accessCode: 'VIP',
        salesStartAt: '2027-10-08T08:00:00.000Z',
        salesEndAt: '2027-11-06T18:00:00.000Z',
      },
      { name: 'Bar', capacity: 20 },
      { name: 'Seats', zone: 'front', capacity: 20 },
    ]);
    expect(types[0].poolId).not.toBe(pool.id);
    expect(told()).toEqual(['poolCreated', 'poolCreated', 'poolCreated', 'seatsPlaced', 'eventRevised']);
    const fields = (await stage.at<Items>(owner, 'GET', `/events/${copy.body.id}/fields`)).body.items;
    expect(fields).toMatchObject([{ label: 'Size', choices: ['S', 'L'], per: 'ticket' }]);
    expect((await stage.at(owner, 'POST', `/events/${id}/duplicate`, { shiftDays: 36_600 * 2 })).status).toBe(400);
  });

  // Last, since the clock goes on.
  it('are past when their end has come, and live again when it is moved', async () => {
    const { id } = await draft();
    await stage.at(owner, 'POST', `/events/${id}/publish`);
    const late = await draft();
    await stage.house.shiftClock((Date.parse('2027-05-01T21:00:00Z') - Date.now()) / 1000 + 1);
    const now = await stage.again(owner);
    expect((await stage.at(now, 'GET', `/events/${id}`)).body).toMatchObject({ status: 'past', version: 2 });
    expect((await stage.call('GET', `/v1/events/${id}`)).body).toMatchObject({ status: 'past' });
    type Items = { items: { id: string }[] };
    expect((await stage.at<Items>(now, 'GET', '/events?status=past')).body.items.map((e) => e.id)).toContain(id);
    expect((await stage.at<Items>(now, 'GET', '/events?status=published')).body.items.map((e) => e.id)).not.toContain(id);
    expect((await stage.at(now, 'POST', `/events/${id}/cancel`)).body.code).toBe('bad_transition');
    expect((await stage.at(now, 'POST', `/events/${late.id}/publish`)).body.code).toBe('bad_transition');
    const moved = await stage.at(now, 'PATCH', `/events/${id}`, { endsAt: '2027-06-01T00:00:00Z' }, { ifMatch: 2 });
    expect(moved.body).toMatchObject({ status: 'published' });
  });
});
