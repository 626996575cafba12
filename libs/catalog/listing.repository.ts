// All SQL of the public listing: one row an event that is published and not over, kept beside the event in the same transaction.
import { Injectable } from '@nestjs/common';
import { decodeCursor, type PageRequest } from '../kernel/pages.js';
import { Database } from '../platform/db/database.js';
import type { EventPath } from './catalog.repository.js';
import type { Event } from './event.entity.js';
import { boxAround, distanceSql, plainLetters, searchQuery, type Near } from './listing.rules.js';

export interface ListingQuery extends PageRequest {
  q?: string;
  from?: Date;
  to?: Date;
  near?: Near;
}

export interface Listed extends EventPath {
  startsAt: Date;
}

const LISTED = `org_id AS "orgId", event_id AS "eventId", starts_at AS "startsAt"`;

/** So many of the next events are looked through for what was asked for before an index is. */
const NEXT = 1000;

@Injectable()
export class ListingRepository {
  constructor(private readonly db: Database) {}

  /** Makes the event's row what the event and its venue say now. */
  async refresh(event: Event): Promise<void> {
    const { orgId, id } = event;
    if (event.status !== 'published') {
      await this.db.execute('DELETE FROM catalog.listing WHERE org_id = $1 AND event_id = $2', [orgId, id]);
      return;
    }
    const venue = await this.venueOf(event);
    const words = plainLetters([event.title, venue?.name, venue?.address, event.description].filter(Boolean).join('\n'));
    await this.db.execute(
      `INSERT INTO catalog.listing (org_id, event_id, starts_at, ends_at, latitude, longitude, words)
       VALUES ($1, $2, $3, $4, $5, $6, to_tsvector('simple', $7))
       ON CONFLICT (org_id, event_id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at,
         latitude = excluded.latitude, longitude = excluded.longitude, words = excluded.words`,
      [orgId, id, event.startsAt, event.endsAt, venue?.latitude ?? null, venue?.longitude ?? null, words],
    );
  }

  /** Locked against change, so that a venue that moves at the same time finds this event, or this event finds it moved. */
  private async venueOf({ orgId, venueId }: Event) {
    if (venueId === null) return null;
    const sql = 'SELECT name, address, latitude, longitude FROM catalog.venue WHERE org_id = $1 AND id = $2 FOR SHARE';
    type Row = { name: string; address: string | null; latitude: number | null; longitude: number | null };
    return (await this.db.query<Row>(sql, [orgId, venueId]))[0] ?? null;
  }

  /** What the public finds, by start, one more than the page holds. `from` is included, `to` is not; both ask for the start. */
  async search({ q, from, to, near, limit, cursor }: ListingQuery): Promise<Listed[]> {
    const after = decodeCursor(cursor, 2);
    const params: unknown[] = [];
    const put = (value: unknown) => `$${params.push(value)}`;
    // Asked once: the function itself would be called for every row.
    const when = ['ends_at > (SELECT platform.now())'];
    if (from) when.push(`starts_at >= ${put(from)}`);
    if (to) when.push(`starts_at < ${put(to)}`);
    if (after) when.push(`(starts_at, event_id) > (${put(after[0])}::timestamptz, ${put(after[1])}::uuid)`);
    const what: string[] = [];
    if (q !== undefined) {
      const query = searchQuery(q);
      if (query === null) return [];
      what.push(`words @@ to_tsquery('simple', ${put(query)})`);
    }
    if (near) what.push(...nearConditions(near, put));
    const page = `ORDER BY starts_at, event_id LIMIT ${put(limit + 1)}`;
    if (what.length === 0)
      return this.db.query<Listed>(`SELECT ${LISTED} FROM catalog.listing WHERE ${when.join(' AND ')} ${page}`, params);
    // What is common is among the next events. What is not is found by its index, and sorted: left to itself, Postgres takes two common
    // words for a common pair, and looks for a pair that never occurs through all events by their time.
    const next = `SELECT * FROM catalog.listing WHERE ${when.join(' AND ')} ORDER BY starts_at, event_id LIMIT ${NEXT}`;
    const soon = await this.db.query<Listed>(`SELECT ${LISTED} FROM (${next}) next WHERE ${what.join(' AND ')} ${page}`, params);
    if (soon.length > limit) return soon;
    return this.db.query<Listed>(
      `WITH found AS MATERIALIZED (SELECT * FROM catalog.listing WHERE ${[...when, ...what].join(' AND ')}) SELECT ${LISTED} FROM found ${page}`,
      params,
    );
  }

  /** Takes away up to 1 000 rows of events that are over; returns how many. An event that is moved later comes back by its change. */
  forgetPast(): Promise<number> {
    return this.db.execute(
      `DELETE FROM catalog.listing l USING (
         SELECT org_id, event_id FROM catalog.listing WHERE ends_at <= platform.now() ORDER BY ends_at LIMIT 1000 FOR UPDATE SKIP LOCKED
       ) past WHERE l.org_id = past.org_id AND l.event_id = past.event_id`,
    );
  }
}

/** First the box, which the index knows, then the circle in it. */
function nearConditions(near: Near, put: (value: unknown) => string): string[] {
  const { south, north, west, east } = boxAround(near);
  const [w, e] = [put(west), put(east)];
  return [
    `latitude BETWEEN ${put(south)} AND ${put(north)}`,
    west <= east ? `longitude BETWEEN ${w} AND ${e}` : `(longitude >= ${w} OR longitude <= ${e})`,
    `${distanceSql(`${put(near.lat)}::float8`, `${put(near.lon)}::float8`)} <= ${put(near.km)}`,
  ];
}
