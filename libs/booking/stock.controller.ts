// What is left, over HTTP: availability and seats for everyone.
import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Answers, Cacheable, CanAnyone, IdParam } from '../platform/http/route.decorators.js';
import { AvailabilityQuery, AvailabilityView, SeatsQuery, SeatsView } from './stock.dto.js';
import { Stock } from './stock.service.js';

@ApiTags('What is sold')
@Controller('v1/events/:id')
export class StockController {
  constructor(private readonly stock: Stock) {}

  @Get('availability')
  @CanAnyone('read', 'PublicEvent')
  @Cacheable(1)
  @Answers(200, AvailabilityView)
  availability(@IdParam('id') eventId: string, @Query() query: AvailabilityQuery) {
    return this.stock.availability(eventId, query.accessCode);
  }

  @Get('seats')
  @CanAnyone('read', 'PublicEvent')
  @Cacheable(1)
  @Answers(200, SeatsView)
  seats(@IdParam('id') eventId: string, @Query() query: SeatsQuery) {
    return this.stock.seatsOf(eventId, query.fields !== undefined);
  }
}
