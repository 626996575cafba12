// Cancelling: a whole booking through the inventory, some of its tickets under the pools' locks, an event's bookings one page after another.
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { ambient } from '../platform/db/ambient.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { BookingReduced } from './booking.domain-events.js';
import { subjectOf } from './booking.dto.js';
import { Booking } from './booking.entity.js';
import { bookingErrors } from './booking.errors.js';
import { BookingRepository } from './booking.repository.js';
import { cancelDeadline, isOver, reduceItem, refundAfterFee, type BookingState, type CancelReason } from './booking.rules.js';
import { InventoryRepository } from './inventory.repository.js';
import { Inventory } from './inventory.service.js';
import { Item } from './item.entity.js';
import { Sales } from './sale.service.js';
import { SeatRepository } from './seat.repository.js';
import { Ticket } from './ticket.entity.js';

const STALE_TRIES = 5;
const PAGE = 200;

/** What cancelling works with: the stock, and the rows of a booking that keeps some of it. */
@Injectable()
export class CancelTools {
  constructor(
    readonly inventory: Inventory,
    readonly stock: InventoryRepository,
    readonly seats: SeatRepository,
    readonly db: Database,
    readonly events: EventStore,
  ) {}
}

@Injectable()
export class Cancellation {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly tools: CancelTools,
    private readonly sales: Sales,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** Cancels a booking, or some of its tickets. A cancelled one stays as it is. */
  async cancel(booking: BookingState, ticketIds: string[] | undefined, note: string | null): Promise<BookingState> {
    if (booking.status === 'CANCELLED' || isOver(booking, this.clock.now())) return cancelledBefore(booking);
    const organizer = this.access.may('manage', 'Booking', subjectOf(booking));
    const whole = !ticketIds || coversAll(booking, ticketIds);
    if (whole) return this.end(booking, organizer ? 'organizer' : 'requested', organizer, note);
    return this.reduce(booking, ticketIds, organizer);
  }

  /** Ends every live booking of an event that was cancelled; all money goes back. */
  async endEvent(orgId: string, eventId: string, progress: () => Promise<void>): Promise<number> {
    let ended = 0;
    for (;;) {
      const live = await this.bookings.liveOfEvent(orgId, eventId, PAGE);
      if (live.length === 0) return ended;
      await Promise.all(live.map((b) => this.end(b, 'event', true, null)));
      ended += live.length;
      await progress();
    }
  }

  private async end(first: BookingState, reason: CancelReason, fullRefund: boolean, note: string | null): Promise<BookingState> {
    let booking = first;
    for (let attempt = 1; attempt <= STALE_TRIES; attempt++) {
      const { said } = await this.tools.inventory.release({
        kind: 'release',
        orgId: booking.orgId,
        bookingId: booking.id,
        version: booking.version,
        reason,
        note,
        refund: await this.refundOf(booking, booking.total, liveTickets(booking).length, fullRefund),
        poolIds: booking.items.map((i) => i.poolId),
        actor: principalKey(this.access.who),
        requestId: ambient().requestId ?? 'none',
        traceId: ambient().traceId ?? null,
      });
      booking = (await this.bookings.find(booking.orgId, booking.id)) ?? booking;
      if (said === 'cancelled') return booking;
      if (said === 'already') return reason === 'event' ? booking : cancelledBefore(booking);
      if (said === 'not_found') throw edgeErrors.notFound();
    }
    throw edgeErrors.unavailable();
  }

  /** What goes back, by the event's policy; refuses a buyer who is too late. A hold has not been paid: nothing. */
  private async refundOf(booking: BookingState, amount: number, tickets: number, full: boolean): Promise<number> {
    if (booking.status === 'PENDING') return 0;
    if (full) return amount;
    const event = await this.sales.eventNow(booking.orgId, booking.eventId);
    const deadline = cancelDeadline(event.cancelPolicy, event.startsAt);
    if (deadline === null || deadline < this.clock.now()) {
      throw bookingErrors.badTransition({ cancelUntil: deadline }, 'The organizer does not take bookings back any more.');
    }
    return refundAfterFee(amount, tickets, event.cancelPolicy);
  }

  /** Gives some tickets back, all in one transaction: pools first, in id order, as the batch does. */
  private async reduce(booking: BookingState, ticketIds: string[], full: boolean): Promise<BookingState> {
    const { db, stock } = this.tools;
    if (booking.status !== 'CONFIRMED')
      throw bookingErrors.badTransition({ from: booking.status }, 'Only a confirmed booking has tickets to give back.');
    const named = booking.tickets.filter((t) => ticketIds.includes(t.id));
    if (named.length !== new Set(ticketIds).size || named.some((t) => t.status === 'used'))
      throw invalid([{ pointer: '/ticketIds', detail: 'Name tickets of this booking that were not used.' }]);
    const chosen = named.filter((t) => t.status === 'valid');
    if (chosen.length === 0) return booking; // Given back before: asking again changes nothing.
    const parts = booking.items
      .map((item) => ({ item, tickets: chosen.filter((t) => t.line === item.line) }))
      .filter((p) => p.tickets.length > 0)
      .map((p) => ({ ...p, ...reduceItem(p.item, p.tickets.length, p.tickets.flatMap((t) => t.seatId ?? [])) })); // prettier-ignore
    const amount = parts.reduce((sum, p) => sum + p.amount, 0);
    const refund = await this.refundOf(booking, amount, chosen.length, full);
    const change = async () => {
      await stock.lockPools(booking.orgId, parts.map((p) => p.item.poolId)); // prettier-ignore
      const row = await db.findForUpdate(Booking, { orgId: booking.orgId, id: booking.id });
      if (!row || row.version !== booking.version) throw edgeErrors.busy();
      const changed: object[] = [];
      for (const part of parts) changed.push(...(await this.shrink(booking, part, row.person)));
      row.total -= amount;
      row.refunded += refund;
      await db.saveVersioned(row);
      const about = { orgId: booking.orgId, bookingId: booking.id, eventId: booking.eventId };
      await this.tools.events.announce(BookingReduced({ ...about, refund }), row, ...changed);
    };
    await db.changing(() => db.transaction(change));
    return (await this.bookings.find(booking.orgId, booking.id))!;
  }

  /** One line's stock, seats, item and tickets; what changed. */
  private async shrink(
    booking: BookingState,
    part: { item: BookingState['items'][number]; tickets: BookingState['tickets'] },
    person: Buffer | null,
  ): Promise<object[]> {
    const { db, stock, seats } = this.tools;
    const { orgId } = booking;
    const item = await db.find(Item, { orgId, bookingId: booking.id, line: part.item.line });
    if (!item) throw edgeErrors.notFound();
    Object.assign(item, { quantity: part.item.quantity, total: part.item.total, seatIds: part.item.seatIds });
    await stock.unsell(orgId, item.poolId, part.tickets.length);
    await stock.unuse(orgId, item.ticketTypeId, person, part.tickets.length);
    await seats.giveBack(orgId, booking.eventId, booking.id, part.tickets.flatMap((t) => t.seatId ?? [])); // prettier-ignore
    await db.update(item);
    const changed: object[] = [item];
    for (const { id } of part.tickets) {
      const ticket = await db.findForUpdate(Ticket, { orgId, id });
      if (!ticket) throw edgeErrors.notFound();
      ticket.void();
      await db.update(ticket);
      changed.push(ticket);
    }
    return changed;
  }
}

/** Cancelling twice is once; what ended for another reason cannot be cancelled any more. */
function cancelledBefore(booking: BookingState): BookingState {
  if (booking.cancelReason === 'requested' || booking.cancelReason === 'organizer') return booking;
  throw bookingErrors.badTransition({ from: 'CANCELLED' });
}

const liveTickets = (b: BookingState) => b.tickets.filter((t) => t.status === 'valid');

const coversAll = (b: BookingState, ids: string[]) => {
  const live = liveTickets(b);
  return live.length > 0 && live.length === ids.length && live.every((t) => ids.includes(t.id));
};
