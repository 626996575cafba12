// Booking as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';

@Module({ providers: [], exports: [] })
export class BookingModule {}

@Module({ imports: [BookingModule], controllers: [] })
export class BookingApi {}

@Module({ imports: [BookingModule], providers: [] })
export class BookingWorker {}
