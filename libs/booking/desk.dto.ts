// What an organizer's desk sends and is shown: bookings with whom they are for, seats to move, tickets to hand over.
import {
  EmailField,
  EnumField,
  InstantField,
  ObjectField,
  PageQuery,
  TextField,
  TextListField,
  AnyJsonField,
} from '../platform/http/fields.js';
import { BookingView, bookingView, SEAT_ID } from './booking.dto.js';
import type { BookingState } from './booking.rules.js';

export class DeskQuery extends PageQuery {
  @EnumField(['PENDING', 'CONFIRMED', 'CANCELLED'], { optional: true }) status?: string;
  @TextField({
    optional: true,
    max: 100,
    description: "Part of the buyer's mail address or name, or the beginning of a booking's id",
  })
  q?: string;
}

export class ContactView {
  @EmailField({ nullable: true }) email: string | null;
  @TextField({ nullable: true }) name: string | null;
}

export class DeskBookingView extends BookingView {
  @ObjectField(() => ContactView, { description: 'The buyer' }) contact: ContactView;
  @AnyJsonField({ nullable: true, description: 'Answers by checkout field id' }) answers: unknown;
  @TextField({ nullable: true, max: 500, description: 'What was written when it was cancelled' }) cancelNote: string | null;
  @InstantField() createdAt: Date;
}

export class MoveSeatsDto {
  @TextListField({ minItems: 1, maxItems: 1000, max: 64, pattern: SEAT_ID, description: 'Seats of the booking' }) from: string[];
  @TextListField({
    minItems: 1,
    maxItems: 1000,
    max: 64,
    pattern: SEAT_ID,
    description: 'Free seats of the same ticket type, in the same order',
  })
  to: string[];
}

export class TransferDto {
  @EmailField() email: string;
  @TextField({ optional: true }) name?: string;
}

/** A booking as its organizer sees it: with the buyer, without the buyer's bearer. */
export const deskView = (b: BookingState, now: Date): DeskBookingView => ({
  ...bookingView(b, now),
  contact: { email: b.contactEmail, name: b.contactName },
  answers: b.answers ?? null,
  cancelNote: b.cancelNote,
  createdAt: b.createdAt,
});
