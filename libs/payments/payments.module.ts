// Payments as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class PaymentsModule {}

@Module({ imports: [PaymentsModule], controllers: [] })
export class PaymentsApi {}

@Module({ imports: [PaymentsModule], providers: [] })
export class PaymentsWorker {}
