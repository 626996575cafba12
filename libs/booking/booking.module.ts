// Booking as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { AuthModule } from '../auth/auth.module.js';
import { CatalogModule } from '../catalog/catalog.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { provideConfig } from '../platform/config/config.reader.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { BookingAftermath } from './aftermath.service.js';
import { BestSeats } from './best-seats.service.js';
import { BookingConfig } from './booking.config.js';
import { BookingController } from './booking.controller.js';
import './booking.policy.js';
import { BookingPort } from './booking.port.js';
import { BookingProcessor } from './booking.processor.js';
import { BookingReader } from './booking-reader.service.js';
import { BookingRepository } from './booking.repository.js';
import { Bookings } from './booking.service.js';
import { BooksRepository } from './books.repository.js';
import { BookingBooks } from './books.service.js';
import { Cancellation, CancelTools } from './cancel.service.js';
import { Checkout } from './checkout.service.js';
import { Confirmation } from './confirm.service.js';
import { Crowd } from './crowd.service.js';
import { DeskController } from './desk.controller.js';
import { Desk } from './desk.service.js';
import { FreshHolds } from './fresh-holds.service.js';
import { History } from './history.service.js';
import { Holder } from './holder.service.js';
import { InventoryRepository } from './inventory.repository.js';
import { Inventory } from './inventory.service.js';
import { PaperDesk } from './paper.service.js';
import { Requests } from './request.service.js';
import { Sales } from './sale.service.js';
import { SeatRepository } from './seat.repository.js';
import { StockController } from './stock.controller.js';
import { StockRepository } from './stock.repository.js';
import { Stock, StockAnswers } from './stock.service.js';
import { Sweep } from './sweep.service.js';
import { TicketController } from './ticket.controller.js';
import { Tickets } from './ticket.service.js';
import { VerdictRepository } from './verdict.repository.js';

const services = [
  BestSeats, BookingAftermath, BookingBooks, BookingReader, BookingRepository, Bookings, BooksRepository, Cancellation, CancelTools, Checkout, Confirmation, Crowd, Desk, FreshHolds, History, Holder, Inventory,
  InventoryRepository, PaperDesk, Sales, SeatRepository, Stock, StockAnswers, StockRepository, Sweep, Tickets, Requests, VerdictRepository,
]; // prettier-ignore

@Module({
  imports: [AuthModule, CatalogModule, PaymentsModule, PricingModule],
  providers: [provideConfig(BookingConfig), ...services, { provide: BookingPort, useExisting: PaperDesk }],
  exports: [BookingPort, ...services],
})
export class BookingModule {}

@Module({ imports: [BookingModule], controllers: [BookingController, DeskController, StockController, TicketController] })
export class BookingApi {}

@Module({ imports: [BookingModule], providers: [BookingProcessor] })
export class BookingWorker {}
