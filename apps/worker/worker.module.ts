// The worker: what hears domain events, does jobs and keeps time, from the bottom floor to the top.
import { Module } from '@nestjs/common';
import { AuthWorker } from '../../libs/auth/auth.module.js';
import { BookingWorker } from '../../libs/booking/booking.module.js';
import { CatalogWorker } from '../../libs/catalog/catalog.module.js';
import { NotificationsWorker } from '../../libs/notifications/notifications.module.js';
import { PaymentsWorker } from '../../libs/payments/payments.module.js';
import { PlatformModule, PlatformWorker } from '../../libs/platform/platform.module.js';
import { PricingWorker } from '../../libs/pricing/pricing.module.js';

@Module({
  imports: [
    PlatformModule,
    PlatformWorker,
    AuthWorker,
    CatalogWorker,
    PaymentsWorker,
    PricingWorker,
    BookingWorker,
    NotificationsWorker,
  ],
})
export class WorkerModule {}
