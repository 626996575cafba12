// Tickets on paper and on screens: QR codes, the PDF, and handing one over.
import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Clock } from '../kernel/time.js';
import { Answers, AnswersFile, Can, Idempotent, IdParam, Refuses } from '../platform/http/route.decorators.js';
import { BookingView, bookingView } from './booking.dto.js';
import { BookingReader } from './booking-reader.service.js';
import { TransferDto } from './desk.dto.js';
import { PaperDesk } from './paper.service.js';
import { qrPng, qrSvg } from './ticket-paper.rules.js';
import { Tickets } from './ticket.service.js';

@ApiTags('Tickets')
@Controller('v1')
export class TicketController {
  constructor(
    private readonly tickets: Tickets,
    private readonly reader: BookingReader,
    private readonly paper: PaperDesk,
    private readonly clock: Clock,
  ) {}

  @Get('tickets/:id/qr.svg')
  @Can('read', 'Booking')
  @AnswersFile('image/svg+xml')
  async svg(@IdParam('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const { ticket } = await this.tickets.load('read', id);
    void reply.type('image/svg+xml');
    return qrSvg(ticket.code);
  }

  @Get('tickets/:id/qr.png')
  @Can('read', 'Booking')
  @AnswersFile('image/png')
  async png(@IdParam('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const { ticket } = await this.tickets.load('read', id);
    void reply.type('image/png');
    return qrPng(ticket.code);
  }

  @Get('bookings/:id/tickets.pdf')
  @Can('read', 'Booking')
  @AnswersFile('application/pdf')
  @Refuses('bad_transition')
  async pdf(@IdParam('id') id: string, @Res({ passthrough: true }) reply: FastifyReply) {
    const booking = await this.reader.load('read', id);
    const pdf = await this.paper.pdfOf(booking);
    void reply.type('application/pdf').header('content-disposition', `inline; filename="tickets-${id}.pdf"`);
    return pdf;
  }

  @Post('tickets/:id/transfer')
  @Can('transfer', 'Booking')
  @Idempotent()
  @Answers(200, BookingView)
  @Refuses('bad_transition')
  async transfer(@IdParam('id') id: string, @Body() to: TransferDto) {
    const { booking } = await this.tickets.load('transfer', id);
    await this.tickets.transfer(id, to);
    return bookingView(await this.reader.load('read', booking.id), this.clock.now());
  }

  @Post('bookings/:id/resend')
  @Can('resend', 'Booking')
  @Idempotent()
  @HttpCode(204)
  @Answers(204)
  async resend(@IdParam('id') id: string) {
    await this.tickets.resend(await this.reader.load('resend', id));
  }
}
