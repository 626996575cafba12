// The api: what it serves, from the bottom floor to the top.
import { Module } from '@nestjs/common';
import { AuthApi } from '../../libs/auth/auth.module.js';
import { BookingApi } from '../../libs/booking/booking.module.js';
import { CatalogApi } from '../../libs/catalog/catalog.module.js';
import { NotificationsApi } from '../../libs/notifications/notifications.module.js';
import { OpsApi } from '../../libs/ops/ops.module.js';
import { PaymentsApi } from '../../libs/payments/payments.module.js';
import { PlatformModule } from '../../libs/platform/platform.module.js';
import { PricingApi } from '../../libs/pricing/pricing.module.js';

@Module({ imports: [PlatformModule, AuthApi, OpsApi, CatalogApi, PaymentsApi, PricingApi, BookingApi, NotificationsApi] })
export class ApiModule {}
