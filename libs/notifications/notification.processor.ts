// What notifications hears, does and repeats. Which message a domain event makes is in notification.rules.ts.
import { Injectable } from '@nestjs/common';
import {
  AccountRegistered,
  EmailVerificationRequested,
  InvitationCreated,
  PasswordChanged,
  PasswordResetRequested,
} from '../auth/auth.domain-events.js';
import {
  BookingCancelled,
  BookingConfirmed,
  BookingReduced,
  LatePaymentRefunded,
  SeatsMoved,
  TicketsResendRequested,
  TicketTransferred,
} from '../booking/booking.domain-events.js';
import type { RecordedEvent } from '../kernel/domain-event.js';
import { Every, OnDomainEvents, OnJob } from '../platform/queue/processor.decorators.js';
import { DeliveryService } from './delivery.service.js';
import { MessageService } from './message.service.js';
import { SendMessage } from './notification.jobs.js';

const HOUR_MS = 3_600_000;
/** Holds that run out are no news: an on-sale ends thousands a second. */
const NOT_EXPIRED = '$.reason ? (@ != "expired")';

// prettier-ignore
@Injectable()
export class NotificationProcessor {
  constructor(
    private readonly messages: MessageService,
    private readonly deliveries: DeliveryService,
  ) {}

  @OnDomainEvents(AccountRegistered, 'notifications.account-registered') registered(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(EmailVerificationRequested, 'notifications.email-verification') verification(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(PasswordResetRequested, 'notifications.password-reset') reset(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(PasswordChanged, 'notifications.password-changed') passwordChanged(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(InvitationCreated, 'notifications.invitation') invited(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(BookingConfirmed, 'notifications.booking-confirmed') confirmed(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(BookingCancelled, 'notifications.booking-cancelled', { only: NOT_EXPIRED }) cancelled(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(BookingReduced, 'notifications.booking-reduced') reduced(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(TicketTransferred, 'notifications.ticket-transferred') transferred(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(TicketsResendRequested, 'notifications.tickets-resent') resend(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(SeatsMoved, 'notifications.seats-moved') moved(e: RecordedEvent[]) { return this.messages.hear(e); }
  @OnDomainEvents(LatePaymentRefunded, 'notifications.late-payment-refunded') late(e: RecordedEvent[]) { return this.messages.hear(e); }

  @OnJob(SendMessage) send({ orgId, messageId }: { orgId: string; messageId: string }) { return this.deliveries.send(orgId, messageId); }

  @Every(HOUR_MS) trim() { return this.deliveries.trim(); }
}
