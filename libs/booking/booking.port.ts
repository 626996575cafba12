// What booking answers to the contexts above it.
import type { Contact } from '../auth/auth.port.js';

export interface BookingForMessage {
  orgId: string;
  id: string;
  eventId: string;
  /** As it is now: a mail that waited says nothing that is no longer so. */
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
  /** Null for a hold that was never confirmed, also when it has ended. */
  confirmedAt: Date | null;
  eventTitle: string;
  startsAt: Date;
  timeZone: string;
  venueName: string | null;
  currency: string;
  total: number;
  to: Contact;
  /** Where the buyer manages the booking: a link that carries the guest's token. */
  manageUrl: string;
  /** Those that are valid or used, not the void ones; those given to somebody else have a holder. */
  tickets: { id: string; ticketTypeName: string; seat: string | null; holder: Contact | null }[];
}

export abstract class BookingPort {
  /** All that a mail about a booking says; null when it is gone. */
  abstract forMessage(orgId: string, bookingId: string): Promise<BookingForMessage | null>;

  /** The tickets of a booking (or one of them) as a PDF, one A4 page each. */
  abstract ticketsPdf(orgId: string, bookingId: string, ticketId?: string): Promise<Buffer>;
}
