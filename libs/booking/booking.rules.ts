// Which status may follow which, what a booking looks like as time passes, and what its end gives back. Pure.
import { percentHalfUp } from '../kernel/money.js';
import type { CancelPolicy } from '../catalog/catalog.port.js';
import type { NewTicket } from './inventory.rules.js';

export type BookingStatus = 'PENDING' | 'CONFIRMED' | 'CANCELLED';
export type CancelReason = 'requested' | 'expired' | 'payment' | 'organizer' | 'event';
export type TicketStatus = 'valid' | 'used' | 'void';
export type SeatState = 'free' | 'held' | 'sold' | 'blocked';

/** CANCELLED -> CONFIRMED happens in one case alone: money came late and the places were still there (confirm_batch, r_late). */
export const next: Readonly<Record<BookingStatus, readonly BookingStatus[]>> = {
  PENDING: ['CONFIRMED', 'CANCELLED'],
  CONFIRMED: ['CANCELLED'],
  CANCELLED: [],
};

export interface ItemState {
  line: number;
  ticketTypeId: string;
  poolId: string;
  quantity: number;
  unitPrice: number;
  total: number;
  seatIds: string[] | null;
}

export interface TicketState {
  id: string;
  line: number;
  ticketTypeId: string;
  seatId: string | null;
  status: TicketStatus;
  codeVersion: number;
  code: string;
  holderEmail: string | null;
  holderName: string | null;
}

/** A booking as it is read: its row, its items by line, its tickets by line and id. */
export interface BookingState {
  orgId: string;
  id: string;
  eventId: string;
  status: BookingStatus;
  expiresAt: Date | null;
  extended: boolean;
  paying: boolean;
  currency: string;
  total: number;
  refunded: number;
  promoId: string | null;
  accountId: string | null;
  cancelReason: CancelReason | null;
  cancelNote: string | null;
  contactEmail: string | null;
  contactName: string | null;
  locale: string;
  answers: unknown;
  createdAt: Date;
  confirmedAt: Date | null;
  cancelledAt: Date | null;
  version: number;
  items: ItemState[];
  tickets: TicketState[];
}

/** A hold whose time is over, though nobody has swept it yet. While a payment is under way only the sweep ends it. */
export const isOver = (b: Pick<BookingState, 'status' | 'expiresAt' | 'paying'>, now: Date): boolean =>
  b.status === 'PENDING' && !b.paying && b.expiresAt !== null && b.expiresAt <= now;

/** A hold is longer by so many seconds while a payment is under way, once. */
export const PAYING_SECONDS = 900;

/** A booking as it reads once the inventory has confirmed it with these tickets: it decides by the version read, so nothing else has changed. */
export function confirmedOf(booking: BookingState, tickets: readonly NewTicket[], at: Date): BookingState {
  const { contactEmail: holderEmail, contactName: holderName } = booking;
  const issued = tickets.map((t) => ({ ...t, status: 'valid' as const, codeVersion: 1, holderEmail, holderName }));
  return {
    ...booking,
    status: 'CONFIRMED',
    confirmedAt: at,
    expiresAt: null,
    paying: false,
    cancelReason: null,
    cancelledAt: null,
    version: booking.version + 1,
    tickets: issued.sort((a, b) => a.line - b.line || (a.id < b.id ? -1 : 1)),
  };
}

/** Until when a buyer may give a booking back; null when never. */
export function cancelDeadline(policy: CancelPolicy, startsAt: Date): Date | null {
  return policy.untilHours === null ? null : new Date(startsAt.getTime() - policy.untilHours * 3_600_000);
}

/** What goes back of an amount paid for so many tickets: all of it less the fee, never below zero. The percentage is rounded half up. */
export function refundAfterFee(paid: number, tickets: number, policy: CancelPolicy): number {
  return Math.max(0, paid - percentHalfUp(paid, policy.feePercent) - policy.feeAmount * tickets);
}

/** An item after some of its units were given back: each unit takes an equal share of what the line cost, the last one the rest. */
export function reduceItem(item: ItemState, units: number, seatIds: readonly string[]): { item: ItemState; amount: number } {
  const quantity = item.quantity - units;
  const total = quantity === 0 ? 0 : Math.floor((item.total * quantity) / item.quantity);
  const seats = item.seatIds?.filter((s) => !seatIds.includes(s)) ?? null;
  return { item: { ...item, quantity, total, seatIds: seats }, amount: item.total - total };
}
