// The inventory's SQL: a batch is one call of one function (libs/booking/migrations/batch.functions.ts), one commit, one verdict each.
import { Injectable } from '@nestjs/common';
import { bare, bytes, texts } from '../platform/db/arrays.js';
import { Database } from '../platform/db/database.js';
import {
  poolList,
  type ConfirmRequest,
  type ConfirmVerdict,
  type HoldRequest,
  type HoldVerdict,
  type ReleaseRequest,
  type ReleaseVerdict,
} from './inventory.rules.js';

type Replay = Extract<HoldVerdict, { said: 'replay' }>;
type Refused = Exclude<HoldVerdict['said'], 'held' | 'replay'>;

interface DecidedHolds {
  /** One for each request, in order, with commas. */
  verdicts: string;
  at: Date;
  /** What was decided before, for each `replay`, in order. */
  kept: Omit<Replay, 'said'>[] | null;
}

const call = (name: string, params: number) =>
  `SELECT * FROM booking.${name}(${Array.from({ length: params }, (_, i) => `$${i + 1}`).join(', ')})`;
const HOLD = call('hold_batch', 37);
const CONFIRM = call('confirm_batch', 17);
const RELEASE = call('release_batch', 13);

const json = (v: unknown) => (v === null || v === undefined ? null : JSON.stringify(v));

@Injectable()
export class InventoryRepository {
  constructor(private readonly db: Database) {}

  /** Decides holds in the order given. `wait`: wait for locked rows instead of skipping them. */
  async hold(batch: readonly HoldRequest[], wait: boolean): Promise<HoldVerdict[]> {
    const pools = poolList(batch);
    const lines = batch.flatMap((r) => r.lines);
    const places = batch.flatMap((r, i) => r.lines.map((_, j) => ({ request: i + 1, line: j + 1 })));
    const [decided] = await this.db.prepared<DecidedHolds>('hold-batch', HOLD, [
      wait, pools.org, pools.pool,
      bare(batch, (r) => r.orgId), bare(batch, (r) => r.bookingId), bare(batch, (r) => r.eventId), bare(batch, (r) => r.revision),
      bare(batch, (r) => r.holdSeconds), texts(batch, (r) => r.currency), bare(batch, (r) => r.total),
      bare(batch, (r) => r.promo?.id), bare(batch, (r) => r.promo?.maxUses), bare(batch, (r) => r.promo?.maxPerPerson),
      bare(batch, (r) => r.accountId), bytes(batch, (r) => r.person),
      texts(batch, (r) => r.email), texts(batch, (r) => r.name), texts(batch, (r) => r.locale), texts(batch, (r) => json(r.answers)),
      bytes(batch, (r) => r.claim.scope), texts(batch, (r) => r.claim.key), bytes(batch, (r) => r.claim.bodyHash), bare(batch, (r) => r.open),
      texts(batch, (r) => r.actor), texts(batch, (r) => r.requestId), texts(batch, (r) => r.traceId),
      bare(places, (p) => p.request), bare(places, (p) => p.line), bare(lines, (l) => l.ticketTypeId), bare(lines, (l) => pools.indexOf.get(l.poolId)),
      bare(lines, (l) => l.quantity), bare(lines, (l) => l.unitPrice), bare(lines, (l) => l.total), texts(lines, (l) => l.seatIds?.join(',') ?? null),
      bare(lines, (l) => l.salesStartAt?.toISOString()), bare(lines, (l) => l.salesEndAt?.toISOString()),
      bare(lines, (l) => l.maxPerPerson),
    ]); // prettier-ignore
    return verdictsOf(decided, batch);
  }

  async confirm(batch: readonly ConfirmRequest[], wait: boolean): Promise<ConfirmVerdict[]> {
    const pools = poolList(batch);
    const tickets = batch.flatMap((r) => r.tickets);
    const requests = batch.flatMap((r, i) => r.tickets.map(() => i + 1));
    const rows = await this.db.prepared<{ verdict: ConfirmVerdict['said']; decided_at: Date }>('confirm-batch', CONFIRM, [
      wait, pools.org, pools.pool,
      bare(batch, (r) => r.orgId), bare(batch, (r) => r.bookingId), bare(batch, (r) => r.version), bare(batch, (r) => r.late),
      texts(batch, (r) => r.actor), texts(batch, (r) => r.requestId), texts(batch, (r) => r.traceId), texts(batch, (r) => indexes(r.poolIds, pools.indexOf)),
      bare(requests, (i) => i), bare(tickets, (t) => t.id), bare(tickets, (t) => t.line), bare(tickets, (t) => t.ticketTypeId),
      texts(tickets, (t) => t.seatId), texts(tickets, (t) => t.code),
    ]); // prettier-ignore
    return rows.map((r) => (r.verdict === 'confirmed' ? { said: r.verdict, at: r.decided_at } : { said: r.verdict }));
  }

  async release(batch: readonly ReleaseRequest[], wait: boolean): Promise<ReleaseVerdict[]> {
    const pools = poolList(batch);
    const rows = await this.db.prepared<{ verdict: ReleaseVerdict['said'] }>('release-batch', RELEASE, [
      wait, pools.org, pools.pool,
      bare(batch, (r) => r.orgId), bare(batch, (r) => r.bookingId), bare(batch, (r) => r.version), texts(batch, (r) => r.reason), texts(batch, (r) => r.note),
      bare(batch, (r) => r.refund), texts(batch, (r) => r.actor), texts(batch, (r) => r.requestId), texts(batch, (r) => r.traceId), texts(batch, (r) => indexes(r.poolIds, pools.indexOf)),
    ]); // prettier-ignore
    return rows.map((r) => ({ said: r.verdict }));
  }

  /** Locks pools in id order, waiting, for a change that is no batch (partial cancel, seats moved, capacity). */
  async lockPools(orgId: string, poolIds: readonly string[]): Promise<void> {
    const sorted = [...new Set(poolIds)].sort();
    await this.db.query('SELECT booking.lock_pools($1, $2, true)', [sorted.map(() => orgId), sorted]);
  }

  /** Gives sold units of a pool back; to reserved while people wait. Needs the pool's lock. */
  async unsell(orgId: string, poolId: string, units: number): Promise<void> {
    await this.db.execute(
      `UPDATE booking.inventory SET sold = sold - $3, changes = changes + 1, reserved = reserved + CASE WHEN waiting > 0 THEN $3 ELSE 0 END
       WHERE org_id = $1 AND pool_id = $2`,
      [orgId, poolId, units],
    );
  }

  /** Units that a person gave back count against no limit any more. Needs the pool's lock. */
  async unuse(orgId: string, ticketTypeId: string, person: Buffer | null, units: number): Promise<void> {
    if (person === null) return;
    await this.db.execute(
      `UPDATE booking.person_use SET used = used - $4 WHERE org_id = $1 AND subject_id = $2 AND person = $3`,
      [orgId, ticketTypeId, person, units],
    );
  }
}

const indexes = (poolIds: readonly string[], indexOf: Map<string, number>) =>
  [...new Set(poolIds)].map((p) => indexOf.get(p)).join(',');

function verdictsOf({ verdicts, at, kept }: DecidedHolds, batch: readonly HoldRequest[]): HoldVerdict[] {
  let replays = 0;
  return verdicts.split(',').map((said, i) => {
    if (said === 'held') return { said, at, expiresAt: new Date(at.getTime() + batch[i].holdSeconds * 1000) };
    return said === 'replay' ? { said, ...kept![replays++] } : { said: said as Refused };
  });
}
