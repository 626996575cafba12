// Pricing as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/catalog.module.js';
import { PriceService } from './price.service.js';
import { PricingPort } from './pricing.port.js';
import './pricing.processor.js';
import { PromoCodeController } from './promo-code.controller.js';
import { PromoCodeRepository } from './promo-code.repository.js';
import { PromoCodeService } from './promo-code.service.js';

@Module({
  imports: [CatalogModule],
  providers: [PromoCodeRepository, PromoCodeService, PriceService, { provide: PricingPort, useExisting: PriceService }],
  exports: [PricingPort, PromoCodeService],
})
export class PricingModule {}

@Module({ imports: [PricingModule], controllers: [PromoCodeController] })
export class PricingApi {}

@Module({ imports: [PricingModule] })
export class PricingWorker {}
