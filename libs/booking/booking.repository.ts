// Booking's reads: a booking with its items and tickets, lists by event and by account, and the holds whose time is over.
import { Injectable } from '@nestjs/common';
import { gather } from '../platform/gather/gather.js';
import { Database } from '../platform/db/database.js';
import type { BookingState, ItemState, TicketState } from './booking.rules.js';

/** One statement for the row, its items and its tickets: three round trips less. Tickets come in their index's order, or a small table's plan would not use it. */
const STATE = `
  SELECT b.org_id AS "orgId", b.id, b.event_id AS "eventId", b.status, b.expires_at AS "expiresAt", b.extended, b.paying, b.currency, b.total, b.refunded,
    b.promo_id AS "promoId", b.account_id AS "accountId", b.cancel_reason AS "cancelReason", b.cancel_note AS "cancelNote", b.contact_email AS "contactEmail",
    b.contact_name AS "contactName", b.locale, b.answers, b.created_at AS "createdAt", b.confirmed_at AS "confirmedAt",
    b.cancelled_at AS "cancelledAt", b.version,
    (SELECT json_agg(json_build_object('line', i.line, 'ticketTypeId', i.ticket_type_id, 'poolId', i.pool_id, 'quantity', i.quantity,
       'unitPrice', i.unit_price, 'total', i.total, 'seatIds', i.seat_ids) ORDER BY i.line)
     FROM booking.item i WHERE i.org_id = b.org_id AND i.booking_id = b.id) AS items,
    (SELECT json_agg(json_build_object('id', t.id, 'line', t.line, 'ticketTypeId', t.ticket_type_id, 'seatId', t.seat_id, 'status', t.status,
       'codeVersion', t.code_version, 'code', t.code, 'holderEmail', t.holder_email, 'holderName', t.holder_name) ORDER BY t.line, t.id)
     FROM booking.ticket t WHERE t.org_id = b.org_id AND t.booking_id = b.id) AS tickets
  FROM booking.booking b`;

type StateRow = Omit<BookingState, 'items' | 'tickets'> & { items: ItemState[] | null; tickets: TicketState[] | null };

function stateOf(row: StateRow): BookingState {
  row.items ??= [];
  row.tickets ??= [];
  return row as BookingState;
}

interface Key {
  orgId: string;
  id: string;
}

export interface BookingFilter {
  status?: string;
  /** Part of a contact's mail address or name, or the beginning of a booking's id. */
  q?: string;
}

export interface OverdueHold {
  orgId: string;
  bookingId: string;
  paying: boolean;
  poolIds: string[];
}

@Injectable()
export class BookingRepository {
  /** What is asked for in one turn of the event loop, while everyone confirms, is one question. */
  private readonly findTogether = gather(256, (keys: readonly Key[]) => this.findAll(keys));

  constructor(private readonly db: Database) {}

  /** In the ambient transaction where there is one. */
  async find(orgId: string, id: string): Promise<BookingState | null> {
    if (!this.db.inTransaction) return this.findTogether({ orgId, id });
    return (await this.findAll([{ orgId, id }]))[0];
  }

  private async findAll(keys: readonly Key[]): Promise<(BookingState | null)[]> {
    const rows = await this.db.prepared<StateRow>(
      'booking-states',
      `${STATE} JOIN unnest($1::uuid[], $2::uuid[]) AS asked(org_id, id) ON asked.org_id = b.org_id AND asked.id = b.id`,
      [keys.map((k) => k.orgId), keys.map((k) => k.id)],
    );
    const found = new Map(rows.map((row) => [row.id, row]));
    return keys.map(({ orgId, id }) => {
      const row = found.get(id);
      return row?.orgId === orgId ? stateOf(row) : null;
    });
  }

  async ofTicket(orgId: string, ticketId: string): Promise<BookingState | null> {
    const [row] = await this.db.query<StateRow>(
      `${STATE} WHERE b.org_id = $1 AND b.id = (SELECT booking_id FROM booking.ticket WHERE org_id = $1 AND id = $2)`,
      [orgId, ticketId],
    );
    return row ? stateOf(row) : null;
  }

  /** An event's bookings, newest first, after the id of the page before. */
  async ofEvent(
    at: { orgId: string; eventId: string },
    filter: BookingFilter,
    after: string | null,
    limit: number,
  ): Promise<BookingState[]> {
    // What reads as expired (booking.rules.ts, isOver) counts as CANCELLED here too, swept or not.
    const over = `(b.status = 'PENDING' AND NOT b.paying AND b.expires_at <= platform.now())`;
    const rows = await this.db.query<StateRow>(
      `${STATE} WHERE b.org_id = $1 AND b.event_id = $2 AND ($3::uuid IS NULL OR b.id < $3)
         AND ($4::text IS NULL OR CASE WHEN ${over} THEN 'CANCELLED' ELSE b.status END = $4)
         AND ($5::text IS NULL OR b.contact_email ILIKE $5 OR b.contact_name ILIKE $5 OR b.id::text LIKE $6)
       ORDER BY b.id DESC LIMIT $7`,
      [at.orgId, at.eventId, after, filter.status ?? null, like(filter.q, '%'), like(filter.q, ''), limit],
    );
    return rows.map(stateOf);
  }

  /** An account's bookings over all organizations, newest first. */
  async ofAccount(accountId: string, after: string | null, limit: number): Promise<BookingState[]> {
    const rows = await this.db.query<StateRow>(
      `${STATE} JOIN booking.account_booking a ON a.account_id = $1 AND a.org_id = b.org_id AND a.booking_id = b.id
       WHERE ($2::uuid IS NULL OR b.id < $2) ORDER BY b.id DESC LIMIT $3`,
      [accountId, after, limit],
    );
    return rows.map(stateOf);
  }

  async project(accountId: string, orgId: string, bookingId: string): Promise<void> {
    await this.db.execute(
      `INSERT INTO booking.account_booking (account_id, booking_id, org_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [accountId, bookingId, orgId],
    );
  }

  /** Live bookings of an event that was cancelled, a page at a time. */
  async liveOfEvent(orgId: string, eventId: string, limit: number): Promise<BookingState[]> {
    const rows = await this.db.query<StateRow>(
      `${STATE} WHERE b.org_id = $1 AND b.event_id = $2 AND b.status IN ('PENDING', 'CONFIRMED') ORDER BY b.id LIMIT $3`,
      [orgId, eventId, limit],
    );
    return rows.map(stateOf);
  }

  /** Holds whose time is over, of all organizations, the oldest first. Those with a payment under way are asked for apart. */
  overdue(paying: boolean, limit: number, except: string[]): Promise<OverdueHold[]> {
    return this.db.query<OverdueHold>(
      `SELECT b.org_id AS "orgId", b.id AS "bookingId", b.paying, array_agg(DISTINCT i.pool_id::text) AS "poolIds"
       FROM (SELECT * FROM booking.booking WHERE status = 'PENDING' AND expires_at <= platform.now() AND paying = $1
             AND id <> ALL ($3::uuid[]) ORDER BY expires_at LIMIT $2) b
       JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id GROUP BY 1, 2, 3`,
      [paying, limit, except],
    );
  }
}

const like = (q: string | undefined, before: string) => (q ? `${before}${q.replace(/[\\%_]/g, '\\$&')}%` : null);
