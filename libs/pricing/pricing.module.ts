// Pricing as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class PricingModule {}

@Module({ imports: [PricingModule], controllers: [] })
export class PricingApi {}

@Module({ imports: [PricingModule], providers: [] })
export class PricingWorker {}
