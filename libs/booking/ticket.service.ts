// Tickets: signs their codes, draws them as QR and PDF, and hands them over to somebody else.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import { edgeErrors } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { Access } from '../platform/access/access.js';
import { SecretKeyRing } from '../platform/config/secret.keyring.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { BookingConfig } from './booking.config.js';
import { TicketsResendRequested, TicketTransferred } from './booking.domain-events.js';
import { Booking } from './booking.entity.js';
import { BookingRepository } from './booking.repository.js';
import type { BookingState, TicketState } from './booking.rules.js';
import type { NewTicket } from './inventory.rules.js';
import { subjectOf } from './booking.dto.js';
import { signTicketCode, signTicketCodes } from './ticket-code.rules.js';
import { Ticket } from './ticket.entity.js';

@Injectable()
export class Tickets {
  private readonly ring: SecretKeyRing;

  constructor(
    config: BookingConfig,
    private readonly bookings: BookingRepository,
    private readonly auth: AuthPort,
    private readonly access: Access,
    private readonly db: Database,
    private readonly events: EventStore,
  ) {
    this.ring = new SecretKeyRing('TICKET_KEYS', 'EdDSA', config.ticketKeys);
  }

  /** New tickets for every unit of a booking, signed; written by the inventory when it confirms. */
  async issue(booking: BookingState): Promise<NewTicket[]> {
    const tickets = booking.items.flatMap((i) =>
      Array.from({ length: i.quantity }, (_, n) => ({
        id: newId(booking.orgId),
        line: i.line,
        ticketTypeId: i.ticketTypeId,
        seatId: i.seatIds?.[n] ?? null,
      })),
    );
    const codes = await signTicketCodes(
      this.ring.now.current,
      tickets.map((t) => ({ tid: t.id, eid: booking.eventId, ver: 1 })),
    );
    return tickets.map((t, i) => ({ ...t, code: codes[i] }));
  }

  /** A ticket's code of one version. */
  sign(ticketId: string, eventId: string, version: number): string {
    return signTicketCode(this.ring.now.current, { tid: ticketId, eid: eventId, ver: version });
  }

  /** A ticket that the caller may do this with, and its booking. */
  async load(action: string, ticketId: string): Promise<{ booking: BookingState; ticket: TicketState }> {
    const booking = await this.bookings.ofTicket(await this.auth.orgOf(ticketId), ticketId);
    if (!booking) throw edgeErrors.notFound();
    this.access.demand(action, 'Booking', subjectOf(booking));
    return { booking, ticket: booking.tickets.find((t) => t.id === ticketId)! };
  }

  /** Gives a ticket to somebody else: a new code goes to them, the old one is void. */
  async transfer(ticketId: string, to: { email: string; name?: string }): Promise<void> {
    const { booking } = await this.load('transfer', ticketId);
    await this.db.transaction(async () => {
      const row = await this.lock(booking);
      const ticket = await this.db.findForUpdate(Ticket, { orgId: booking.orgId, id: ticketId });
      if (!ticket) throw edgeErrors.notFound();
      ticket.transferTo(to.email, to.name ?? null, (version) => this.sign(ticketId, booking.eventId, version));
      await this.db.update(ticket);
      await this.db.saveVersioned(row);
      const about = { orgId: booking.orgId, bookingId: booking.id, eventId: booking.eventId };
      await this.events.announce(TicketTransferred({ ...about, ticketId }), row, ticket);
    });
  }

  /** Sends the tickets again. */
  async resend(booking: BookingState): Promise<void> {
    await this.db.transaction(async () => {
      const row = await this.lock(booking);
      await this.db.saveVersioned(row);
      await this.events.announce(
        TicketsResendRequested({ orgId: booking.orgId, bookingId: booking.id, eventId: booking.eventId }),
        row,
      );
    });
  }

  private async lock(booking: BookingState): Promise<Booking> {
    const row = await this.db.findForUpdate(Booking, { orgId: booking.orgId, id: booking.id });
    if (!row) throw edgeErrors.notFound();
    return row;
  }
}
