// All SQL about events and what they sell: loading, lists, the revision, and the snapshot that selling needs.
import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { decodeCursor, type PageRequest } from '../kernel/pages.js';
import { Database } from '../platform/db/database.js';
import type { CheckoutField as FieldForSale, EventForSale, EventStatus } from './catalog.port.js';
import { CheckoutField } from './checkout-field.entity.js';
import { Event } from './event.entity.js';
import { Pool, TicketType } from './ticket-type.entity.js';
import { Venue, type Place, type SeatMapImport } from './venue.entity.js';

export interface EventPath {
  orgId: string;
  eventId: string;
}

/** What selling needs, and what only the public page shows. */
export interface EventSnapshot extends EventForSale {
  description: string | null;
  venue: (NonNullable<EventForSale['venue']> & { location: Place | null }) | null;
}

export interface EventFilter extends PageRequest {
  status?: EventStatus;
  from?: Date;
  to?: Date;
}

interface SnapshotRow {
  event: Omit<Event, 'startsAt' | 'endsAt'>;
  starts_at: Date;
  ends_at: Date;
  over: boolean;
  revision: number;
  venue: {
    id: string;
    name: string;
    address: string | null;
    time_zone: string;
    latitude: number | null;
    longitude: number | null;
  };
  types: Record<string, never>[];
  fields: FieldForSale[];
}

/** One statement, so one moment: revision and content belong together. Timestamps in JSON are ISO 8601. */
const SNAPSHOT = `
SELECT e.starts_at, e.ends_at, e.status = 'published' AND e.ends_at <= platform.now() AS over, r.revision,
  jsonb_build_object('orgId', e.org_id, 'id', e.id, 'title', e.title, 'description', e.description, 'status', e.status,
    'timeZone', e.time_zone, 'currency', e.currency, 'holdSeconds', e.hold_seconds, 'cancelUntilHours', e.cancel_until_hours,
    'cancelFeePercent', e.cancel_fee_hundredths / 100.0, 'cancelFeeAmount', e.cancel_fee_amount) AS event,
  to_jsonb(v) AS venue,
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'kind', t.kind, 'price', t.price, 'poolId', t.pool_id,
      'zone', t.zone, 'maxPerBooking', t.max_per_booking, 'maxPerPerson', t.max_per_person, 'salesStartAt', t.sales_start_at,
      'salesEndAt', t.sales_end_at, 'accessCode', t.access_code, 'position', t.position) ORDER BY t.position, t.id)
    FROM catalog.ticket_type t WHERE t.org_id = e.org_id AND t.event_id = e.id), '[]') AS types,
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', f.id, 'label', f.label, 'kind', f.kind, 'required', f.required,
      'choices', f.choices, 'per', f.per) ORDER BY f.position, f.id)
    FROM catalog.checkout_field f WHERE f.org_id = e.org_id AND f.event_id = e.id AND f.archived_at IS NULL), '[]') AS fields
FROM catalog.event e
JOIN catalog.event_revision r ON r.org_id = e.org_id AND r.event_id = e.id
LEFT JOIN catalog.venue v ON v.org_id = e.org_id AND v.id = e.venue_id`;

@Injectable()
export class CatalogRepository {
  constructor(private readonly db: Database) {}

  find(orgId: string, id: string): Promise<Event | null> {
    return this.db.find(Event, { orgId, id });
  }

  /** Loads an event and keeps every other change of it and of what it sells waiting. */
  lock(orgId: string, id: string): Promise<Event | null> {
    return this.db.findForUpdate(Event, { orgId, id });
  }

  async beginRevision(orgId: string, eventId: string): Promise<void> {
    await this.db.execute('INSERT INTO catalog.event_revision (org_id, event_id, revision) VALUES ($1, $2, 0)', [orgId, eventId]);
  }

  async raiseRevision(orgId: string, eventId: string): Promise<number> {
    const sql =
      'UPDATE catalog.event_revision SET revision = revision + 1 WHERE org_id = $1 AND event_id = $2 RETURNING revision';
    const [{ revision }] = await this.db.query<{ revision: number }>(sql, [orgId, eventId]);
    return revision;
  }

  capacities(orgId: string): Promise<{ poolId: string; eventId: string; capacity: number }[]> {
    const sql = 'SELECT id AS "poolId", event_id AS "eventId", capacity FROM catalog.pool WHERE org_id = $1 ORDER BY id';
    return this.db.query(sql, [orgId]);
  }

  /** An event as it may be sold or was; null while nobody published it. */
  async snapshot(orgId: string, eventId: string): Promise<EventSnapshot | null> {
    const sql = `${SNAPSHOT} WHERE e.org_id = $1 AND e.id = $2 AND e.published_at IS NOT NULL`;
    const [row] = await this.db.prepared<SnapshotRow>('catalog-snapshot', sql, [orgId, eventId]);
    return row ? snapshotOf(row) : null;
  }

  /** Several at one moment, by id. */
  async snapshots(paths: EventPath[]): Promise<Map<string, EventSnapshot>> {
    const sql = `${SNAPSHOT} JOIN unnest($1::uuid[], $2::uuid[]) AS wanted (org, id) ON e.org_id = wanted.org AND e.id = wanted.id
      WHERE e.published_at IS NOT NULL`;
    const rows = await this.db.prepared<SnapshotRow>('catalog-snapshots', sql, [
      paths.map((p) => p.orgId),
      paths.map((p) => p.eventId),
    ]);
    return new Map(rows.map((row) => [row.event.id, snapshotOf(row)]));
  }

  /** An organization's events by start, one more than the page holds. */
  async events(orgId: string, { limit, cursor, status, from, to }: EventFilter): Promise<Event[]> {
    const after = decodeCursor(cursor, 2);
    const params: unknown[] = [orgId];
    const put = (value: unknown) => `$${params.push(value)}`;
    const where = ['org_id = $1'];
    // What is over had begun, which the index knows of.
    if (status === 'past') where.push(`status = 'published' AND ends_at <= platform.now() AND starts_at < platform.now()`);
    else if (status === 'published') where.push(`status = 'published' AND ends_at > platform.now()`);
    else if (status) where.push(`status = ${put(status)}`);
    if (from) where.push(`starts_at >= ${put(from)}`);
    if (to) where.push(`starts_at < ${put(to)}`);
    if (after) where.push(`(starts_at, id) > (${put(after[0])}::timestamptz, ${put(after[1])}::uuid)`);
    const sql = `SELECT id FROM catalog.event WHERE ${where.join(' AND ')} ORDER BY starts_at, id LIMIT ${put(limit + 1)}`;
    const ids = (await this.db.query<{ id: string }>(sql, params)).map((row) => row.id);
    const byId = new Map((await this.db.findAll(Event, { orgId, id: In(ids) })).map((event) => [event.id, event]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  }

  /** Events of a venue that the public sees, by id. */
  async liveAt(orgId: string, venueId: string): Promise<string[]> {
    const sql = `SELECT id FROM catalog.event WHERE org_id = $1 AND venue_id = $2 AND status = 'published' AND ends_at > platform.now() ORDER BY id`;
    return (await this.db.query<{ id: string }>(sql, [orgId, venueId])).map((row) => row.id);
  }

  /** An organization's venues by id, after one. */
  async venues(orgId: string, after: string | number | undefined, limit: number): Promise<Venue[]> {
    const sql = `SELECT id FROM catalog.venue WHERE org_id = $1 AND ($2::uuid IS NULL OR id > $2::uuid) ORDER BY id LIMIT $3`;
    const ids = (await this.db.query<{ id: string }>(sql, [orgId, after ?? null, limit])).map((row) => row.id);
    const venues = await this.db.findAll(Venue, { orgId, id: In(ids) });
    return venues.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** What venues' newest seat maps are, without the maps, by venue. */
  async seatMaps(orgId: string, venueIds: string[]): Promise<Map<string, Omit<SeatMapImport, 'map'>>> {
    const rows = await this.db.query<Omit<SeatMapImport, 'map'>>(
      `SELECT m.org_id AS "orgId", m.venue_id AS "venueId", m.version, m.sha256, m.seats, m.created_at AS "createdAt"
       FROM catalog.seat_map m JOIN catalog.venue v ON v.org_id = m.org_id AND v.id = m.venue_id AND v.seat_map_version = m.version
       WHERE m.org_id = $1 AND m.venue_id = ANY ($2::uuid[])`,
      [orgId, venueIds],
    );
    return new Map(rows.map((row) => [row.venueId, row]));
  }

  /** A seat map as the JSON it is kept as; null for a version that never was. */
  async seatMap({ orgId, venueId }: { orgId: string; venueId: string }, version: number): Promise<string | null> {
    const sql = 'SELECT map FROM catalog.seat_map WHERE org_id = $1 AND venue_id = $2 AND version = $3';
    return (await this.db.query<{ map: string }>(sql, [orgId, venueId, version]))[0]?.map ?? null;
  }

  /** One of an event's things; null for another event's or another organization's. */
  findOf<E extends Pool | TicketType | CheckoutField>(kind: new () => E, at: EventPath, id: string): Promise<E | null> {
    return this.db.find(kind as new () => Pool, { orgId: at.orgId, eventId: at.eventId, id }) as Promise<E | null>;
  }

  /** All of an event's, in the order in which people see them. At most the context's limits, so never many. */
  async allOf<E extends Pool | TicketType | CheckoutField>(kind: new () => E, { orgId, eventId }: EventPath): Promise<E[]> {
    const all = (await this.db.findAll(kind as new () => Pool, { orgId, eventId })) as E[];
    const position = (one: E) => ('position' in one ? one.position : 0);
    return all.sort((a, b) => position(a) - position(b) || (a.id < b.id ? -1 : 1));
  }
}

const instant = (text: string | null): Date | null => (text === null ? null : new Date(text));

function snapshotOf({
  event,
  venue,
  types,
  fields,
  over,
  revision,
  starts_at: startsAt,
  ends_at: endsAt,
}: SnapshotRow): EventSnapshot {
  const { cancelUntilHours, cancelFeePercent, cancelFeeAmount, ...rest } = event;
  const place =
    venue && venue.latitude !== null && venue.longitude !== null ? { lat: venue.latitude, lon: venue.longitude } : null;
  return {
    ...rest,
    status: over ? 'past' : event.status,
    startsAt,
    endsAt,
    revision,
    cancelPolicy: { untilHours: cancelUntilHours, feePercent: Number(cancelFeePercent), feeAmount: cancelFeeAmount },
    venue: venue && { id: venue.id, name: venue.name, address: venue.address, timeZone: venue.time_zone, location: place },
    fields,
    ticketTypes: types.map((t) => ({ ...t, salesStartAt: instant(t.salesStartAt), salesEndAt: instant(t.salesEndAt) }) as never),
  };
}
