// What the public finds and reads: published and not over, by words, time and place, page by page, with ETag and Cache-Control.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anEvent, Stage, type Caller } from '../../test/catalog.stage.js';
import { ListingRepository } from './listing.repository.js';

type Found = {
  items: { id: string; title: string; status: string; ticketTypes: { name: string }[] }[];
  nextCursor: string | null;
};

describe('the public', () => {
  let stage: Stage;
  let owner: Caller;
  const ids: Record<string, string> = {};
  beforeAll(async () => {
    stage = await Stage.open();
    owner = await stage.owner();
    const venue = async (name: string, lat: number, lon: number) =>
      (await stage.make(owner, '/venues', { name, address: 'Somewhere 1', timeZone: 'UTC', location: { lat, lon } })).id;
    const berlin = await venue('Café Moskau', 52.52, 13.42);
    const potsdam = await venue('Nikolaisaal', 52.4, 13.06);
    const fiji = await venue('Taveuni Hall', -16.8, 179.99);
    await show('jazz', 'Jazz night', 1, { venueId: berlin, description: 'Bring your saxophone.' });
    await show('rock', 'Rock am Kanal', 2, { venueId: potsdam });
    await show('island', 'Island jazz', 3, { venueId: fiji });
    await show('nowhere', 'Jazz without a place', 4);
    ids.draft = (await stage.make(owner, '/events', anEvent({ title: 'Jazz in a drawer' }))).id;
    await show('cancelled', 'Jazz that fell through', 5);
    await stage.at(owner, 'POST', `/events/${ids.cancelled}/cancel`);
  });
  afterAll(() => stage?.close());

  async function show(name: string, title: string, day: number, other: Record<string, unknown> = {}) {
    const times = { startsAt: `2027-07-0${day}T18:00:00Z`, endsAt: `2027-07-0${day}T20:00:00Z` };
    ids[name] = (await stage.make(owner, '/events', anEvent({ title, ...times, ...other }))).id;
    await stage.at(owner, 'POST', `/events/${ids[name]}/publish`);
  }
  const find = async (query: string) => {
    const reply = await stage.call<Found>('GET', `/v1/events?${query}`);
    expect(reply.status, reply.text).toBe(200);
    return reply.body.items.map((e) => Object.keys(ids).find((name) => ids[name] === e.id));
  };

  it('finds what is published, by start, page by page', async () => {
    expect(await find('')).toEqual(['jazz', 'rock', 'island', 'nowhere']);
    const first = (await stage.call<Found>('GET', '/v1/events?limit=3')).body;
    expect(first.items).toHaveLength(3);
    // Written between two pages: neither shown twice nor any lost.
    await show('between', 'A late idea', 2);
    expect(await find(`limit=3&cursor=${first.nextCursor}`)).toEqual(['nowhere']);
    await stage.at(owner, 'POST', `/events/${ids.between}/cancel`);
  });

  it('finds by words of title, description and venue, begun or whole, whatever the accents', async () => {
    expect(await find('q=jazz')).toEqual(['jazz', 'island', 'nowhere']);
    expect(await find('q=saxo')).toEqual(['jazz']);
    expect(await find('q=CAFE%20jazz')).toEqual(['jazz']);
    expect(await find(`q=${encodeURIComponent("' | !) jazz & rock:*")}`)).toEqual([]);
    expect(await find(`q=${encodeURIComponent("ka' am:*")}`)).toEqual(['rock']);
    expect(await find('q=%3F%3F')).toEqual([]);
  });

  it('finds by time of the start', async () => {
    expect(await find('from=2027-07-02T18:00:00Z&to=2027-07-03T18:00:00Z')).toEqual(['rock']);
    expect(await find('from=2027-07-03T20:00:00%2B02:00')).toEqual(['island', 'nowhere']);
  });

  it('finds what is near, also across the 180th meridian', async () => {
    expect(await find('near=52.52,13.41,5')).toEqual(['jazz']);
    expect(await find('near=52.52,13.41,40&q=rock')).toEqual(['rock']);
    expect(await find('near=-16.8,-179.99,10')).toEqual(['island']);
    expect(await find('near=0,0,20040')).toEqual(['jazz', 'rock', 'island']);
  });

  it('is told what is wrong with a question', async () => {
    for (const [query, pointer] of [
      ['near=here', '/near'],
      ['near=91,0,1', '/near'],
      ['from=tomorrow', '/from'],
      ['limit=1000', '/limit'],
      ['q=a&q=b', '/q'],
      ['q=%00', '/q'],
      ['colour=red', '/colour'],
      ['cursor=x', '/cursor'],
    ]) {
      const reply = await stage.call('GET', `/v1/events?${query}`);
      expect(reply, query).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
    }
  });

  it('reads an event with what is sold, hidden types only with their code', async () => {
    const at = `/events/${ids.jazz}/ticket-types`;
    const price = { amount: 1500, currency: 'EUR' };
    await stage.make(owner, at, { name: 'Friends', price, capacity: 5, accessCode: 'Secret-7' });
    const open = { name: 'Everyone', price, capacity: 50, maxPerBooking: 4, salesEndAt: '2027-07-01T17:00:00.000Z' };
    const made = await stage.make(owner, at, { ...open, position: 0 });
    const read = (query = '') => stage.call<Found['items'][0] & Record<string, unknown>>('GET', `/v1/events/${ids.jazz}${query}`);
    const reply = await read();
    const shown = { id: made.id, name: 'Everyone', kind: 'general', price, maxPerBooking: 4, salesEndAt: open.salesEndAt };
    expect(reply.body).toMatchObject({
      id: ids.jazz,
      orgId: owner.orgId,
      title: 'Jazz night',
      status: 'published',
      currency: 'EUR',
      fields: [],
      venue: { name: 'Café Moskau', address: 'Somewhere 1', timeZone: 'UTC', location: { lat: 52.52, lon: 13.42 } },
    });
    expect(reply.body.ticketTypes).toEqual([shown]);
    expect((await read('?accessCode=sECRET-7')).body.ticketTypes.map((t) => t.name).sort()).toEqual(['Everyone', 'Friends']);
    expect((await read('?accessCode=wrong')).body.ticketTypes).toEqual([shown]);
    expect(reply.text).not.toContain('ecret');
    expect((await stage.call('GET', '/v1/events')).text).not.toContain('ecret');
    expect((await stage.call('GET', `/v1/events/${ids.draft}`)).status).toBe(404);
    expect((await stage.call('GET', `/v1/events/${ids.nowhere}`)).body.venue).toBeNull();
    expect((await stage.call('GET', `/v1/events/${ids.jazz.slice(0, -8)}00000000`)).status).toBe(404);
    expect((await stage.call('GET', '/v1/events/7')).status).toBe(404);
  });

  it('may keep what it read for a moment, and asks whether it still holds', async () => {
    for (const path of [`/v1/events/${ids.rock}`, '/v1/events']) {
      const reply = await stage.call('GET', path);
      expect(reply.headers.get('cache-control')).toBe('public, max-age=5');
      const etag = reply.headers.get('etag')!;
      expect(etag).toMatch(/^"[\w-]{22}"$/);
      expect((await stage.call('GET', path, undefined, { headers: { 'if-none-match': etag } })).status).toBe(304);
      await stage.make(owner, `/events/${ids.rock}/pools`, { name: 'P', capacity: 1 }); // Nothing that is shown.
      expect((await stage.call('GET', path)).headers.get('etag')).toBe(etag);
      await stage.make(owner, `/events/${ids.rock}/ticket-types`, {
        name: 'T',
        price: { amount: 0, currency: 'EUR' },
        capacity: 1,
      });
      expect((await stage.call('GET', path, undefined, { headers: { 'if-none-match': etag } })).status).toBe(200);
    }
  });

  it('finds a venue by its new name, and an event at its new place', async () => {
    const { id: venueId } = await stage.make(owner, '/venues', {
      name: 'Oldname',
      timeZone: 'UTC',
      location: { lat: 10, lon: 10 },
    });
    await show('moving', 'A reading', 6, { venueId });
    expect(await find('q=oldname')).toEqual(['moving']);
    await stage.at(owner, 'PATCH', `/venues/${venueId}`, { name: 'Newname', location: { lat: 20, lon: 20 } }, { ifMatch: 1 });
    expect(await find('q=oldname')).toEqual([]);
    expect(await find('q=newname')).toEqual(['moving']);
    expect(await find('near=20,20,1')).toEqual(['moving']);
  });

  // Last, since the clock goes on.
  it('does not find what is over, and the listing forgets it', async () => {
    await stage.house.shiftClock((Date.parse('2027-07-02T20:00:00Z') - Date.now()) / 1000 + 1);
    expect(await find('q=jazz')).toEqual(['island', 'nowhere']);
    expect(await find('q=jazz&limit=1')).toEqual(['island']); // What is over takes no place on the page.
    const listed = async () =>
      (await stage.house.sql.query('SELECT event_id FROM catalog.listing')).rows.map((r) => r.event_id as string);
    expect(await listed()).toContain(ids.rock);
    expect(await stage.house.api.get(ListingRepository).forgetPast()).toBe(2);
    expect(await listed()).not.toContain(ids.rock);
    expect((await stage.call('GET', `/v1/events/${ids.rock}`)).body).toMatchObject({ status: 'past' });
    const now = await stage.again(owner);
    const { version } = (await stage.at(now, 'GET', `/events/${ids.rock}`)).body;
    await stage.at(now, 'PATCH', `/events/${ids.rock}`, { endsAt: '2027-07-09T00:00:00Z' }, { ifMatch: version });
    expect(await find('q=rock')).toEqual(['rock']);
  });
});
