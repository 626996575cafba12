// Seats in SQL: placed by catalog, shown to everyone, moved by organizers. Held and sold by the batch alone.
import { Injectable } from '@nestjs/common';
import type { StockSeat } from '../catalog/catalog.spi.js';
import { Database } from '../platform/db/database.js';
import type { SeatState } from './booking.rules.js';

export interface SeatRow {
  id: string;
  section: string;
  sectionName: string;
  row: string;
  number: string;
  x: number;
  y: number;
  zone: string;
  ticketTypeId: string;
  accessible: boolean;
  companionOf: string | null;
  ordinal: number;
  state: SeatState;
}

const SEATS = `SELECT seat_id AS id, section, section_name AS "sectionName", row_name AS row, number, x, y, zone, ticket_type_id AS "ticketTypeId", accessible,
  companion_of AS "companionOf", ordinal, state FROM booking.seat`;

@Injectable()
export class SeatRepository {
  constructor(private readonly db: Database) {}

  async place(orgId: string, eventId: string, ticketTypeId: string, seats: readonly StockSeat[]): Promise<void> {
    const column = <K extends keyof StockSeat>(key: K) => seats.map((s) => s[key]);
    await this.db.execute(
      `INSERT INTO booking.seat (org_id, event_id, ticket_type_id, seat_id, section, section_name, row_name, number, x, y, zone, accessible, companion_of, ordinal)
       SELECT $1, $2, $3, s.* FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::float8[], $10::float8[], $11::text[], $12::bool[], $13::text[], $14::int[]) s`,
      [orgId, eventId, ticketTypeId, column('seatId'), column('section'), column('sectionName'), column('row'), column('number'), column('x'), column('y'), column('zone'), column('accessible'), column('companionOf'), column('ordinal')],
    ); // prettier-ignore
  }

  /** All seats of an event, in the order of sections, rows and places. */
  ofEvent(orgId: string, eventId: string): Promise<SeatRow[]> {
    return this.db.prepared<SeatRow>(
      'seats-of-event',
      `${SEATS} WHERE org_id = $1 AND event_id = $2 ORDER BY section, row_name, ordinal`,
      [orgId, eventId],
    );
  }

  byIds(orgId: string, eventId: string, ids: readonly string[]): Promise<SeatRow[]> {
    return this.db.query<SeatRow>(`${SEATS} WHERE org_id = $1 AND event_id = $2 AND seat_id = ANY ($3)`, [orgId, eventId, ids]);
  }

  /** Only ids and states: what changes. */
  states(orgId: string, eventId: string): Promise<Pick<SeatRow, 'id' | 'state'>[]> {
    return this.db.prepared(
      'seat-states',
      `SELECT seat_id AS id, state FROM booking.seat WHERE org_id = $1 AND event_id = $2 ORDER BY seat_id`,
      [orgId, eventId],
    );
  }

  /** Gives a booking's seats up and others to it instead; how many of the new ones were free. Needs the pool's lock. */
  async swap(
    at: { orgId: string; eventId: string; bookingId: string; ticketTypeId: string },
    from: string[],
    to: string[],
  ): Promise<number> {
    await this.db.execute(
      `UPDATE booking.seat SET state = 'free', booking_id = NULL WHERE org_id = $1 AND event_id = $2 AND booking_id = $3 AND seat_id = ANY ($4)`,
      [at.orgId, at.eventId, at.bookingId, from],
    );
    return this.db.execute(
      `UPDATE booking.seat SET state = 'sold', booking_id = $3 WHERE org_id = $1 AND event_id = $2 AND ticket_type_id = $4 AND state = 'free' AND seat_id = ANY ($5)`,
      [at.orgId, at.eventId, at.bookingId, at.ticketTypeId, to],
    );
  }

  async giveBack(orgId: string, eventId: string, bookingId: string, seatIds: readonly string[]): Promise<void> {
    await this.db.execute(
      `UPDATE booking.seat SET state = 'free', booking_id = NULL WHERE org_id = $1 AND event_id = $2 AND booking_id = $3 AND seat_id = ANY ($4)`,
      [orgId, eventId, bookingId, seatIds],
    );
  }
}
