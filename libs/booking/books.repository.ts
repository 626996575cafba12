// Booking's books in SQL: every counter beside what it is counted from. Each check names rows (key, column, stored, expected) of one organization ($1).
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { MAX_LISTED, type Difference } from '../platform/eventstore/books.spi.js';

type Told = Omit<Difference, 'orgId' | 'table'>;

export interface Capacity {
  poolId: string;
  eventId: string;
  capacity: number;
}

/** Two sides of a check put together: what is stored against what it should be, in any column. `0` is what a missing counter says. */
const beside = (key: string, column: string, stored: string, expected: string) =>
  `SELECT ${key} AS key, '${column}' AS column, (${stored})::text AS stored, (${expected})::text AS expected`;

const LIVE = `b.status IN ('PENDING', 'CONFIRMED')`;

/** Held and sold, from the items of live bookings; the event a pool is of, from the bookings that draw on it. */
const INVENTORY = ['held', 'sold'].map(
  (column) => `
  ${beside('pool_id::text', column, `coalesce(v.${column}, 0)`, 'coalesce(q.n, 0)')}
  FROM (SELECT * FROM booking.inventory WHERE org_id = $1) v
  FULL JOIN (SELECT i.pool_id, sum(i.quantity) AS n FROM booking.booking b JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id
    WHERE b.org_id = $1 AND b.status = '${column === 'held' ? 'PENDING' : 'CONFIRMED'}' GROUP BY 1) q USING (pool_id)
  WHERE coalesce(v.${column}, 0) <> coalesce(q.n, 0)`,
);

/** A seat's state and owner, from the items of live bookings. Seats that an organizer blocked belong to nobody. */
const SEATS = `
  WITH owned AS (
    SELECT b.event_id, u.seat_id, (array_agg(b.id ORDER BY b.id))[1] AS booking_id, count(*) AS owners,
      max(CASE b.status WHEN 'CONFIRMED' THEN 'sold' ELSE 'held' END) AS state
    FROM booking.booking b JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id, unnest(i.seat_ids) u(seat_id)
    WHERE b.org_id = $1 AND ${LIVE} GROUP BY 1, 2),
  wrong AS (
    SELECT event_id, seat_id, s.state, s.booking_id, o.state AS owned_as, o.booking_id AS owner, o.owners
    FROM (SELECT * FROM booking.seat WHERE org_id = $1) s FULL JOIN owned o USING (event_id, seat_id)
    WHERE s.seat_id IS NULL OR o.owners > 1 OR s.booking_id IS DISTINCT FROM o.booking_id
      OR (s.state <> o.state) OR (o.seat_id IS NULL AND s.state NOT IN ('free', 'blocked')))
  ${beside(`event_id || '/' || seat_id`, 'state', 'state', `coalesce(owned_as, 'free')`)} FROM wrong WHERE state IS DISTINCT FROM coalesce(owned_as, 'free')
  UNION ALL ${beside(`event_id || '/' || seat_id`, 'booking_id', 'booking_id', 'owner')} FROM wrong WHERE booking_id IS DISTINCT FROM owner
  UNION ALL ${beside(`event_id || '/' || seat_id`, 'booking_id', `owners || ' live bookings'`, `'1'`)} FROM wrong WHERE owners > 1`;

/** Uses of promo codes, and what each person has of a ticket type or promo code: of live bookings. */
const PROMO_USE = `
  ${beside('promo_id::text', 'used', 'coalesce(p.used, 0)', 'coalesce(q.n, 0)')}
  FROM (SELECT * FROM booking.promo_use WHERE org_id = $1) p
  FULL JOIN (SELECT b.promo_id, count(*) AS n FROM booking.booking b WHERE b.org_id = $1 AND b.promo_id IS NOT NULL AND ${LIVE} GROUP BY 1) q USING (promo_id)
  WHERE coalesce(p.used, 0) <> coalesce(q.n, 0)`;
const PERSON_USE = `
  ${beside(`subject_id || '/' || person::text`, 'used', 'coalesce(p.used, 0)', 'coalesce(q.n, 0)')}
  FROM (SELECT * FROM booking.person_use WHERE org_id = $1) p
  FULL JOIN (
    SELECT subject_id, person, sum(n) AS n FROM (
      SELECT i.ticket_type_id AS subject_id, b.person, i.quantity AS n FROM booking.booking b
      JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id WHERE b.org_id = $1 AND b.person IS NOT NULL AND ${LIVE}
      UNION ALL SELECT b.promo_id, b.person, 1 FROM booking.booking b
      WHERE b.org_id = $1 AND b.person IS NOT NULL AND b.promo_id IS NOT NULL AND ${LIVE}) x GROUP BY 1, 2) q USING (subject_id, person)
  WHERE coalesce(p.used, 0) <> coalesce(q.n, 0)`;

/** A confirmed booking has a ticket for each unit and seat of its lines, every other one none that is valid; its total is that of its lines. */
const TICKETS = `
  WITH units AS (
    SELECT b.id, b.status, i.line, CASE b.status WHEN 'CONFIRMED' THEN i.quantity ELSE 0 END AS wanted,
      (SELECT count(*) FROM booking.ticket t WHERE t.org_id = i.org_id AND t.booking_id = i.booking_id AND t.line = i.line
         AND (t.status = 'valid' OR (t.status = 'used' AND b.status = 'CONFIRMED'))) AS there,
      CASE b.status WHEN 'CONFIRMED' THEN i.seat_ids END AS seats,
      (SELECT array_agg(t.seat_id) FROM booking.ticket t WHERE t.org_id = i.org_id AND t.booking_id = i.booking_id AND t.line = i.line
         AND t.status <> 'void' AND t.seat_id IS NOT NULL AND b.status = 'CONFIRMED') AS ticketed
    FROM booking.booking b JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id WHERE b.org_id = $1)
  ${beside(`id || '/' || line`, 'tickets', 'there', 'wanted')} FROM units WHERE there <> wanted
  UNION ALL ${beside(`id || '/' || line`, 'seat_id', 'ticketed', 'seats')} FROM units
  WHERE NOT (coalesce(ticketed, '{}') @> coalesce(seats, '{}') AND coalesce(seats, '{}') @> coalesce(ticketed, '{}'))`;
const TOTALS = `
  ${beside('b.id::text', 'total', 'b.total', 'coalesce(sum(i.total), 0)')}
  FROM booking.booking b LEFT JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id
  WHERE b.org_id = $1 GROUP BY b.id, b.total HAVING b.total <> coalesce(sum(i.total), 0)`;

/** An account's list, as far as its consumer has heard: what it has not, or what waits aside, is no difference. */
const ACCOUNTS = `
  ${beside(`b.account_id || '/' || b.id`, '*', `'no row'`, `'a row'`)}
  FROM booking.booking b JOIN platform.consumer c ON c.name = 'booking.of-account'
  JOIN platform.event e ON e.org_id = b.org_id AND e.stream = 'booking:' || b.id AND e.stream_version = 1 AND pg_visible_in_snapshot(e.xid, c.done)
  WHERE b.org_id = $1 AND b.account_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM booking.account_booking a WHERE a.account_id = b.account_id AND a.booking_id = b.id AND a.org_id = b.org_id)
    AND NOT EXISTS (SELECT 1 FROM platform.dead_letter d WHERE d.org_id = b.org_id AND d.consumer = c.name AND d.stream = e.stream)
  UNION ALL ${beside(`a.account_id || '/' || a.booking_id`, '*', `'a row'`, `'no row'`)}
  FROM booking.account_booking a LEFT JOIN booking.booking b ON b.org_id = a.org_id AND b.id = a.booking_id AND b.account_id = a.account_id
  WHERE a.org_id = $1 AND b.id IS NULL`;

/** A verdict that was kept as "made" names a booking that is there. */
const VERDICTS = `
  ${beside('k.subject_id::text', '*', `'a verdict'`, `'a booking'`)}
  FROM platform.idempotency k LEFT JOIN booking.booking b ON b.org_id = k.org_id AND b.id = k.subject_id
  WHERE k.org_id = $1 AND k.status = 201 AND k.subject_id IS NOT NULL AND b.id IS NULL`;

const CHECKS: readonly [table: string, sql: string][] = [
  ...INVENTORY.map((sql): [string, string] => ['booking.inventory', sql]),
  ['booking.seat', SEATS],
  ['booking.promo_use', PROMO_USE],
  ['booking.person_use', PERSON_USE],
  ['booking.ticket', TICKETS],
  ['booking.booking', TOTALS],
  ['booking.account_booking', ACCOUNTS],
  ['platform.idempotency', VERDICTS],
];

@Injectable()
export class BooksRepository {
  constructor(private readonly db: Database) {}

  async differences(orgId: string): Promise<Difference[]> {
    const found: Difference[] = [];
    for (const [table, sql] of CHECKS) {
      const rows = await this.db.query<Told>(`SELECT * FROM (${sql}) d ORDER BY key, "column" LIMIT ${MAX_LISTED}`, [orgId]);
      found.push(...rows.map((row) => ({ orgId, table, ...row })));
    }
    return found;
  }

  pools(orgId: string): Promise<Capacity[]> {
    return this.db.query<Capacity>(
      `SELECT pool_id AS "poolId", event_id AS "eventId", capacity FROM booking.inventory WHERE org_id = $1 ORDER BY pool_id`,
      [orgId],
    );
  }
}
