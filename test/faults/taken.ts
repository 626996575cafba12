// Taken: how many places of each ticket type were taken at every moment, by the event store; what was oversold, and who was told a lie.
import type pg from 'pg';

/** Somebody was told between these moments (milliseconds since 1970) that so many are not to be had. */
export interface Refusal {
  ticketTypeId: string;
  quantity: number;
  from: number;
  to: number;
}

interface Row {
  id: string;
  ticketTypeId: string;
  quantity: number;
  capacity: number;
  type: string;
  at: number;
}

interface Change {
  at: number;
  by: number;
}

/** A booking takes its places when it is held, and when it is confirmed although its hold had ended; a hold that ran out gave them back when it did. */
const HISTORY = `
  SELECT e.data->>'bookingId' AS id, i.ticket_type_id AS "ticketTypeId", i.quantity, v.capacity, e.type,
    1000 * extract(epoch FROM CASE e.type
      WHEN 'booking.cancelled' THEN CASE WHEN row->>'cancel_reason' = 'expired' AND NOT (row->>'extended')::boolean
        THEN (h.data #>> '{rows,booking.booking,0,expires_at}')::timestamptz ELSE (row->>'cancelled_at')::timestamptz END
      WHEN 'booking.confirmed' THEN (row->>'confirmed_at')::timestamptz
      ELSE (row->>'created_at')::timestamptz END)::float8 AS at
  FROM platform.event e
  CROSS JOIN LATERAL (SELECT e.data #> '{rows,booking.booking,0}' AS row) r
  JOIN platform.event h ON h.org_id = e.org_id AND h.stream = e.stream AND h.stream_version = 1
  JOIN booking.item i ON i.org_id = e.org_id AND i.booking_id = (e.data->>'bookingId')::uuid
  JOIN booking.inventory v ON v.org_id = i.org_id AND v.pool_id = i.pool_id
  WHERE e.org_id = $1 AND e.type IN ('booking.held', 'booking.confirmed', 'booking.cancelled')
  ORDER BY e.stream, e.stream_version`;

const COUNTERS = `
  SELECT v.pool_id AS pool, v.held, v.sold, v.reserved, v.capacity,
    coalesce(sum(i.quantity) FILTER (WHERE b.status = 'PENDING'), 0)::int AS "rowsHeld",
    coalesce(sum(i.quantity) FILTER (WHERE b.status = 'CONFIRMED'), 0)::int AS "rowsSold"
  FROM booking.inventory v
  LEFT JOIN booking.item i ON i.org_id = v.org_id AND i.pool_id = v.pool_id
  LEFT JOIN booking.booking b ON b.org_id = i.org_id AND b.id = i.booking_id
  WHERE v.org_id = $1 GROUP BY v.org_id, v.pool_id`;

/** Everything wrong about an organization's stock, at any moment until now. */
export async function stockFindings(sql: pg.Pool, orgId: string, refusals: readonly Refusal[]): Promise<string[]> {
  const { rows } = await sql.query<Row>(HISTORY, [orgId]);
  const wrong = await counterFindings(sql, orgId);
  const types = new Set([...rows, ...refusals].map((r) => r.ticketTypeId));
  for (const typeId of types) {
    const ofType = rows.filter((r) => r.ticketTypeId === typeId);
    const capacity = ofType[0]?.capacity ?? Infinity;
    const most = Math.max(0, ...levels(changesOf(ofType, 0)).map((l) => l.taken));
    if (most > capacity) wrong.push(`${most} places of ${typeId} were taken at one moment; ${capacity} exist`);
    // Times are whole milliseconds, so what ended in one may have been taken during it.
    const known = levels(changesOf(ofType, 1));
    for (const refusal of refusals.filter((r) => r.ticketTypeId === typeId))
      if (!known.some((l) => l.from <= refusal.to && l.to >= refusal.from && l.taken + refusal.quantity > capacity))
        wrong.push(
          `sold out, it was said between ${refusal.from} and ${refusal.to}; ${refusal.quantity} of ${typeId} were to be had`,
        );
  }
  return wrong;
}

async function counterFindings(sql: pg.Pool, orgId: string): Promise<string[]> {
  const { rows } = await sql.query<Record<string, number>>(COUNTERS, [orgId]);
  return rows
    .filter((r) => r.held !== r.rowsHeld || r.sold !== r.rowsSold || r.held + r.sold + r.reserved > r.capacity)
    .map((r) => `the counters are not what the rows say: ${JSON.stringify(r)}`);
}

/** In order of time; at one moment what ends goes first. */
function changesOf(history: readonly Row[], endsLaterMs: number): Change[] {
  const live = new Set<string>();
  const changes: Change[] = [];
  for (const { id, type, quantity, at } of history) {
    const takes = type !== 'booking.cancelled';
    if (takes === live.has(id)) continue;
    if (takes) live.add(id);
    else live.delete(id);
    changes.push(takes ? { at, by: quantity } : { at: at + endsLaterMs, by: -quantity });
  }
  return changes.sort((a, b) => a.at - b.at || a.by - b.by);
}

/** From each change to the next: how many are taken. */
function levels(changes: readonly Change[]): { from: number; to: number; taken: number }[] {
  let taken = 0;
  return changes.map(({ at, by }, i) => ({ from: at, to: changes[i + 1]?.at ?? Infinity, taken: (taken += by) }));
}
