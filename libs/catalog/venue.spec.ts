// Venues over HTTP: made, changed, and given seat maps of 50 000 seats, out again as they came in.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { aSeatMap, anEvent, Stage, ToldStock, type Caller } from '../../test/catalog.stage.js';

describe('venues', () => {
  let stage: Stage;
  let owner: Caller;
  beforeAll(async () => {
    stage = await Stage.open();
    owner = await stage.owner();
  });
  afterAll(() => stage?.close());
  beforeEach(() => void (ToldStock.told.length = 0));

  const hall = { name: 'Philharmonie', address: 'Herbert-von-Karajan-Straße 1', timeZone: 'Europe/Berlin' };
  const eventsOf = async (id: string) =>
    (
      await stage.house.sql.query(
        'SELECT type, data FROM platform.event WHERE org_id = $1 AND stream = $2 ORDER BY stream_version',
        [owner.orgId, `venue:${id}`],
      )
    ).rows;

  it('are made, read, listed and changed by version', async () => {
    const made = await stage.at(owner, 'POST', '/venues', { ...hall, location: { lat: 52.51, lon: 13.37 } });
    expect(made).toMatchObject({
      status: 201,
      body: { ...hall, location: { lat: 52.51, lon: 13.37 }, seatMap: null, version: 1 },
    });
    const path = `/venues/${made.body.id}`;
    expect((await stage.at(owner, 'GET', path)).body).toEqual(made.body);
    const changed = await stage.at(owner, 'PATCH', path, { name: 'Kammermusiksaal', location: null }, { ifMatch: 1 });
    expect(changed.body).toMatchObject({ ...hall, name: 'Kammermusiksaal', location: null, version: 2 });
    expect((await stage.at(owner, 'PATCH', path, { name: 'x' }, { ifMatch: 1 })).status).toBe(412);
    expect((await stage.at(owner, 'PATCH', path, { name: 'x' })).status).toBe(428);
    type Page = { items: { id: string }[]; nextCursor: string | null };
    const second = await stage.make(owner, '/venues', hall);
    const first = (await stage.at<Page>(owner, 'GET', '/venues?limit=1')).body;
    expect(first.items.map((v) => v.id)).toEqual([made.body.id]);
    const rest = (await stage.at<Page>(owner, 'GET', `/venues?limit=1&cursor=${first.nextCursor}`)).body;
    expect(rest).toMatchObject({ items: [{ id: second.id }], nextCursor: null });
  });

  it('refuse places that are not on earth, and maps that are wrong, at their pointers', async () => {
    const far = await stage.at(owner, 'POST', '/venues', { ...hall, location: { lat: 91, lon: 0 } });
    expect(far.body.errors?.[0].pointer).toBe('/location/lat');
    const map = aSeatMap(10);
    map.sections[0].rows[0].seats[3].zone = 'nowhere';
    const wrong = await stage.at(owner, 'POST', '/venues', { ...hall, seatMap: map });
    expect(wrong).toMatchObject({ status: 400, body: { errors: [{ pointer: '/seatMap/sections/0/rows/0/seats/3/zone' }] } });
    for (const none of [7, 'map', []]) {
      expect((await stage.at(owner, 'POST', '/venues', { ...hall, seatMap: none })).body.errors?.[0].pointer).toBe('/seatMap');
    }
    const { id } = await stage.make(owner, '/venues', hall);
    expect((await stage.at(owner, 'PUT', `/venues/${id}/seat-map`, map, { ifMatch: 1 })).body.errors?.[0].pointer).toBe(
      '/sections/0/rows/0/seats/3/zone',
    );
    expect((await stage.at(owner, 'PUT', `/venues/${id}/seat-map`, undefined, { ifMatch: 1 })).status).toBe(400);
    expect((await stage.at(owner, 'GET', `/venues/${id}/seat-map`)).status).toBe(404);
  });

  it('take 50 000 seats and give them back as they came', async () => {
    const map = aSeatMap(50_000);
    const bytes = JSON.stringify({ ...hall, seatMap: map });
    const began = performance.now();
    const made = await stage.at(owner, 'POST', '/venues', bytes);
    console.log(`${(bytes.length / 1e6).toFixed(1)} MB with 50 000 seats taken in ${(performance.now() - began).toFixed(0)} ms`);
    expect(made).toMatchObject({ status: 201, body: { seatMap: { version: 1, seats: 50_000 } } });
    const out = await stage.at(owner, 'GET', `/venues/${made.body.id}/seat-map`);
    expect(out.headers.get('content-type')).toContain('application/json');
    expect(out.body).toEqual(map);
    const seen = { headers: { 'if-none-match': out.headers.get('etag')! } };
    expect((await stage.at(owner, 'GET', `/venues/${made.body.id}/seat-map`, undefined, seen)).status).toBe(304);

    const event = await stage.make(owner, '/events', anEvent({ venueId: made.body.id }));
    const type = { name: 'Rear', price: { amount: 100, currency: 'EUR' }, zone: 'rear' };
    expect(await stage.make(owner, `/events/${event.id}/ticket-types`, type)).toMatchObject({ kind: 'seated', capacity: 40_000 });
    const placed = ToldStock.told.find((t) => t.call === 'seatsPlaced');
    expect(placed?.call === 'seatsPlaced' && placed.seats).toHaveLength(40_000);
  });

  it('keep maps by version, and history keeps no map but its digest', async () => {
    const { id } = await stage.make(owner, '/venues', hall);
    const path = `/venues/${id}/seat-map`;
    expect((await stage.at(owner, 'PUT', path, aSeatMap(10))).status).toBe(428);
    const first = await stage.at(owner, 'PUT', path, aSeatMap(10), { ifMatch: 1 });
    expect(first).toMatchObject({ status: 200, body: { version: 2, seatMap: { version: 1, seats: 10 } } });
    const same = await stage.at(owner, 'PUT', path, aSeatMap(10), { ifMatch: 2 });
    expect(same.body).toMatchObject({ version: 2, seatMap: { version: 1 } });
    expect((await stage.at(owner, 'PUT', path, aSeatMap(20), { ifMatch: 1 })).status).toBe(412);
    expect(await stage.make(owner, path, aSeatMap(20))).toMatchObject({ version: 3, seatMap: { version: 2, seats: 20 } });
    const told = await eventsOf(id);
    expect(told.map((e) => e.type)).toEqual(['venue.created', 'venue.seat-map-imported', 'venue.seat-map-imported']);
    const [map] = told[2].data.rows['catalog.seat_map'];
    expect(map).toMatchObject({ venue_id: id, version: 2, seats: 20 });
    expect(map.map).toBe(`sha256:${map.sha256}`);
  });

  it('keep the seats of an event that sells some when a new map comes', async () => {
    const { id: venueId } = await stage.make(owner, '/venues', { ...hall, seatMap: aSeatMap(100) });
    const event = await stage.make(owner, '/events', anEvent({ venueId }));
    const price = { amount: 100, currency: 'EUR' };
    await stage.make(owner, `/events/${event.id}/ticket-types`, { name: 'Front', price, zone: 'front' });
    await stage.make(owner, `/venues/${venueId}/seat-map`, aSeatMap(1000));
    const rear = await stage.make(owner, `/events/${event.id}/ticket-types`, { name: 'Rear', price, zone: 'rear' });
    expect(rear).toMatchObject({ capacity: 80 });
    const later = await stage.make(owner, '/events', anEvent({ venueId }));
    expect(await stage.make(owner, `/events/${later.id}/ticket-types`, { name: 'Rear', price, zone: 'rear' })).toMatchObject({
      capacity: 800,
    });
  });

  it('tell their published events when they move', async () => {
    const { id: venueId } = await stage.make(owner, '/venues', hall);
    const event = await stage.make(owner, '/events', anEvent({ venueId }));
    await stage.at(owner, 'POST', `/events/${event.id}/publish`);
    ToldStock.told.length = 0;
    await stage.at(owner, 'PATCH', `/venues/${venueId}`, { name: 'Waldbühne' }, { ifMatch: 1 });
    expect(ToldStock.told).toMatchObject([{ call: 'eventRevised', eventId: event.id, revision: 3 }]);
    expect((await stage.call('GET', `/v1/events/${event.id}`)).body.venue).toMatchObject({ name: 'Waldbühne' });
  });

  it('refuse a body above their limit, which is above the others’', async () => {
    const text = (megabytes: number) => JSON.stringify({ ...hall, address: 'x'.repeat(megabytes * 1024 * 1024) });
    expect((await stage.at(owner, 'POST', '/venues', text(2))).status).toBe(400); // Read, and then found too long.
    expect((await stage.at(owner, 'POST', '/venues', text(33))).status).toBe(413);
    expect((await stage.at(owner, 'POST', '/events', text(2))).status).toBe(413);
  });
});
