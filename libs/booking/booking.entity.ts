// A booking's row, for changes that touch no stock; what touches stock is decided by the batch. A hold is a booking not confirmed yet.
import { Entity } from 'typeorm';
import {
  AmountColumn,
  BooleanColumn,
  Id,
  IdColumn,
  InstantColumn,
  JsonColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import { Column } from 'typeorm';
import { bookingErrors } from './booking.errors.js';
import './booking.personal-data.js';
import { isOver, next, PAYING_SECONDS, type BookingStatus, type CancelReason } from './booking.rules.js';

@Entity({ schema: 'booking', name: 'booking' })
export class Booking {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() eventId: string;
  @TextColumn() status: BookingStatus;
  @InstantColumn({ nullable: true }) expiresAt: Date | null;
  @BooleanColumn() extended: boolean;
  @BooleanColumn() paying: boolean;
  @TextColumn() currency: string;
  @AmountColumn() total: number;
  @AmountColumn() refunded: number;
  @IdColumn({ nullable: true }) promoId: string | null;
  @IdColumn({ nullable: true }) accountId: string | null;
  @Column({ type: 'bytea', nullable: true }) person: Buffer | null;
  @TextColumn({ nullable: true }) cancelReason: CancelReason | null;
  @TextColumn({ nullable: true }) cancelNote: string | null;
  @TextColumn({ nullable: true }) contactEmail: string | null;
  @TextColumn({ nullable: true }) contactName: string | null;
  @TextColumn() locale: string;
  @JsonColumn({ nullable: true }) answers: unknown;
  @InstantColumn() createdAt: Date;
  @InstantColumn({ nullable: true }) confirmedAt: Date | null;
  @InstantColumn({ nullable: true }) cancelledAt: Date | null;
  @VersionColumn() version: number;

  /** A payment begins: the hold lasts longer, the first time, and nobody but the sweep ends it. */
  beginPayment(now: Date): void {
    this.demandAlive(now);
    this.paying = true;
    if (this.extended) return;
    const until = new Date(now.getTime() + PAYING_SECONDS * 1000);
    if (this.expiresAt && this.expiresAt < until) this.expiresAt = until;
    this.extended = true;
  }

  /** The payment came to nothing: the hold ends when it would have. */
  endPayment(): void {
    if (this.status === 'PENDING') this.paying = false;
  }

  /** Refuses for a hold that has ended and for anything that is no hold. */
  demandAlive(now: Date): void {
    if (isOver(this, now) || this.cancelReason === 'expired') throw bookingErrors.holdExpired({ bookingId: this.id });
    if (!next[this.status].includes('CONFIRMED')) throw bookingErrors.badTransition({ from: this.status });
  }
}
