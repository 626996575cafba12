// What buyers send for a booking and what they are shown of it.
import type { Payment } from '../payments/payments.port.js';
import {
  EmailField, EnumField, IdField, InstantField, IntField, MoneyDto, ObjectField, PageQuery, TextField, TextListField, AnyJsonField,
} from '../platform/http/fields.js'; // prettier-ignore
import { isOver, type BookingState, type ItemState, type TicketState } from './booking.rules.js';

/** Seat ids as seat maps have them. */
export const SEAT_ID = /^[A-Za-z0-9._-]{1,64}$/;
const STATUSES = ['PENDING', 'CONFIRMED', 'CANCELLED'] as const;

export class ContactDto {
  @EmailField() email: string;
  @TextField({ optional: true, max: 200 }) name?: string;
  @TextField({ optional: true, max: 35, pattern: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$/, example: 'de' }) locale?: string;
}

export class BookingItemDto {
  @IdField() ticketTypeId: string;
  @IntField({ optional: true, min: 1, max: 1000, description: 'How many; for a seated type the best available seats' })
  quantity?: number;
  @TextListField({
    optional: true,
    minItems: 1,
    maxItems: 1000,
    max: 64,
    pattern: SEAT_ID,
    description: 'These seats, instead of quantity',
  })
  seatIds?: string[];
}

export class AnswerDto {
  @IdField() fieldId: string;
  @AnyJsonField({ description: 'Text, one of the choices, or true/false; a list of them for a field asked per ticket' })
  value: unknown;
}

export class BookDto {
  @ObjectField(() => BookingItemDto, { list: true, min: 1, max: 50 }) items: BookingItemDto[];
  @TextField({ optional: true, max: 200, description: 'A quote whose prices the booking takes over' }) quoteId?: string;
  @TextField({ optional: true, max: 64 }) promoCode?: string;
  @TextField({ optional: true, max: 64 }) accessCode?: string;
  @ObjectField(() => ContactDto, { optional: true }) contact?: ContactDto;
  @ObjectField(() => AnswerDto, { optional: true, list: true, max: 200 }) answers?: AnswerDto[];
}

export class PaymentMethodDto {
  @TextField({ max: 40, example: 'test' }) provider: string;
  @TextField({ optional: true, max: 40, example: '4242424242424242', writeOnly: true }) card?: string;
}

export class ConfirmDto {
  @ObjectField(() => PaymentMethodDto, { optional: true }) paymentMethod?: PaymentMethodDto;
}

export class CancelDto {
  @TextListField({
    optional: true,
    minItems: 1,
    maxItems: 1000,
    max: 36,
    description: 'Only these tickets; the whole booking without',
  })
  ticketIds?: string[];
  @TextField({ optional: true, max: 500, description: 'For the organizer; not kept in the history' }) reason?: string;
}

export class HistoryQuery extends PageQuery {
  @InstantField({ optional: true, description: 'The booking as it was then, instead of the list' }) at?: Date;
}

export class HistoryEntryView {
  @IntField({ min: 1 }) seq: number;
  @TextField({ example: 'booking.confirmed' }) type: string;
  @InstantField() at: Date;
  @TextField({ example: 'guest:01a2...' }) actor: string;
  @AnyJsonField({ description: 'Ids, amounts and the state after it' }) data: unknown;
}

export class ItemView {
  @IdField() ticketTypeId: string;
  @IntField() quantity: number;
  @TextListField({ optional: true }) seatIds?: string[];
  @ObjectField(() => MoneyDto) unitPrice: MoneyDto;
  @ObjectField(() => MoneyDto) total: MoneyDto;
}

export class TicketView {
  @IdField() id: string;
  @IdField() ticketTypeId: string;
  @TextField({ optional: true }) seatId?: string;
  @TextField({ max: 1024, description: 'Compact JWS, verifiable offline with the published keys' }) code: string;
  @EnumField(['valid', 'used', 'void']) status: string;
}

export class PaymentView {
  @IdField() id: string;
  @EnumField(['processing', 'succeeded', 'declined']) status: string;
}

export class BookingView {
  @IdField() id: string;
  @IdField() eventId: string;
  @EnumField(STATUSES) status: string;
  @InstantField({ nullable: true }) expiresAt: Date | null;
  @ObjectField(() => ItemView, { list: true }) items: ItemView[];
  @ObjectField(() => MoneyDto) total: MoneyDto;
  @EnumField(['requested', 'expired', 'payment', 'organizer', 'event'], { optional: true }) cancelReason?: string;
  @ObjectField(() => TicketView, { optional: true, list: true }) tickets?: TicketView[];
  @ObjectField(() => MoneyDto, { optional: true, description: 'Given back so far' }) refunded?: MoneyDto;
  @ObjectField(() => PaymentView, { optional: true }) payment?: PaymentView;
  @TextField({ optional: true, description: "A guest's bearer for this booking" }) accessToken?: string;
  @IntField({ min: 1 }) version: number;
}

const itemView = (i: ItemState, currency: string): ItemView => ({
  ticketTypeId: i.ticketTypeId,
  quantity: i.quantity,
  ...(i.seatIds && { seatIds: i.seatIds }),
  unitPrice: { amount: i.unitPrice, currency },
  total: { amount: i.total, currency },
});

const ticketView = (t: TicketState): TicketView => ({
  id: t.id,
  ticketTypeId: t.ticketTypeId,
  ...(t.seatId && { seatId: t.seatId }),
  code: t.code,
  status: t.status,
});

/** A booking as its buyer sees it at `now`. The same state gives the same bytes: replays depend on it. */
export function bookingView(b: BookingState, now: Date, more: { payment?: Payment; accessToken?: string } = {}): BookingView {
  const over = isOver(b, now);
  const reason = over ? 'expired' : b.cancelReason;
  return {
    id: b.id,
    eventId: b.eventId,
    status: over ? 'CANCELLED' : b.status,
    expiresAt: over ? null : b.expiresAt,
    items: b.items.map((i) => itemView(i, b.currency)),
    total: { amount: b.total, currency: b.currency },
    ...(reason && { cancelReason: reason }),
    ...(b.tickets.length > 0 && { tickets: b.tickets.map(ticketView) }),
    ...(b.refunded > 0 && { refunded: { amount: b.refunded, currency: b.currency } }),
    ...(more.payment && { payment: { id: more.payment.id, status: paymentStatus(more.payment) } }),
    ...(more.accessToken && { accessToken: more.accessToken }),
    version: b.version,
  };
}

const paymentStatus = ({ status }: Payment): string =>
  status === 'created' ? 'processing' : status === 'refunded' ? 'succeeded' : status;

/** What policies look at. */
export const subjectOf = (b: BookingState) => ({ orgId: b.orgId, id: b.id, accountId: b.accountId });
