// What booking hears, does later and repeats. One line each.
import { Injectable } from '@nestjs/common';
import { EventCancelled } from '../catalog/catalog.domain-events.js';
import type { DomainEventData, RecordedEvent } from '../kernel/domain-event.js';
import { PaymentDeclined, PaymentSucceeded } from '../payments/payments.domain-events.js';
import { JobQueue } from '../platform/queue/job.queue.js';
import type { JobRun } from '../platform/queue/job.worker.js';
import { Every, OnDomainEvent, OnJob } from '../platform/queue/processor.decorators.js';
import { auditOnlyEvents } from '../platform/queue/worker.engine.js';
import { BookingAftermath } from './aftermath.service.js';
import { BookingCancelled, BookingExtended, BookingHeld, BookingPaymentFailed, BookingReduced } from './booking.domain-events.js';
import { EndEventBookings, SettlePaid, SettleUnpaid } from './booking.jobs.js';
import { Sweep } from './sweep.service.js';

auditOnlyEvents(BookingExtended, BookingPaymentFailed);

/** Holds of guests and programs are in nobody's list. */
const BY_ACCOUNT = '$.rows."booking.booking"[*].account_id ? (@ != null)';
/** Most bookings that end are holds nobody paid for. */
const WITH_REFUND = '$.refund ? (@ > 0)';

type OfPayment = DomainEventData & { bookingId: string };
type OfEvent = DomainEventData & { eventId: string };
type Refunding = DomainEventData & { bookingId: string; refund: number };

// prettier-ignore
@Injectable()
export class BookingProcessor {
  constructor(
    private readonly jobs: JobQueue,
    private readonly after: BookingAftermath,
    private readonly sweep: Sweep,
  ) {}

  @OnDomainEvent(BookingHeld, 'booking.of-account', { only: BY_ACCOUNT }) held(e: RecordedEvent<DomainEventData & { bookingId: string }>) { return this.after.project(e); }
  @OnDomainEvent(PaymentSucceeded, 'booking.paid') paid({ data }: RecordedEvent<OfPayment>) { return this.jobs.add(SettlePaid({ orgId: data.orgId, bookingId: data.bookingId })); }
  @OnDomainEvent(PaymentDeclined, 'booking.unpaid') unpaid({ data }: RecordedEvent<OfPayment>) { return this.jobs.add(SettleUnpaid({ orgId: data.orgId, bookingId: data.bookingId })); }
  @OnDomainEvent(EventCancelled, 'booking.event-cancelled') off({ data }: RecordedEvent<OfEvent>) { return this.jobs.add(EndEventBookings({ orgId: data.orgId, eventId: data.eventId })); }
  @OnDomainEvent(BookingCancelled, 'booking.refund-cancelled', { only: WITH_REFUND }) cancelled(e: RecordedEvent<Refunding>) { return this.after.refund(e); }
  @OnDomainEvent(BookingReduced, 'booking.refund-reduced', { only: WITH_REFUND }) reduced(e: RecordedEvent<Refunding>) { return this.after.refund(e); }

  @OnJob(SettlePaid) settlePaid(job: { orgId: string; bookingId: string }) { return this.after.settlePaid(job.orgId, job.bookingId); }
  @OnJob(SettleUnpaid) settleUnpaid(job: { orgId: string; bookingId: string }) { return this.after.settleUnpaid(job.orgId, job.bookingId); }
  @OnJob(EndEventBookings) endEvent(job: { orgId: string; eventId: string }, run: JobRun) { return this.after.endEvent(job.orgId, job.eventId, run); }

  @Every(1000) sweepHolds() { return this.sweep.run(); }
}
