// A booking out of its history: the rows that its domain events add up to, read as the state they were. A column that history does not name
// has its default. Pure.
import type { FoldedRows } from '../platform/eventstore/event.reader.js';
import type { BookingState, ItemState, TicketState } from './booking.rules.js';

type Row = Record<string, unknown>;

const date = (v: unknown) => (typeof v === 'string' ? new Date(v) : null);

/** Null where the history holds no booking. Personal columns are not in it, and so are null. */
export function stateOfHistory(folded: FoldedRows): BookingState | null {
  const row = [...(folded.get('booking.booking')?.values() ?? [])][0];
  if (!row) return null;
  return {
    orgId: row.org_id as string,
    id: row.id as string,
    eventId: row.event_id as string,
    status: row.status as BookingState['status'],
    expiresAt: date(row.expires_at),
    extended: (row.extended ?? false) as boolean,
    paying: (row.paying ?? false) as boolean,
    currency: row.currency as string,
    total: Number(row.total),
    refunded: Number(row.refunded ?? 0),
    promoId: (row.promo_id ?? null) as string | null,
    accountId: (row.account_id ?? null) as string | null,
    cancelReason: (row.cancel_reason ?? null) as BookingState['cancelReason'],
    cancelNote: null,
    contactEmail: null,
    contactName: null,
    locale: (row.locale ?? 'en') as string,
    answers: null,
    createdAt: date(row.created_at)!,
    confirmedAt: date(row.confirmed_at),
    cancelledAt: date(row.cancelled_at),
    version: row.version as number,
    items: rowsOf(folded, 'booking.item').map(itemOf),
    tickets: rowsOf(folded, 'booking.ticket').map(ticketOf),
  };
}

const rowsOf = (folded: FoldedRows, table: string): Row[] =>
  [...(folded.get(table)?.values() ?? [])].sort(
    (a, b) => Number(a.line) - Number(b.line) || (String(a.id) < String(b.id) ? -1 : 1),
  );

const itemOf = (r: Row): ItemState => ({
  line: Number(r.line),
  ticketTypeId: r.ticket_type_id as string,
  poolId: r.pool_id as string,
  quantity: Number(r.quantity),
  unitPrice: Number(r.unit_price),
  total: Number(r.total),
  seatIds: (r.seat_ids ?? null) as string[] | null,
});

const ticketOf = (r: Row): TicketState => ({
  id: r.id as string,
  line: Number(r.line),
  ticketTypeId: r.ticket_type_id as string,
  seatId: (r.seat_id ?? null) as string | null,
  status: r.status as TicketState['status'],
  codeVersion: Number(r.code_version),
  code: r.code as string,
  holderEmail: null,
  holderName: null,
});
