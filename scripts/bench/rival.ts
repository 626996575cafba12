// The rival: the usual algorithm. One buyer after another locks the pool's row, checks, writes the same rows as the batch, and commits.
import { randomUUID } from 'node:crypto';
import type { HoldRequest, HoldVerdict } from '../../libs/booking/inventory.rules.js';
import type { Database } from '../../libs/platform/db/database.js';
import type { Redis } from '../../libs/platform/redis/redis.js';

export class LockPerBooking {
  /** Fair and not spinning: who wants the Redis lock waits for the one before. */
  private last: Promise<unknown> = Promise.resolve();

  /** `redis`: take a lock there before the row's. */
  constructor(
    private readonly db: Database,
    private readonly redis: Redis | null,
  ) {}

  hold(request: HoldRequest): Promise<HoldVerdict> {
    const work = () => this.db.detached(() => this.transaction(request));
    const { redis } = this;
    if (!redis) return work();
    const mine = this.last.then(async () => {
      const key = `bench:${request.eventId}`;
      const owner = randomUUID();
      await redis.ask((r) => r.set(key, owner, 'PX', 10_000, 'NX'), null);
      return work().finally(() => redis.ask((r) => r.del(key), 0));
    });
    this.last = mine.catch(() => undefined);
    return mine;
  }

  private transaction(r: HoldRequest): Promise<HoldVerdict> {
    return this.db.transaction(async () => {
      const key = [r.orgId, r.claim.scope, r.claim.key];
      const [line] = r.lines;
      const kept = await this.db.prepared(
        'b-key',
        `SELECT 1 FROM platform.idempotency WHERE org_id = $1 AND scope = $2 AND key = $3`,
        key,
      );
      if (kept.length > 0) throw new Error('The benchmark sends no key twice.');
      const sale = `SELECT revision FROM booking.event_sale WHERE org_id = $1 AND event_id = $2 AND on_sale AND ends_at > platform.now()`;
      const [{ revision }] = await this.db.prepared<{ revision: number }>('b-sale', sale, [r.orgId, r.eventId]);
      if (Number(revision) !== Number(r.revision)) return { said: 'stale' };
      const [pool] = await this.db.prepared<{ free: number }>(
        'b-lock',
        `SELECT capacity - held - sold - reserved AS free FROM booking.inventory WHERE org_id = $1 AND pool_id = $2 FOR UPDATE`,
        [r.orgId, line.poolId],
      );
      if (pool.free < line.quantity) return { said: 'sold_out' };
      await this.db.prepared(
        'b-take',
        `UPDATE booking.inventory SET held = held + $3, changes = changes + 1 WHERE org_id = $1 AND pool_id = $2`,
        [r.orgId, line.poolId, line.quantity],
      );
      const [booked] = await this.db.prepared<{ expires_at: Date; created_at: Date }>('b-booking', BOOK, [
        r.orgId, r.bookingId, r.eventId, r.holdSeconds, r.currency, r.total, r.email, r.name,
        line.ticketTypeId, line.poolId, line.quantity, line.total, r.actor, r.requestId,
      ]); // prettier-ignore
      await this.db.prepared(
        'b-keep',
        `INSERT INTO platform.idempotency (org_id, scope, key, body_hash, status, subject_id, request_id) VALUES ($1, $2, $3, $4, 201, $5, $6)`,
        [...key, r.claim.bodyHash, r.bookingId, r.requestId],
      );
      return { said: 'held', expiresAt: booked.expires_at, at: booked.created_at };
    });
  }
}

const BOOK = `
  WITH b AS (INSERT INTO booking.booking (org_id, id, event_id, status, expires_at, currency, total, contact_email, contact_name, created_at)
    VALUES ($1, $2, $3, 'PENDING', platform.now() + $4 * interval '1 second', $5, $6, $7, $8, platform.now()) RETURNING *),
  i AS (INSERT INTO booking.item (org_id, booking_id, line, ticket_type_id, pool_id, quantity, unit_price, total)
    VALUES ($1, $2, 1, $9, $10, $11, $12, $12) RETURNING *)
  SELECT b.expires_at, b.created_at, platform.event_append(ARRAY[b.org_id], ARRAY['booking:' || b.id], ARRAY[1], 'booking.held',
    ARRAY[format('{"orgId":"%1$s","bookingId":"%2$s","eventId":"%3$s","rows":{"booking.booking":[{"org_id":"%1$s","id":"%2$s","event_id":"%3$s","status":"PENDING","version":1,'
      '"currency":"%4$s","total":%5$s,"created_at":%6$s,"expires_at":%7$s}],"booking.item":[{"org_id":"%1$s","booking_id":"%2$s","line":1,"ticket_type_id":"%8$s","pool_id":"%9$s",'
      '"quantity":%10$s,"unit_price":%11$s,"total":%5$s}]}}', b.org_id, b.id, b.event_id, b.currency, b.total, to_json(b.created_at), to_json(b.expires_at),
      i.ticket_type_id, i.pool_id, i.quantity, i.unit_price)],
    ARRAY[$13], ARRAY[$14], NULL, b.created_at) FROM b, i`;
