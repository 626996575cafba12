// What payments does later and by the clock.
import { Injectable } from '@nestjs/common';
import { Every, OnJob } from '../platform/queue/processor.decorators.js';
import { auditOnlyEvents } from '../platform/queue/worker.engine.js';
import { PaymentCreated, PaymentProcessing, PaymentRefunded } from './payments.domain-events.js';
import { PaymentSurplus, RefundFailed, RefundProcessing, RefundRequested } from './payments.domain-events.js';
import { DeliverTestWebhook, SubmitRefund } from './payments.jobs.js';
import { ReconcileService } from './reconcile.service.js';
import { RefundService } from './refund.service.js';
import { TestWebhooks } from './test-webhook.client.js';
import { WebhookService } from './webhook.service.js';

auditOnlyEvents(
  PaymentCreated,
  PaymentProcessing,
  PaymentRefunded,
  PaymentSurplus,
  RefundRequested,
  RefundProcessing,
  RefundFailed,
);

@Injectable()
export class PaymentsProcessor {
  constructor(
    private readonly refunds: RefundService,
    private readonly reconciler: ReconcileService,
    private readonly webhooks: WebhookService,
    private readonly testWebhooks: TestWebhooks,
  ) {}

  @OnJob(SubmitRefund) submitRefund(d: { orgId: string; refundId: string }) {
    return this.refunds.submit(d.orgId, d.refundId);
  }

  @OnJob(DeliverTestWebhook) deliverTestWebhook(d: { orgId: string; webhookId: string }) {
    return this.testWebhooks.deliver(d.orgId, d.webhookId);
  }

  @Every(1000) settleOverdue() {
    return this.reconciler.settleOverdue();
  }

  @Every(600_000) async trim() {
    await this.webhooks.trim();
    await this.testWebhooks.trim();
  }
}
