// Life: from when until when a booking certainly, and possibly, took stock, as far as its buyer's replies can tell.
import type { Exchange } from './client.js';
import { bookingIn, unitsOf, type BookingView, type Intent } from './ledger.js';
import type { Scene } from './stage.js';

/** Milliseconds since 1970 on this machine's clock; `to` is not part of it. */
export interface Span {
  from: number;
  to: number;
}

/** DESIGN 5, invariant 6. */
export const holdGraceMs = 5_000;

/** How this machine's clock and the server's differ: add `offsetMs` to a local time to get the server's, right within `marginMs`. */
export interface Skew {
  offsetMs: number;
  marginMs: number;
}

/** From the Date headers: each says that the server's clock stood within that second while the exchange lasted. */
export function skewOf(exchanges: readonly Exchange[]): Skew {
  const dated = exchanges.filter((exchange) => exchange.serverDate !== undefined);
  if (dated.length === 0) return { offsetMs: 0, marginMs: 1_500 };
  const low = Math.max(...dated.map((exchange) => exchange.serverDate! - exchange.endedAt));
  const high = Math.min(...dated.map((exchange) => exchange.serverDate! + 1_000 - exchange.sentAt));
  const offsetMs = (low + high) / 2;
  const marginMs = 500 + Math.abs(high - low) / 2;
  // Within the margin nothing is known: taking the clocks as one is the better guess, and exact on one machine.
  return Math.abs(offsetMs) < marginMs ? { offsetMs: 0, marginMs } : { offsetMs, marginMs };
}

export interface Clockwork {
  skew: Skew;
  /** When the server, or a part that sweeps holds, was down. */
  outages: readonly Span[];
}

/** When the hold ends by its own `expiresAt`, on this machine's clock. */
export function expiryOf(booking: BookingView, { skew }: Clockwork): number {
  const expiresAt = Date.parse(booking.expiresAt ?? '');
  return Number.isNaN(expiresAt) ? Number.POSITIVE_INFINITY : expiresAt - skew.offsetMs;
}

/** The latest moment at which units of a hold that ended at `end` may still be missing from stock. An outage starts the 5 s anew. */
export function backInStockBy(end: number, { skew, outages }: Clockwork): number {
  let by = end + holdGraceMs;
  for (const outage of [...outages].sort((a, b) => a.from - b.from)) {
    if (outage.from <= by && outage.to > end) by = Math.max(by, outage.to + holdGraceMs);
  }
  return by + skew.marginMs;
}

export interface Life {
  intent: Intent;
  booking: BookingView;
  general: number;
  seated: number;
  /** Certainly live (held or sold). */
  certain: Span[];
  certainlySold?: Span;
  possiblyHeld: Span;
  possiblySold?: Span;
}

export function lifeOf(intent: Intent, scene: Scene, clockwork: Clockwork): Life {
  const booking = intent.booking!;
  const acknowledged = intent.book.answer!.endedAt;
  const expires = expiryOf(booking, clockwork) - clockwork.skew.marginMs;
  const cancelSent = intent.cancel?.firstSentAt ?? Number.POSITIVE_INFINITY;
  const cancelled = intent.cancel?.answer?.status === 200 ? intent.cancel.answer.endedAt : Number.POSITIVE_INFINITY;
  const confirmed = intent.confirmedBy();
  const sentConfirm = Math.min(...intent.confirms.map((step) => step.firstSentAt));
  const certainlySold = confirmed ? spanOf(confirmed.endedAt, cancelSent) : undefined;
  const certainlyHeld = spanOf(acknowledged, Math.min(expires, cancelSent, confirmed?.endedAt ?? Number.POSITIVE_INFINITY));
  const certain = [certainlyHeld, certainlySold].filter((span) => span !== undefined);
  return {
    intent,
    booking,
    general: unitsOf(booking, new Set(scene.general.map(({ id }) => id))),
    seated: unitsOf(booking, new Set(scene.zones.map(({ id }) => id))),
    certain,
    certainlySold,
    possiblyHeld: { from: intent.book.firstSentAt, to: Math.min(cancelled, holdEnd(intent, clockwork)) },
    possiblySold: Number.isFinite(sentConfirm) ? spanOf(sentConfirm, cancelled) : undefined,
  };
}

/** The latest moment at which the booking may have been a hold that takes stock. */
function holdEnd(intent: Intent, clockwork: Clockwork): number {
  const confirmed = intent.confirmedBy();
  if (confirmed) return confirmed.endedAt;
  // A payment may have extended the hold without telling us until when: only a read that shows the end tells.
  const triedToPay = intent.confirms.some((step) => step.call.body !== '{}');
  if (!triedToPay) return backInStockBy(expiryOf(intent.booking!, clockwork), clockwork);
  const ended = [...intent.reads, intent.lastRead].find((read) => bookingIn(read)?.status === 'CANCELLED');
  return ended ? backInStockBy(ended.endedAt, clockwork) : Number.POSITIVE_INFINITY;
}

function spanOf(from: number, to: number): Span | undefined {
  return to > from ? { from, to } : undefined;
}
