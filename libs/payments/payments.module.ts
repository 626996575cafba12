// Payments as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { provideConfig } from '../platform/config/config.reader.js';
import { Database } from '../platform/db/database.js';
import { PaymentBooksRepository } from './books.repository.js';
import { PaymentBooks } from './books.service.js';
import { PaymentListService } from './payment-list.service.js';
import { PaymentRepository } from './payment.repository.js';
import { PaymentService } from './payment.service.js';
import { PaymentsConfig } from './payments.config.js';
import { PaymentsController } from './payments.controller.js';
import './payments.policy.js';
import { PaymentsPort } from './payments.port.js';
import { PaymentsProcessor } from './payments.processor.js';
import { Providers } from './provider.service.js';
import { ReconcileService } from './reconcile.service.js';
import { RefundService } from './refund.service.js';
import { SettlementService } from './settlement.service.js';
import { TestProvider } from './test-provider.client.js';
import { TestProviderRepository } from './test-provider.repository.js';
import { TestWebhooks } from './test-webhook.client.js';
import { WebhookController } from './webhook.controller.js';
import { WebhookRepository } from './webhook.repository.js';
import { WebhookService } from './webhook.service.js';

/** A new provider is a class behind PaymentProvider, listed here. */
const providers = {
  provide: Providers,
  inject: [Database, TestProvider],
  useFactory: (db: Database, test: TestProvider) => new Providers(db, [test]),
};

const services = [
  PaymentBooks, PaymentBooksRepository, PaymentListService, PaymentRepository, PaymentService, ReconcileService, RefundService, SettlementService, TestProvider,
  TestProviderRepository, TestWebhooks, WebhookRepository, WebhookService,
]; // prettier-ignore

const port = { provide: PaymentsPort, useExisting: PaymentService };

@Module({
  providers: [provideConfig(PaymentsConfig), providers, ...services, port],
  exports: [PaymentsPort, PaymentListService, ReconcileService, RefundService, TestWebhooks, WebhookService],
})
export class PaymentsModule {}

@Module({ imports: [PaymentsModule], controllers: [PaymentsController, WebhookController] })
export class PaymentsApi {}

@Module({ imports: [PaymentsModule], providers: [PaymentsProcessor] })
export class PaymentsWorker {}
