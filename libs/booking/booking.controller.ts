// What buyers do with bookings, over HTTP.
import { Body, Controller, Get, Post, Query, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Clock } from '../kernel/time.js';
import { Hot } from '../platform/http/hot.routes.js';
import { requireClaim } from '../platform/http/idempotency.js';
import { PageQuery } from '../platform/http/fields.js';
import {
  AlsoAnswers,
  Answers,
  Can,
  CanAnyone,
  HeedsWait,
  Idempotent,
  IdParam,
  Refuses,
} from '../platform/http/route.decorators.js';
import { problemBody, PROBLEM_TYPE } from '../platform/http/problem.filter.js';
import { BookingReader } from './booking-reader.service.js';
import { Bookings, ReplayedRefusal } from './booking.service.js';
import { BookDto, BookingView, bookingView, CancelDto, ConfirmDto, HistoryEntryView, HistoryQuery } from './booking.dto.js';
import { Cancellation } from './cancel.service.js';
import { Checkout } from './checkout.service.js';
import { History } from './history.service.js';

@ApiTags('Booking')
@Controller('v1')
export class BookingController {
  constructor(
    private readonly bookings: Bookings,
    private readonly reader: BookingReader,
    private readonly checkout: Checkout,
    private readonly cancellation: Cancellation,
    private readonly history: History,
    private readonly clock: Clock,
  ) {}

  @Hot()
  @Post('events/:id/bookings')
  @HeedsWait()
  @CanAnyone('create', 'Booking')
  @Idempotent('own')
  @Answers(201, BookingView)
  @Refuses(
    'sold_out',
    'seat_taken',
    'busy',
    'not_on_sale',
    'limit_exceeded',
    'idempotency_key_required',
    'idempotency_key_reused',
    'quote_expired',
    'overloaded',
  )
  async book(
    @IdParam('id') eventId: string,
    @Body() dto: BookDto,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    try {
      const { body, replayed } = await this.bookings.book(eventId, dto, requireClaim(request), String(request.id));
      if (replayed) void reply.header('idempotent-replayed', 'true');
      return body;
    } catch (e) {
      if (!(e instanceof ReplayedRefusal)) throw e;
      void reply.header('idempotent-replayed', 'true').status(e.refusal.status).type(PROBLEM_TYPE);
      return problemBody(e.refusal, e.requestId);
    }
  }

  @Hot()
  @Get('bookings/:id')
  @Can('read', 'Booking')
  @Answers(200, BookingView)
  get(@IdParam('id') id: string) {
    return this.reader.get(id);
  }

  @Get('me/bookings')
  @Can('read', 'Booking')
  @Answers(200, BookingView, 'list')
  mine(@Query() page: PageQuery) {
    return this.reader.mine(page);
  }

  @Hot()
  @Post('bookings/:id/confirm')
  @HeedsWait()
  @Can('confirm', 'Booking')
  @Idempotent('natural')
  @Answers(200, BookingView)
  @AlsoAnswers(202, BookingView)
  @Refuses(
    'payment_required',
    'payment_declined',
    'hold_expired',
    'bad_transition',
    'busy',
    'idempotency_key_reused',
    'overloaded',
  )
  async confirm(@IdParam('id') id: string, @Body() dto: ConfirmDto, @Res({ passthrough: true }) reply: FastifyReply) {
    const { booking, payment } = await this.checkout.confirm(id, dto?.paymentMethod);
    if (payment) void reply.status(202);
    return bookingView(booking, this.clock.now(), { payment });
  }

  @Hot()
  @Post('bookings/:id/cancel')
  @HeedsWait()
  @Can('cancel', 'Booking')
  @Idempotent('natural')
  @Answers(200, BookingView)
  @Refuses('bad_transition', 'busy', 'idempotency_key_reused', 'overloaded')
  async cancel(@IdParam('id') id: string, @Body() dto: CancelDto) {
    const booking = await this.cancellation.cancel(await this.reader.load('cancel', id), dto?.ticketIds, dto?.reason ?? null);
    return bookingView(booking, this.clock.now());
  }

  @Get('bookings/:id/history')
  @Can('read', 'Booking')
  @AlsoAnswers(200, BookingView)
  @Answers(200, HistoryEntryView, 'list')
  async read(@IdParam('id') id: string, @Query() query: HistoryQuery) {
    const { orgId } = await this.reader.load('read', id);
    return query.at ? bookingView(await this.history.at(orgId, id, query.at), query.at) : this.history.list(orgId, id, query);
  }
}
