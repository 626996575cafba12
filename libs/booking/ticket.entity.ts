// A ticket: the right to enter, one for each unit of a confirmed booking. Its code is signed again whenever its holder changes.
import { Column, Entity } from 'typeorm';
import { Id, IdColumn, IntColumn, OrgId, TextColumn } from '../platform/db/columns.js';
import { bookingErrors } from './booking.errors.js';
import './booking.personal-data.js';
import type { TicketStatus } from './booking.rules.js';

@Entity({ schema: 'booking', name: 'ticket' })
export class Ticket {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() bookingId: string;
  @IdColumn() eventId: string;
  @Column('smallint') line: number;
  @IdColumn() ticketTypeId: string;
  @TextColumn({ nullable: true }) seatId: string | null;
  @TextColumn() status: TicketStatus;
  @IntColumn() codeVersion: number;
  @TextColumn() code: string;
  @TextColumn({ nullable: true }) holderEmail: string | null;
  @TextColumn({ nullable: true }) holderName: string | null;

  /** Gives it to somebody else; the code before is void at once. `sign` makes the code of a version. */
  transferTo(email: string, name: string | null, sign: (version: number) => string): void {
    this.demandValid();
    this.holderEmail = email;
    this.holderName = name;
    this.codeVersion += 1;
    this.code = sign(this.codeVersion);
  }

  void(): void {
    this.demandValid();
    this.status = 'void';
  }

  demandValid(): void {
    if (this.status !== 'valid') throw bookingErrors.badTransition({ ticketId: this.id, from: this.status });
  }
}
