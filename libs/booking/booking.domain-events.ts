// What booking announces to those above it. Ids and amounts only.
import { domainEvent } from '../kernel/domain-event.js';

export interface OfBooking {
  orgId: string;
  bookingId: string;
  eventId: string;
}

const stream = (d: OfBooking) => `booking:${d.bookingId}`;

export const BookingHeld = domainEvent<OfBooking>()('booking.held', 1, stream);
/** A payment is under way: the hold lasts longer, once. */
export const BookingExtended = domainEvent<OfBooking>()('booking.extended', 1, stream);
export const BookingConfirmed = domainEvent<OfBooking>()('booking.confirmed', 1, stream);
/** A payment came to nothing; the hold goes on until it expires. */
export const BookingPaymentFailed = domainEvent<OfBooking>()('booking.payment-failed', 1, stream);
/** The whole booking ended: who asked for it is in `reason`. */
export const BookingCancelled = domainEvent<OfBooking & { reason: string; refund: number }>()('booking.cancelled', 1, stream);
/** Some of its tickets were given back. */
export const BookingReduced = domainEvent<OfBooking & { refund: number }>()('booking.reduced', 1, stream);
export const SeatsMoved = domainEvent<OfBooking>()('booking.seats-moved', 1, stream);
export const TicketTransferred = domainEvent<OfBooking & { ticketId: string }>()('booking.ticket-transferred', 1, stream);
export const TicketsResendRequested = domainEvent<OfBooking>()('booking.tickets-resend-requested', 1, stream);
/** Money came after the hold had ended and there was no stock left: it is given back. */
export const LatePaymentRefunded = domainEvent<OfBooking & { refund: number }>()('booking.late-payment-refunded', 1, stream);
