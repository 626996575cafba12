// The organizer's desk: lists and exports bookings, moves seats, reads the sales.
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { stringify } from 'csv-stringify';
import { CatalogPort } from '../catalog/catalog.port.js';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { decodeCursor, pageOf, type Page } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { SeatsMoved } from './booking.domain-events.js';
import { subjectOf } from './booking.dto.js';
import { Booking } from './booking.entity.js';
import { bookingErrors } from './booking.errors.js';
import { BookingRepository, type BookingFilter } from './booking.repository.js';
import type { BookingState } from './booking.rules.js';
import { CancelTools } from './cancel.service.js';
import { deskView, type DeskBookingView, type DeskQuery } from './desk.dto.js';
import { Item } from './item.entity.js';
import type { SalesMonthView } from './stock.dto.js';
import { StockRepository } from './stock.repository.js';
import { Ticket } from './ticket.entity.js';

const CSV_PAGE = 500;
const columns = [
  'id',
  'status',
  'createdAt',
  'email',
  'name',
  'line',
  'ticketTypeId',
  'quantity',
  'seats',
  'total',
  'bookingTotal',
  'refunded',
  'currency',
  'cancelReason',
];

@Injectable()
export class Desk {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly stock: StockRepository,
    private readonly tools: CancelTools,
    private readonly catalog: CatalogPort,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  async list(orgId: string, eventId: string, query: DeskQuery): Promise<Page<DeskBookingView>> {
    await this.demandList(orgId, eventId);
    const after = (decodeCursor(query.cursor, 1)?.[0] as string | undefined) ?? null;
    const rows = await this.bookings.ofEvent({ orgId, eventId }, query, after, query.limit + 1);
    const now = this.clock.now();
    return pageOf(rows, query.limit, (b) => [b.id], (b) => deskView(b, now)); // prettier-ignore
  }

  /** All of an event's bookings as CSV, a row for each line, read and sent a page at a time. */
  async csv(orgId: string, eventId: string, filter: BookingFilter): Promise<Readable> {
    await this.demandList(orgId, eventId);
    return Readable.from(this.rows(orgId, eventId, filter)).pipe(stringify({ header: true, columns, escape_formulas: true }));
  }

  private async *rows(orgId: string, eventId: string, filter: BookingFilter): AsyncGenerator<Record<string, unknown>> {
    for (let after: string | null = null; ;) {
      const page: BookingState[] = await this.bookings.ofEvent({ orgId, eventId }, filter, after, CSV_PAGE);
      const now = this.clock.now();
      for (const b of page) yield* csvRows(b, now);
      if (page.length < CSV_PAGE) return;
      after = page[page.length - 1].id;
    }
  }

  /** Gives a confirmed booking other seats of the same ticket type; its tickets stay valid, for the new seats. */
  async moveSeats(booking: BookingState, from: string[], to: string[]): Promise<BookingState> {
    this.access.demand('manage', 'Booking', subjectOf(booking));
    if (from.length !== to.length) throw invalid([{ pointer: '/to', detail: 'Name one new seat for each that is given up.' }]);
    if (booking.status !== 'CONFIRMED') throw bookingErrors.badTransition({ from: booking.status });
    const { db, stock } = this.tools;
    const { orgId, id, eventId } = booking;
    await db.transaction(async () => {
      await stock.lockPools(orgId, booking.items.map((i) => i.poolId)); // prettier-ignore
      const row = await db.findForUpdate(Booking, { orgId, id });
      if (!row || row.version !== booking.version) throw edgeErrors.busy();
      const changed: object[] = [];
      const left = new Map(from.map((seat, n) => [seat, to[n]]));
      for (const part of booking.items) changed.push(...(await this.moveLine(booking, part, left)));
      if (left.size > 0)
        throw invalid([{ pointer: '/from', detail: `Not seats of this booking: ${[...left.keys()].join(', ')}.` }]);
      await db.saveVersioned(row);
      await this.tools.events.announce(SeatsMoved({ orgId, bookingId: id, eventId }), row, ...changed);
    });
    return (await this.bookings.find(orgId, id))!;
  }

  /** One line's share of the move; takes what it moved out of `left`, and returns the rows that changed. */
  private async moveLine(
    booking: BookingState,
    part: BookingState['items'][number],
    left: Map<string, string>,
  ): Promise<object[]> {
    const { db, seats } = this.tools;
    const { orgId, id, eventId } = booking;
    const moving = (part.seatIds ?? []).filter((s) => left.has(s));
    if (moving.length === 0) return [];
    const targets = moving.map((s) => left.get(s)!);
    const free = await seats.swap({ orgId, eventId, bookingId: id, ticketTypeId: part.ticketTypeId }, moving, targets);
    if (free !== moving.length) throw bookingErrors.seatTaken({ seatIds: targets });
    const item = await db.find(Item, { orgId, bookingId: id, line: part.line });
    if (!item) throw edgeErrors.notFound();
    item.seatIds = (item.seatIds ?? []).map((s) => left.get(s) ?? s);
    await db.update(item);
    const changed: object[] = [item];
    for (const { id: ticketId, seatId } of booking.tickets.filter(
      (t) => t.status === 'valid' && t.seatId && moving.includes(t.seatId),
    )) {
      const ticket = await db.findForUpdate(Ticket, { orgId, id: ticketId });
      if (!ticket) throw edgeErrors.notFound();
      ticket.seatId = left.get(seatId!)!;
      changed.push(ticket);
    }
    // Two tickets may swap seats: first none of them has one, so that the unique key on live seats sees no clash.
    const tickets = changed.slice(1) as Ticket[];
    for (const t of tickets) await db.update(Object.assign(Object.create(Ticket.prototype) as Ticket, t, { seatId: null }));
    for (const t of tickets) await db.update(t);
    for (const s of moving) left.delete(s);
    return changed;
  }

  async sales(orgId: string): Promise<SalesMonthView[]> {
    this.access.demand('read', 'Report', { orgId }, { type: 'Organization', object: { orgId } });
    const months = await this.stock.salesByMonth(orgId);
    return months.map(({ currency, revenue, ...m }) => ({ ...m, revenue: { amount: revenue, currency } }));
  }

  private async demandList(orgId: string, eventId: string): Promise<void> {
    await this.catalog.demandEvent('read', orgId, eventId);
    this.access.demand('list', 'Booking', { orgId }, { type: 'Organization', object: { orgId } });
  }
}

function* csvRows(b: BookingState, now: Date): Generator<Record<string, unknown>> {
  const view = deskView(b, now);
  for (const item of b.items) {
    yield {
      id: b.id, status: view.status, createdAt: b.createdAt.toISOString(), email: b.contactEmail, name: b.contactName, line: item.line,
      ticketTypeId: item.ticketTypeId, quantity: item.quantity, seats: item.seatIds?.join(' '), total: item.total, bookingTotal: b.total,
      refunded: b.refunded, currency: b.currency, cancelReason: view.cancelReason,
    }; // prettier-ignore
  }
}
