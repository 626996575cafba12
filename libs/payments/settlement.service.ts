// Settlement: takes a provider's word about a charge, wherever it came from (its answer, a webhook, the reconciler), into our books, once.
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { Log } from '../platform/observe/log.js';
import { Meter, type Counter } from '../platform/observe/meter.js';
import { LedgerEntry } from './ledger-entry.entity.js';
import { captured } from './ledger.rules.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import type { Outcome } from './payment.rules.js';
import { PaymentDeclined, PaymentProcessing, PaymentSucceeded, PaymentSurplus } from './payments.domain-events.js';
import type { ChargeAnswer } from './provider.client.js';
import { RefundService } from './refund.service.js';

@Injectable()
export class SettlementService {
  private readonly settled: Counter;

  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly payments: PaymentRepository,
    private readonly refunds: RefundService,
    private readonly clock: Clock,
    private readonly log: Log,
    meter: Meter,
  ) {
    this.settled = meter.counter('evently_payments_total', 'Payments that came to a status, by it', 'status');
  }

  /** State, ledger and domain event in one transaction. Words that are late, doubled or overtaken change nothing. */
  take(subject: { orgId: string; paymentId: string }, answer: ChargeAnswer): Promise<Outcome> {
    return this.db.transaction(async () => {
      const payment = await this.payments.lock(subject.orgId, subject.paymentId);
      if (!payment) return 'unknown';
      if (!payment.agreesWith(answer)) {
        const { amount, currency } = answer;
        this.log.error({ ...payment.told, told: { amount, currency } }, 'A provider took another amount than was asked for');
        return 'mismatch';
      }
      const givenUp = payment.status === 'declined';
      if (!payment.learn(answer)) return 'nothing-new';
      if (payment.status === 'succeeded') await this.capture(payment, givenUp);
      else {
        await this.db.saveVersioned(payment);
        const told = payment.status === 'declined' ? PaymentDeclined(payment.told) : PaymentProcessing(payment.told);
        await this.events.announce(told, payment);
      }
      const came = payment.surplus ? 'surplus' : payment.status;
      this.db.afterCommit(() => this.settled.add(came));
      return 'applied';
    });
  }

  /** Money came. For a payment that was given up it may be too much: then it goes back in the same breath. */
  private async capture(payment: Payment, givenUp: boolean): Promise<void> {
    if (givenUp && (await this.payments.live(payment.orgId, payment.bookingId))) payment.markSurplus();
    await this.db.saveVersioned(payment);
    const about = { orgId: payment.orgId, paymentId: payment.id, refundId: null, currency: payment.currency };
    const entries = LedgerEntry.of(captured(payment.amount, payment.surplus), about, this.clock.now());
    await this.payments.book(entries);
    if (!payment.surplus) return this.events.announce(PaymentSucceeded(payment.told), payment, ...entries);
    await this.events.announce(PaymentSurplus(payment.told), payment, ...entries);
    await this.refunds.request(payment, { amount: payment.amount, key: `surplus:${payment.id}`, reason: 'surplus' });
  }
}
