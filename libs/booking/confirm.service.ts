// Confirmation: tickets are signed and the inventory asked to sell what was held; what it decides by an old version is read again.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { ambient, whoAsks } from '../platform/db/ambient.js';
import { BookingReader } from './booking-reader.service.js';
import { subjectOf } from './booking.dto.js';
import { bookingErrors } from './booking.errors.js';
import { confirmedOf, isOver, type BookingState } from './booking.rules.js';
import { FreshHolds } from './fresh-holds.service.js';
import type { ConfirmVerdict } from './inventory.rules.js';
import { Inventory } from './inventory.service.js';
import { Tickets } from './ticket.service.js';

/** A version may move on between reading and deciding; then it is read again. */
const STALE_TRIES = 5;

@Injectable()
export class Confirmation {
  constructor(
    private readonly reader: BookingReader,
    private readonly inventory: Inventory,
    private readonly tickets: Tickets,
    private readonly fresh: FreshHolds,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** Confirms a free hold that this process has just made, for a caller who may; null where it is not known, or not so any more: read it then. */
  async ofFresh(id: string): Promise<BookingState | null> {
    const hold = this.fresh.take(id);
    if (hold?.total !== 0 || isOver(hold, this.clock.now())) return null;
    this.access.demand('confirm', 'Booking', subjectOf(hold));
    return (await this.ask(hold, false)).booking;
  }

  /** Confirms a booking as it was read; `late` also one whose hold has ended, when its money has come. */
  async settle(first: BookingState, late: boolean): Promise<BookingState> {
    let state = first;
    for (let attempt = 1; attempt <= STALE_TRIES; attempt++) {
      const { said, booking } = await this.ask(state, late);
      if (booking) return booking;
      if (said !== 'already' && said !== 'stale' && said !== 'skipped') throw refusalOf(said);
      state = await this.reader.find(state.orgId, state.id);
      if (said === 'already') return state;
    }
    throw edgeErrors.unavailable();
  }

  /** One question; with the booking as it reads now where the answer is yes. */
  private async ask(state: BookingState, late: boolean): Promise<{ said: ConfirmVerdict['said']; booking: BookingState | null }> {
    const tickets = await this.tickets.issue(state);
    const verdict = await this.inventory.confirm({
      kind: 'confirm',
      orgId: state.orgId,
      bookingId: state.id,
      version: state.version,
      late,
      poolIds: state.items.map((i) => i.poolId),
      tickets,
      actor: principalKey(whoAsks()),
      requestId: ambient().requestId ?? 'none',
      traceId: ambient().traceId ?? null,
    });
    return { said: verdict.said, booking: verdict.said === 'confirmed' ? confirmedOf(state, tickets, verdict.at) : null };
  }
}

const refusalOf = (said: ConfirmVerdict['said']) => {
  switch (said) {
    case 'hold_expired':
      return bookingErrors.holdExpired();
    case 'sold_out':
      return bookingErrors.soldOut();
    case 'bad_transition':
      return bookingErrors.badTransition();
    default:
      return edgeErrors.notFound();
  }
};
