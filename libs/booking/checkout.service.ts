// Checkout: a hold becomes a booking, free at once, or when its money has come; money that comes too late is seated again or given back.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { Clock } from '../kernel/time.js';
import { PaymentsPort, type Payment, type PaymentMethod } from '../payments/payments.port.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { BookingReader } from './booking-reader.service.js';
import { BookingExtended, BookingPaymentFailed, LatePaymentRefunded } from './booking.domain-events.js';
import { Booking } from './booking.entity.js';
import { bookingErrors } from './booking.errors.js';
import { isOver, type BookingState } from './booking.rules.js';
import { Confirmation } from './confirm.service.js';

export interface CheckoutReply {
  booking: BookingState;
  /** A payment that is not settled yet: 202. */
  payment?: Payment;
}

@Injectable()
export class Checkout {
  constructor(
    private readonly reader: BookingReader,
    private readonly confirmation: Confirmation,
    private readonly payments: PaymentsPort,
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly clock: Clock,
  ) {}

  /** Confirms a hold. Asking again is harmless: a confirmed booking stays as it is, a payment under way is the one there is. */
  async confirm(id: string, method: PaymentMethod | undefined): Promise<CheckoutReply> {
    const confirmed = await this.confirmation.ofFresh(id);
    if (confirmed) return { booking: confirmed };
    const booking = await this.reader.load('confirm', id);
    if (booking.status === 'CONFIRMED') return { booking };
    if (isOver(booking, this.clock.now()) || booking.cancelReason === 'expired')
      throw bookingErrors.holdExpired({ bookingId: booking.id });
    if (booking.status === 'CANCELLED') throw bookingErrors.badTransition({ from: booking.status });
    if (booking.total === 0) return { booking: await this.confirmation.settle(booking, false) };
    if (!method) throw bookingErrors.paymentRequired({ methods: this.payments.methods() });
    const payment = await this.pay(booking, method);
    switch (payment.status) {
      case 'succeeded':
        return { booking: await this.paid(booking.orgId, booking.id) };
      case 'declined':
      case 'refunded':
        await this.failed(booking.orgId, booking.id);
        throw bookingErrors.paymentDeclined({ methods: this.payments.methods(), reason: payment.declineCode });
      default:
        return { booking: await this.reader.find(booking.orgId, booking.id), payment };
    }
  }

  /** Money came for a booking: confirms it, seats it again when its hold had ended, or gives the money back. For the payment's consumer too. */
  async paid(orgId: string, bookingId: string): Promise<BookingState> {
    const booking = await this.reader.find(orgId, bookingId);
    try {
      return await this.confirmation.settle(booking, true);
    } catch (e) {
      if ((e as { code?: string }).code !== 'sold_out' && (e as { code?: string }).code !== 'bad_transition') throw e;
      await this.giveBack(orgId, bookingId);
      throw bookingErrors.holdExpired(
        { bookingId },
        'The payment came after the hold had ended and its places were gone. The money is given back.',
      );
    }
  }

  /** A payment came to nothing: the hold goes on until it expires, and can be paid another way. */
  async failed(orgId: string, bookingId: string): Promise<void> {
    await this.db.transaction(async () => {
      const row = await this.db.findForUpdate(Booking, { orgId, id: bookingId });
      if (!row?.paying || row.status !== 'PENDING') return;
      if ((await this.payments.openAmong(orgId, [bookingId])).has(bookingId)) return;
      row.endPayment();
      await this.db.saveVersioned(row);
      await this.events.announce(BookingPaymentFailed({ orgId, bookingId, eventId: row.eventId }), row);
    });
  }

  /** First the wish and the longer hold, in one transaction; then the provider, outside of any. */
  private async pay(booking: BookingState, method: PaymentMethod): Promise<Payment> {
    const { orgId, id } = booking;
    const payment = await this.db.transaction(async () => {
      const row = await this.db.findForUpdate(Booking, { orgId, id });
      if (!row) throw edgeErrors.notFound();
      const wish = await this.payments.create({ orgId, bookingId: id, amount: row.total, currency: row.currency, method });
      if (row.status === 'CONFIRMED' || row.paying) return wish;
      row.beginPayment(this.clock.now());
      await this.db.saveVersioned(row);
      await this.events.announce(BookingExtended({ orgId, bookingId: id, eventId: row.eventId }), row);
      return wish;
    });
    return payment.status === 'created' ? this.payments.submit(orgId, payment.id, method) : payment;
  }

  /**
   * Gives back what was paid for a booking that never came to be. One that was confirmed has had its money's worth, or its own refund,
   * which may have kept a fee. Once for each payment: its key makes a second wish the first.
   */
  private async giveBack(orgId: string, bookingId: string): Promise<void> {
    await this.db.transaction(async () => {
      const row = await this.db.findForUpdate(Booking, { orgId, id: bookingId });
      if (!row || row.confirmedAt !== null) return;
      for (const p of await this.payments.ofBooking(orgId, bookingId)) {
        const due = p.amount - row.refunded;
        if (p.status !== 'succeeded' || due <= 0) continue;
        await this.payments.refund({ orgId, bookingId, amount: due, key: `late:${p.id}`, reason: 'hold_ended' });
        row.refunded += due;
        await this.db.saveVersioned(row);
        await this.events.announce(LatePaymentRefunded({ orgId, bookingId, eventId: row.eventId, refund: due }), row);
      }
    });
  }
}
