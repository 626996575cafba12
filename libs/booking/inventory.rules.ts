// What the inventory is asked and what it answers: a list of requests in, a verdict each out. Pure types and their packing into arrays.
import type { IdempotencyClaim } from '../platform/http/idempotency.js';

export interface HoldLine {
  ticketTypeId: string;
  poolId: string;
  quantity: number;
  unitPrice: number;
  total: number;
  seatIds: string[] | null;
  salesStartAt: Date | null;
  salesEndAt: Date | null;
  maxPerPerson: number | null;
}

export interface HoldRequest {
  kind: 'hold';
  orgId: string;
  bookingId: string;
  eventId: string;
  /** The event's revision that prices, limits and windows were taken from. */
  revision: number;
  holdSeconds: number;
  currency: string;
  total: number;
  promo: { id: string; maxUses: number | null; maxPerPerson: number | null } | null;
  accountId: string | null;
  person: Buffer | null;
  email: string | null;
  name: string | null;
  locale: string;
  answers: unknown;
  claim: IdempotencyClaim;
  /** Its seats were chosen for the buyer: when they are taken, others are tried under the same key. */
  open: boolean;
  actor: string;
  requestId: string;
  /** W3C trace id of the request, where it sent one. */
  traceId: string | null;
  lines: HoldLine[];
}

export interface NewTicket {
  id: string;
  line: number;
  ticketTypeId: string;
  seatId: string | null;
  code: string;
}

export interface ConfirmRequest {
  kind: 'confirm';
  orgId: string;
  bookingId: string;
  version: number;
  /** Money was taken: a hold that has ended is seated again where there is stock. */
  late: boolean;
  poolIds: string[];
  tickets: NewTicket[];
  actor: string;
  requestId: string;
  traceId: string | null;
}

export interface ReleaseRequest {
  kind: 'release';
  orgId: string;
  bookingId: string;
  /** The version that the decision to cancel was made on; null for a hold whose time is over. */
  version: number | null;
  reason: string;
  /** What the organizer or buyer wrote about it; personal. */
  note: string | null;
  refund: number;
  poolIds: string[];
  actor: string;
  requestId: string;
  traceId: string | null;
}

export type StockRequest = HoldRequest | ConfirmRequest | ReleaseRequest;

export type HoldVerdict =
  | { said: 'held'; expiresAt: Date; at: Date }
  /** The key was decided before: a refusal's code, or the booking that was made. */
  | { said: 'replay'; status: number; code: string | null; bookingId: string | null; requestId: string }
  | { said: 'reused' | 'stale' | 'not_on_sale' | 'sold_out' | 'seat_taken' | 'seat_unknown' | 'limit_exceeded' | 'skipped' };

export type ConfirmVerdict =
  | { said: 'confirmed'; at: Date }
  | { said: 'already' | 'stale' | 'hold_expired' | 'bad_transition' | 'sold_out' | 'not_found' | 'skipped' };

export type ReleaseVerdict = { said: 'cancelled' | 'already' | 'stale' | 'alive' | 'not_found' | 'skipped' };

export type Verdict = HoldVerdict | ConfirmVerdict | ReleaseVerdict;

/** Which pools a request touches. All of them are of one event, and so of one organization. */
export const poolsOf = (r: StockRequest): string[] => (r.kind === 'hold' ? r.lines.map((l) => l.poolId) : r.poolIds);

export interface PoolList {
  org: string[];
  pool: string[];
  /** The place of a pool in the list, from 1 as SQL counts. */
  indexOf: Map<string, number>;
}

/** The distinct pools of a batch in id order: the order in which every batch of every process locks them. */
export function poolList(batch: readonly StockRequest[]): PoolList {
  const orgOf = new Map<string, string>();
  for (const r of batch) for (const pool of poolsOf(r)) orgOf.set(pool, r.orgId);
  const pool = [...orgOf.keys()].sort();
  return { org: pool.map((p) => orgOf.get(p)!), pool, indexOf: new Map(pool.map((p, i) => [p, i + 1])) };
}
