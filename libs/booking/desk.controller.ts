// The organizer's desk, over HTTP.
import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Clock } from '../kernel/time.js';
import { Answers, AnswersFile, Can, Idempotent, IdParam, IdParams, Refuses } from '../platform/http/route.decorators.js';
import { BookingReader } from './booking-reader.service.js';
import { DeskBookingView, DeskQuery, deskView, MoveSeatsDto } from './desk.dto.js';
import { Desk } from './desk.service.js';
import { InventoryView, SalesMonthView, SalesQuery } from './stock.dto.js';
import { Stock } from './stock.service.js';

interface EventPath {
  orgId: string;
  eventId: string;
}

const eventPath = { orgId: 'o', eventId: 'e' };

@ApiTags("Organizer's desk")
@Controller('v1')
export class DeskController {
  constructor(
    private readonly desk: Desk,
    private readonly stock: Stock,
    private readonly reader: BookingReader,
    private readonly clock: Clock,
  ) {}

  @Get('organizations/:o/events/:e/inventory')
  @Can('read', 'Event')
  @Answers(200, InventoryView, 'array')
  inventory(@IdParams(eventPath) at: EventPath) {
    return this.stock.inventory(at.orgId, at.eventId);
  }

  @Get('organizations/:o/events/:e/bookings')
  @Can('list', 'Booking')
  @Answers(200, DeskBookingView, 'list')
  list(@IdParams(eventPath) at: EventPath, @Query() query: DeskQuery) {
    return this.desk.list(at.orgId, at.eventId, query);
  }

  @Get('organizations/:o/events/:e/bookings.csv')
  @Can('list', 'Booking')
  @AnswersFile('text/csv')
  async csv(@IdParams(eventPath) at: EventPath, @Query() query: DeskQuery, @Res({ passthrough: true }) reply: FastifyReply) {
    const rows = await this.desk.csv(at.orgId, at.eventId, query);
    void reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="bookings-${at.eventId}.csv"`);
    return rows;
  }

  @Post('bookings/:id/seats')
  @Can('manage', 'Booking')
  @Idempotent()
  @Answers(200, DeskBookingView)
  @Refuses('seat_taken', 'bad_transition')
  async moveSeats(@IdParam('id') id: string, @Body() dto: MoveSeatsDto) {
    const booking = await this.reader.load('manage', id);
    return deskView(await this.desk.moveSeats(booking, dto.from, dto.to), this.clock.now());
  }

  @Get('organizations/:o/reports/sales')
  @Can('read', 'Report')
  @Answers(200, SalesMonthView, 'array')
  sales(@IdParam('o') orgId: string, @Query() _query: SalesQuery) {
    return this.desk.sales(orgId);
  }
}
