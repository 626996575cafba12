// Refunds: asked for in the transaction that wants them, brought to the provider by a job, booked when the provider says so.
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { JobQueue } from '../platform/queue/job.queue.js';
import { LedgerEntry } from './ledger-entry.entity.js';
import { type Posting, refundFailed, refundOwed, refundPaid } from './ledger.rules.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import type { Outcome } from './payment.rules.js';
import { PaymentRefunded, RefundFailed, RefundProcessing, RefundRequested } from './payments.domain-events.js';
import { paymentsErrors } from './payments.errors.js';
import { SubmitRefund } from './payments.jobs.js';
import { ProviderError, type RefundAnswer, type Repayment } from './provider.client.js';
import { Providers } from './provider.service.js';
import { Refund, type RefundWish } from './refund.entity.js';

@Injectable()
export class RefundService {
  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly payments: PaymentRepository,
    private readonly providers: Providers,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
  ) {}

  /** Writes the wish in the ambient transaction; the payment must be locked. The same key again is the same refund. */
  async request(payment: Payment, wish: RefundWish): Promise<void> {
    const known = await this.payments.refundByKey(payment.orgId, wish.key);
    if (known) return sameRefund(known, payment, wish);
    const others = await this.payments.refundsOf(payment.orgId, payment.id);
    const promised = others.filter((r) => r.isOpen).reduce((sum, r) => sum + r.amount, 0);
    if (payment.status !== 'succeeded' || wish.amount > payment.amount - payment.refundedAmount - promised) {
      throw paymentsErrors.badTransition({ paymentId: payment.id }, 'There is not so much money left to give back.');
    }
    const refund = Refund.of(payment, wish, this.clock.now());
    await this.db.insert(refund);
    const entries = await this.book(refund, refundOwed(refund.amount, payment.surplus));
    await this.events.announce(RefundRequested(refund.told), refund, ...entries);
    await this.jobs.add(SubmitRefund({ orgId: refund.orgId, refundId: refund.id }));
  }

  /** Asks the provider; safe to repeat. Throws a retryable ProviderError while the provider is away, so that the job comes back. */
  async submit(orgId: string, refundId: string): Promise<void> {
    const asked = await this.wanted(orgId, refundId);
    if (!asked) return;
    const { provider, repayment } = asked;
    const answer = await this.providers
      .call(provider, (p, signal) => p.refund(repayment, refundId, signal))
      .catch((e: unknown) => refusedFor(repayment, e));
    await this.take({ orgId, refundId }, answer);
  }

  /** Asks after a refund that stays open: how it stands, or where the provider never heard of it, asks again. */
  async reconcile(orgId: string, refundId: string): Promise<void> {
    const asked = await this.wanted(orgId, refundId);
    if (!asked) return;
    const { provider, repayment } = asked;
    const answer = await this.providers.call(provider, (p, signal) => p.findRefund(repayment, refundId, signal), 1);
    if (answer) await this.take({ orgId, refundId }, answer);
    else await this.submit(orgId, refundId);
  }

  /** Takes the provider's word about a refund into our books, once. */
  take(subject: { orgId: string; refundId: string }, answer: RefundAnswer): Promise<Outcome> {
    return this.db.transaction(async () => {
      const found = await this.payments.findRefund(subject.orgId, subject.refundId);
      const payment = found && (await this.payments.lock(found.orgId, found.paymentId));
      const refund = payment && (await this.payments.findRefund(subject.orgId, subject.refundId)); // As it is under the lock.
      if (!payment || !refund) return 'unknown';
      if (!refund.agreesWith(answer)) return 'mismatch';
      if (!refund.learn(answer)) return 'nothing-new';
      await this.db.saveVersioned(refund);
      if (refund.status === 'succeeded') await this.paid(refund, payment);
      else if (refund.status === 'failed') {
        const entries = await this.book(refund, refundFailed(refund.amount, payment.surplus));
        await this.events.announce(RefundFailed(refund.told), refund, ...entries);
      } else await this.events.announce(RefundProcessing(refund.told), refund);
      return 'applied';
    });
  }

  private async paid(refund: Refund, payment: Payment): Promise<void> {
    payment.giveBack(refund.amount);
    await this.db.saveVersioned(payment);
    const entries = await this.book(refund, refundPaid(refund.amount));
    await this.events.announce(PaymentRefunded(refund.told), payment, refund, ...entries);
  }

  private async book(refund: Refund, posting: Posting | null): Promise<LedgerEntry[]> {
    if (!posting) return [];
    const { orgId, paymentId, currency } = refund;
    const entries = LedgerEntry.of(posting, { orgId, paymentId, refundId: refund.id, currency }, this.clock.now());
    await this.payments.book(entries);
    return entries;
  }

  private async wanted(orgId: string, refundId: string): Promise<{ provider: string; repayment: Repayment } | null> {
    const refund = await this.payments.findRefund(orgId, refundId);
    if (!refund?.isOpen) return null;
    const payment = await this.payments.find(orgId, refund.paymentId);
    if (!payment) return null;
    const { paymentId, amount, currency } = refund;
    return { provider: payment.provider, repayment: { orgId, refundId, paymentId, amount, currency } };
  }
}

/** A key names one refund; another amount or payment under it is a mistake of the asker. */
function sameRefund(known: Refund, payment: Payment, wish: RefundWish): void {
  if (known.paymentId === payment.id && known.amount === wish.amount) return;
  throw new Error(`The refund key ${wish.key} was used for another refund.`);
}

/** A final no of the provider is a failed refund; anything else is thrown on. */
function refusedFor({ amount, currency }: Repayment, e: unknown): RefundAnswer {
  if (e instanceof ProviderError && !e.retryable) return { status: 'failed', amount, currency, code: e.code };
  throw e;
}
