// The aftermath: what follows from domain events once nobody waits for a reply any more.
import { Injectable } from '@nestjs/common';
import { Refusal } from '../kernel/errors.js';
import type { DomainEventData, RecordedEvent } from '../kernel/domain-event.js';
import { PaymentsPort } from '../payments/payments.port.js';
import type { JobRun } from '../platform/queue/job.worker.js';
import { BookingRepository } from './booking.repository.js';
import { Cancellation } from './cancel.service.js';
import { Checkout } from './checkout.service.js';

@Injectable()
export class BookingAftermath {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly payments: PaymentsPort,
    private readonly checkout: Checkout,
    private readonly cancellation: Cancellation,
  ) {}

  /** An account's booking joins its list. One of no account may still come: set aside when every hold was heard. */
  async project(e: RecordedEvent<DomainEventData & { bookingId: string }>): Promise<void> {
    const row = (e.data as { rows?: Record<string, { account_id: string | null }[]> }).rows?.['booking.booking']?.[0];
    if (row?.account_id) await this.bookings.project(row.account_id, e.orgId, e.data.bookingId);
  }

  /** Gives back what a cancellation promised; the event's place in its stream makes it happen once. */
  async refund(e: RecordedEvent<DomainEventData & { bookingId: string; refund: number }>): Promise<void> {
    const { bookingId, refund } = e.data;
    if (refund <= 0) return;
    await this.payments.refund({
      orgId: e.orgId,
      bookingId,
      amount: refund,
      key: `${e.stream}:${e.streamVersion}`,
      reason: 'booking_cancelled',
    });
  }

  /** The buyer may have been told already, in the reply: then there is nothing left to do. */
  async settlePaid(orgId: string, bookingId: string): Promise<void> {
    try {
      await this.checkout.paid(orgId, bookingId);
    } catch (e) {
      if (!(e instanceof Refusal) || e.code !== 'hold_expired') throw e; // Given back, and announced: settled.
    }
  }

  settleUnpaid(orgId: string, bookingId: string): Promise<void> {
    return this.checkout.failed(orgId, bookingId);
  }

  endEvent(orgId: string, eventId: string, run: JobRun): Promise<number> {
    let page = 0;
    return this.cancellation.endEvent(orgId, eventId, () => run.progress(1 - 1 / (2 + page++)));
  }
}
