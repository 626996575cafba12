// Who may do what: another organization's ids answer 404 in every position, roles and scopes hold, and no write is lost or half done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../kernel/ids.js';
import { withoutPersonalData } from '../platform/eventstore/event.store.js';
import { aSeatMap, anEvent, Stage, type Caller } from '../../test/catalog.stage.js';

interface Things {
  venue: string;
  event: string;
  pool: string;
  type: string;
  field: string;
  promo: string;
}

describe('access to what is sold', () => {
  let stage: Stage;
  let owner: Caller;
  let stranger: Caller;
  let mine: Things;
  let theirs: Things;
  beforeAll(async () => {
    stage = await Stage.open();
    [owner, stranger] = [await stage.owner(), await stage.owner()];
    [mine, theirs] = [await furnish(owner), await furnish(stranger)];
  });
  afterAll(() => stage?.close());

  const price = { amount: 1, currency: 'EUR' };
  async function furnish(who: Caller): Promise<Things> {
    const { id: venue } = await stage.make(who, '/venues', { name: 'V', timeZone: 'UTC', seatMap: aSeatMap(10) });
    const { id: event } = await stage.make(who, '/events', anEvent({ venueId: venue }));
    const at = `/events/${event}`;
    const { id: pool } = await stage.make(who, `${at}/pools`, { name: 'P', capacity: 1 });
    const { id: type } = await stage.make(who, `${at}/ticket-types`, { name: 'T', price, poolId: pool });
    const field = { label: 'F', kind: 'text', required: false, per: 'booking' };
    const { id: fieldId } = await stage.make(who, `${at}/fields`, field);
    const { id: promo } = await stage.make(who, `${at}/promo-codes`, { code: 'C', percent: 10 });
    return { venue, event, pool, type, field: fieldId, promo };
  }

  /** Every organizer route with a right body: what an owner may do with things of these ids. */
  const routes = (t: Things): [method: string, path: string, body?: unknown][] => [
    ['GET', '/venues'],
    ['POST', '/venues', { name: 'V', timeZone: 'UTC' }],
    ['GET', `/venues/${t.venue}`],
    ['PATCH', `/venues/${t.venue}`, { name: 'W' }],
    ['GET', `/venues/${t.venue}/seat-map`],
    ['POST', `/venues/${t.venue}/seat-map`, aSeatMap(5)],
    ['PUT', `/venues/${t.venue}/seat-map`, aSeatMap(5)],
    ['GET', '/events'],
    ['POST', '/events', anEvent()],
    ['GET', `/events/${t.event}`],
    ['PATCH', `/events/${t.event}`, { title: 'x' }],
    ['POST', `/events/${t.event}/publish`],
    ['POST', `/events/${t.event}/duplicate`, { shiftDays: 1 }],
    ['GET', `/events/${t.event}/pools`],
    ['POST', `/events/${t.event}/pools`, { name: 'x', capacity: 1 }],
    ['GET', `/events/${t.event}/pools/${t.pool}`],
    ['PATCH', `/events/${t.event}/pools/${t.pool}`, { capacity: 2 }],
    ['GET', `/events/${t.event}/ticket-types`],
    ['POST', `/events/${t.event}/ticket-types`, { name: 'x', price, capacity: 1 }],
    ['GET', `/events/${t.event}/ticket-types/${t.type}`],
    ['PATCH', `/events/${t.event}/ticket-types/${t.type}`, { name: 'x' }],
    ['GET', `/events/${t.event}/fields`],
    ['POST', `/events/${t.event}/fields`, { label: 'x', kind: 'boolean', required: false, per: 'ticket' }],
    ['GET', `/events/${t.event}/fields/${t.field}`],
    ['PATCH', `/events/${t.event}/fields/${t.field}`, { label: 'x' }],
    ['DELETE', `/events/${t.event}/fields/${t.field}`],
    ['GET', `/events/${t.event}/promo-codes`],
    ['POST', `/events/${t.event}/promo-codes`, { code: 'D', percent: 1 }],
    ['GET', `/events/${t.event}/promo-codes/${t.promo}`],
    ['PATCH', `/events/${t.event}/promo-codes/${t.promo}`, { percent: 1 }],
    ['DELETE', `/events/${t.event}/promo-codes/${t.promo}`],
    ['POST', `/events/${t.event}/cancel`],
  ];
  const statuses = async (who: Caller, things: Things) => {
    const out: Record<string, number> = {};
    for (const [method, path, body] of routes(things)) {
      out[`${method} ${path}`] = (await stage.at(who, method, path, body, { ifMatch: 1 })).status;
    }
    return out;
  };
  /** Everything an organization has, to see that nothing was written. */
  const everything = async (orgId: string) =>
    (await stage.house.sql.query('SELECT count(*)::int AS n FROM platform.event WHERE org_id = $1', [orgId])).rows[0].n as number;

  it('ends at the organization: 404 for its address, for its things, and for nobody else’s', async () => {
    const before = [await everything(owner.orgId), await everything(stranger.orgId)];
    const foreignAddress = await statuses({ ...stranger, orgId: owner.orgId }, mine);
    expect(Object.entries(foreignAddress).filter(([, status]) => status !== 404)).toEqual([]);
    // At one's own address: lists and creates work, every id of the other's is unknown.
    const foreignThings = routes(mine).filter(([, path]) => path.split('/').length > 2);
    for (const [method, path, body] of foreignThings) {
      const reply = await stage.at(stranger, method, path, body, { ifMatch: 1 });
      expect(reply.status, `${method} ${path}`).toBe(404);
      expect(reply.body.code).toBe('not_found');
    }
    // The same with an event of one's own: the things in it belong to another's.
    for (const part of [`pools/${mine.pool}`, `ticket-types/${mine.type}`, `fields/${mine.field}`, `promo-codes/${mine.promo}`]) {
      expect((await stage.at(stranger, 'GET', `/events/${theirs.event}/${part}`)).status, part).toBe(404);
    }
    // In bodies.
    expect((await stage.at(stranger, 'POST', '/events', anEvent({ venueId: mine.venue }))).status).toBe(404);
    expect((await stage.at(stranger, 'PATCH', `/events/${theirs.event}`, { venueId: mine.venue }, { ifMatch: 1 })).status).toBe(
      404,
    );
    const borrowed = { name: 'x', price, poolId: mine.pool };
    expect((await stage.at(stranger, 'POST', `/events/${theirs.event}/ticket-types`, borrowed)).status).toBe(404);
    expect([await everything(owner.orgId), await everything(stranger.orgId)]).toEqual(before);
  });

  it('knows no ids that never were, and nothing that is no id', async () => {
    const id = newId(owner.orgId);
    const never = { venue: id, event: id, pool: id, type: id, field: id, promo: id };
    for (const wrong of ['7', 'null', '%00', '..%2f..', 'x'.repeat(200), id.toUpperCase()]) {
      const paths = [`/venues/${wrong}`, `/events/${wrong}`, `/events/${mine.event}/pools/${wrong}`];
      for (const path of paths) expect([400, 404]).toContain((await stage.at(owner, 'GET', path)).status);
    }
    for (const [method, path, body] of routes(never).filter(([, p]) => p.split('/').length > 2)) {
      expect((await stage.at(owner, method, path, body, { ifMatch: 1 })).status, `${method} ${path}`).toBe(404);
    }
  });

  it('needs a token', async () => {
    for (const [method, path, body] of routes(mine)) {
      const reply = await stage.call(method, `/v1/organizations/${owner.orgId}${path}`, body, { ifMatch: 1 });
      expect(reply.status, `${method} ${path}`).toBe(401);
    }
  });

  it('lets staff and reading programs read, and tells them that they may not write', async () => {
    const staff = await stage.member(owner, 'staff');
    const reader = await stage.program(owner, 'events:read', 'venues:read');
    for (const who of [staff, reader]) {
      for (const [route, status] of Object.entries(await statuses(who, mine))) {
        expect(status, route).toBe(route.startsWith('GET') ? 200 : 403);
      }
    }
    const other = await stage.program(owner, 'bookings:read');
    expect((await stage.at(other, 'GET', `/events/${mine.event}`)).status).toBe(404);
  });

  it('lets managers and writing programs do everything', async () => {
    for (const who of [await stage.member(owner, 'manager'), await stage.program(owner, 'events:write', 'venues:write')]) {
      const things = await furnish(who);
      for (const [route, status] of Object.entries(await statuses(who, things))) {
        // A venue's version goes on with its map, an event's when it is published; 412 then is the right answer to version 1.
        expect([200, 201, 204, 412], route).toContain(status);
      }
    }
  });

  it('keeps every row what its domain events say', async () => {
    const { rows } = await stage.house.sql.query(
      `SELECT table_schema || '.' || table_name AS name FROM information_schema.tables WHERE table_schema IN ('catalog', 'pricing') ORDER BY 1`,
    );
    const bookkeeping = ['catalog.event_revision', 'catalog.listing'];
    const tables = rows.map((r) => r.name as string).filter((name) => !bookkeeping.includes(name));
    expect(tables).toEqual([
      'catalog.checkout_field', 'catalog.event', 'catalog.pool', 'catalog.seat_map', 'catalog.ticket_type', 'catalog.venue', 'pricing.promo_code',
    ]); // prettier-ignore
    // What changes two rows at once, or a row that was told of long before.
    const own = await stage.make(owner, `/events/${mine.event}/ticket-types`, { name: 'Own', price, capacity: 5 });
    await stage.at(
      owner,
      'PATCH',
      `/events/${mine.event}/ticket-types/${own.id}`,
      { capacity: 9, accessCode: 'X' },
      { ifMatch: 1 },
    );
    const percent = { feePercent: 33.33, untilHours: null };
    await stage.at(owner, 'PATCH', `/events/${mine.event}`, { cancelPolicy: percent, timeZone: 'Asia/Tokyo' }, { ifMatch: 1 });
    await stage.at(owner, 'PATCH', `/events/${mine.event}/promo-codes/${mine.promo}`, { percent: 12.34 }, { ifMatch: 1 });
    const folded = await fold();
    for (const table of tables) {
      const stored = (await stage.house.sql.query(`SELECT * FROM ${table}`)).rows as Record<string, unknown>[];
      expect(stored.length, table).toBeGreaterThan(0);
      expect(new Map(stored.map((row) => [keyOf(table, row), digested(table, row)])), table).toEqual(folded.get(table));
    }
  });

  const keyOf = (table: string, row: Record<string, unknown>) =>
    table === 'catalog.seat_map' ? `${String(row.venue_id)}/${String(row.version)}` : String(row.id);

  /** The last state of each row in the event store, as JSON. */
  async function fold(): Promise<Map<string, Map<string, unknown>>> {
    const folded = new Map<string, Map<string, unknown>>();
    const { rows } = await stage.house.sql.query('SELECT data FROM platform.event ORDER BY seq');
    for (const { data } of rows as { data: { rows?: Record<string, Record<string, unknown>[]> } }[]) {
      for (const [table, changed] of Object.entries(data.rows ?? {})) {
        const state = folded.get(table) ?? new Map<string, unknown>();
        for (const row of changed) state.set(keyOf(table, row), row);
        folded.set(table, state);
      }
    }
    return folded;
  }

  /** A stored row as an event would hold it. */
  function digested(table: string, row: Record<string, unknown>): unknown {
    return JSON.parse(JSON.stringify(withoutPersonalData(table, row)));
  }
});
