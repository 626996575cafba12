// Booking's answers to those above it: what a mail says of a booking, and its tickets as a PDF.
import { Injectable } from '@nestjs/common';
import { AuthPort, type Contact } from '../auth/auth.port.js';
import type { EventForSale } from '../catalog/catalog.port.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { bookingErrors } from './booking.errors.js';
import { BookingPort, type BookingForMessage } from './booking.port.js';
import { BookingRepository } from './booking.repository.js';
import type { BookingState, TicketState } from './booking.rules.js';
import { Sales } from './sale.service.js';
import { SeatRepository, type SeatRow } from './seat.repository.js';
import { ticketsPdf } from './ticket-paper.rules.js';

@Injectable()
export class PaperDesk extends BookingPort {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly sales: Sales,
    private readonly seats: SeatRepository,
    private readonly auth: AuthPort,
    private readonly config: PlatformConfig,
  ) {
    super();
  }

  async forMessage(orgId: string, bookingId: string): Promise<BookingForMessage | null> {
    const booking = await this.bookings.find(orgId, bookingId);
    const to = booking && (await this.buyerOf(booking));
    if (!booking || !to) return null;
    const event = await this.sales.eventNow(orgId, booking.eventId);
    const seats = await this.seatsOf(booking);
    return {
      orgId,
      id: booking.id,
      eventId: booking.eventId,
      status: booking.status,
      confirmedAt: booking.confirmedAt,
      eventTitle: event.title,
      startsAt: event.startsAt,
      timeZone: event.timeZone,
      venueName: event.venue?.name ?? null,
      currency: booking.currency,
      total: booking.total,
      to,
      manageUrl: this.manageUrl(booking),
      tickets: live(booking).map((t) => ({
        id: t.id,
        ticketTypeName: nameOf(event, t),
        seat: seatText(seats.get(t.seatId ?? '')),
        holder: t.holderEmail ? { email: t.holderEmail, name: t.holderName, locale: booking.locale, timeZone: null } : null,
      })),
    };
  }

  async ticketsPdf(orgId: string, bookingId: string, ticketId?: string): Promise<Buffer> {
    const booking = await this.bookings.find(orgId, bookingId);
    if (!booking) throw bookingErrors.badTransition({ bookingId });
    return this.pdfOf(booking, ticketId);
  }

  /** The PDF of a confirmed booking's valid tickets, or of one of them. */
  async pdfOf(booking: BookingState, ticketId?: string): Promise<Buffer> {
    const tickets = live(booking).filter((t) => !ticketId || t.id === ticketId);
    if (tickets.length === 0)
      throw bookingErrors.badTransition({ from: booking.status }, 'This booking has no valid tickets. Confirm it first.');
    const event = await this.sales.eventNow(booking.orgId, booking.eventId);
    const seats = await this.seatsOf(booking);
    return ticketsPdf({
      id: booking.id,
      event,
      locale: booking.locale,
      createdAt: booking.createdAt,
      tickets: tickets.map((t) => ({
        code: t.code,
        ticketType: nameOf(event, t),
        seat: paperSeat(seats.get(t.seatId ?? '')),
        holder: t.holderName ?? t.holderEmail,
        price: { amount: booking.items.find((i) => i.line === t.line)?.unitPrice ?? 0, currency: booking.currency },
      })),
    });
  }

  /** A guest's link carries the bearer after the #, which browsers do not send to servers or in Referer. */
  private manageUrl(booking: BookingState): string {
    const base = `${this.config.publicUrl}/bookings/${booking.id}`;
    return booking.accountId === null ? `${base}#token=${this.auth.guestToken(booking.id)}` : base;
  }

  private async buyerOf(booking: BookingState): Promise<Contact | null> {
    if (booking.contactEmail)
      return { email: booking.contactEmail, name: booking.contactName, locale: booking.locale, timeZone: null };
    return booking.accountId ? this.auth.contactOf(booking.accountId) : null;
  }

  private async seatsOf(booking: BookingState): Promise<Map<string, SeatRow>> {
    const ids = booking.items.flatMap((i) => i.seatIds ?? []);
    if (ids.length === 0) return new Map();
    const rows = await this.seats.byIds(booking.orgId, booking.eventId, ids);
    return new Map(rows.map((r) => [r.id, r]));
  }
}

const live = (b: BookingState): TicketState[] => b.tickets.filter((t) => t.status === 'valid');
const nameOf = (event: EventForSale, t: TicketState) => event.ticketTypes.find((x) => x.id === t.ticketTypeId)?.name ?? '';
const seatText = (s: SeatRow | undefined) => (s ? `${s.sectionName}, ${s.row}, ${s.number}` : null);
const paperSeat = (s: SeatRow | undefined) => (s ? { ...s, section: s.sectionName } : null);
