// The stock in SQL, apart from the batch: pools and sales as catalog tells them, and what is left for everyone to see.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';

export interface PoolState {
  poolId: string;
  capacity: number;
  held: number;
  sold: number;
  reserved: number;
  waiting: number;
  changes: number;
}

export interface SaleTold {
  orgId: string;
  eventId: string;
  revision: number;
  onSale: boolean;
  startsAt: Date;
  endsAt: Date;
  timeZone: string;
  currency: string;
}

export interface SalesMonth {
  month: string;
  currency: string;
  bookings: number;
  cancelled: number;
  revenue: number;
}

@Injectable()
export class StockRepository {
  constructor(private readonly db: Database) {}

  async createPool(pool: { orgId: string; eventId: string; poolId: string; capacity: number }): Promise<void> {
    await this.db.execute(`INSERT INTO booking.inventory (org_id, pool_id, event_id, capacity) VALUES ($1, $2, $3, $4)`, [
      pool.orgId,
      pool.poolId,
      pool.eventId,
      pool.capacity,
    ]);
  }

  /** False when more is held, sold or reserved than the new capacity. */
  async setCapacity(orgId: string, poolId: string, capacity: number): Promise<boolean> {
    const n = await this.db.execute(
      `UPDATE booking.inventory SET capacity = $3, changes = changes + 1 WHERE org_id = $1 AND pool_id = $2 AND held + sold + reserved <= $3`,
      [orgId, poolId, capacity],
    );
    return n > 0;
  }

  async tellSale(s: SaleTold): Promise<void> {
    await this.db.execute(
      `INSERT INTO booking.event_sale (org_id, event_id, revision, on_sale, starts_at, ends_at, time_zone, currency) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (org_id, event_id) DO UPDATE SET revision = excluded.revision, on_sale = excluded.on_sale, starts_at = excluded.starts_at,
         ends_at = excluded.ends_at, time_zone = excluded.time_zone, currency = excluded.currency`,
      [s.orgId, s.eventId, s.revision, s.onSale, s.startsAt.toISOString(), s.endsAt.toISOString(), s.timeZone, s.currency],
    );
  }

  pools(orgId: string, eventId: string): Promise<PoolState[]> {
    return this.db.prepared<PoolState>(
      'pools-of-event',
      `SELECT pool_id AS "poolId", capacity, held, sold, reserved, waiting, changes FROM booking.inventory WHERE org_id = $1 AND event_id = $2 ORDER BY pool_id`,
      [orgId, eventId],
    );
  }

  /** Which revision of the event is for sale; null when it never was. */
  async revision(orgId: string, eventId: string): Promise<number | null> {
    const sql = `SELECT revision FROM booking.event_sale WHERE org_id = $1 AND event_id = $2`;
    const [row] = await this.db.prepared<{ revision: number }>('sale-revision', sql, [orgId, eventId]);
    return row?.revision ?? null;
  }

  /** Sales by the month of the event's start, as its own zone writes it. Holds that never became bookings do not count. */
  salesByMonth(orgId: string): Promise<SalesMonth[]> {
    return this.db.query<SalesMonth>(
      `SELECT to_char(s.starts_at AT TIME ZONE s.time_zone, 'YYYY-MM') AS month, b.currency, count(*)::int AS bookings,
         count(*) FILTER (WHERE b.status = 'CANCELLED')::int AS cancelled,
         coalesce(sum(b.total) FILTER (WHERE b.status = 'CONFIRMED'), 0)::bigint AS revenue
       FROM booking.booking b JOIN booking.event_sale s ON s.org_id = b.org_id AND s.event_id = b.event_id
       WHERE b.org_id = $1 AND b.confirmed_at IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2`,
      [orgId],
    );
  }
}
