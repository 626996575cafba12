// Reconciler: asks providers about what stays open for too long: a crash between our wish and their yes, or between their yes and our record.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { Log } from '../platform/observe/log.js';
import type { Payment } from './payment.entity.js';
import { type Overdue, PaymentRepository } from './payment.repository.js';
import { isOpen, PATIENCE_SECONDS } from './payment.rules.js';
import { type ChargeAnswer, ProviderError } from './provider.client.js';
import { Providers } from './provider.service.js';
import { RefundService } from './refund.service.js';
import { SettlementService } from './settlement.service.js';

/** Asked at a time; and how many such rounds one tick makes at most, so that a stop need not wait long. */
const ROUND = 10;
const MAX_ROUNDS = 20;

@Injectable()
export class ReconcileService {
  constructor(
    private readonly db: Database,
    private readonly payments: PaymentRepository,
    private readonly providers: Providers,
    private readonly settlement: SettlementService,
    private readonly refunds: RefundService,
    private readonly log: Log,
  ) {}

  /** Claims what is overdue in one short transaction, then asks outside of it. What fails is due again later. */
  async settleOverdue(): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const due = await this.db.transaction(() => this.payments.claimOverdue(PATIENCE_SECONDS, ROUND));
      await Promise.all(due.map((subject) => this.settle(subject)));
      if (due.length < ROUND) return;
    }
  }

  private async settle({ kind, orgId, id }: Overdue): Promise<void> {
    try {
      const settled = kind === 'payment' ? await this.settlePayment(orgId, id) : await this.settleRefund(orgId, id);
      if (settled) await this.payments.unwatch(orgId, id);
    } catch (e) {
      if (!(e instanceof ProviderError && e.retryable))
        this.log.warn({ err: e, orgId, id }, `An open ${kind} could not be settled`);
    }
  }

  private async settlePayment(orgId: string, paymentId: string): Promise<boolean> {
    const payment = await this.payments.find(orgId, paymentId);
    if (!payment || !isOpen(payment.status)) return true;
    await this.settlement.take(payment.told, await this.askAfter(payment));
    const now = await this.payments.find(orgId, paymentId);
    return !now || !isOpen(now.status);
  }

  /** A payment nobody submitted any more is given up at the provider first, so that a late submit takes no money either. */
  private async askAfter(payment: Payment): Promise<ChargeAnswer> {
    const { provider, id, told } = payment;
    const there =
      payment.status === 'processing' ? await this.providers.call(provider, (p, signal) => p.find(told, id, signal), 1) : null;
    return there ?? this.providers.call(provider, (p, signal) => p.cancel(told, id, signal), 1);
  }

  private async settleRefund(orgId: string, refundId: string): Promise<boolean> {
    await this.refunds.reconcile(orgId, refundId);
    const refund = await this.payments.findRefund(orgId, refundId);
    return !refund?.isOpen;
  }
}
