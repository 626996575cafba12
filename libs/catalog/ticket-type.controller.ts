// Ticket types and pools over REST, for organizers.
import { Body, Controller, Get, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../kernel/pages.js';
import { Answers, Can, Idempotent, IdParams, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import type { EventPath } from './catalog.repository.js';
import {
  ChangePoolDto,
  ChangeTicketTypeDto,
  CreatePoolDto,
  CreateTicketTypeDto,
  poolView,
  PoolView,
  ticketTypeView,
  TicketTypeView,
} from './ticket-type.dto.js';
import { TicketTypeService, type PoolPath, type TypePath } from './ticket-type.service.js';

const AtEvent = () => IdParams({ orgId: 'o', eventId: 'e' });
const AtPool = () => IdParams({ orgId: 'o', eventId: 'e', poolId: 'p' });
const AtType = () => IdParams({ orgId: 'o', eventId: 'e', ticketTypeId: 't' });

@ApiTags('Events')
@Controller('v1/organizations/:o/events/:e')
export class TicketTypeController {
  constructor(private readonly types: TicketTypeService) {}

  @Post('pools')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(201, PoolView)
  @Refuses('invalid_request', 'bad_transition', 'limit_exceeded')
  async createPool(@AtEvent() at: EventPath, @Body() body: CreatePoolDto): Promise<PoolView> {
    return poolView(await this.types.createPool(at, body));
  }

  /** All on one page: an event has at most 500. */
  @Get('pools')
  @Can('read', 'Event')
  @Answers(200, PoolView, 'list')
  async pools(@AtEvent() at: EventPath): Promise<Page<PoolView>> {
    return { items: (await this.types.pools(at)).map(poolView), nextCursor: null };
  }

  @Get('pools/:p')
  @Can('read', 'Event')
  @Answers(200, PoolView)
  async pool(@AtPool() at: PoolPath): Promise<PoolView> {
    return poolView(await this.types.pool(at));
  }

  @Patch('pools/:p')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(200, PoolView)
  @Refuses('invalid_request', 'bad_transition', 'capacity_below_sold', 'stale_version', 'if_match_required')
  async changePool(@AtPool() at: PoolPath, @IfMatch() version: number, @Body() body: ChangePoolDto): Promise<PoolView> {
    return poolView(await this.types.changePool(at, version, body));
  }

  @Post('ticket-types')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(201, TicketTypeView)
  @Refuses('invalid_request', 'bad_transition', 'limit_exceeded')
  async create(@AtEvent() at: EventPath, @Body() body: CreateTicketTypeDto): Promise<TicketTypeView> {
    return ticketTypeView(await this.types.create(at, body));
  }

  /** All on one page, in the order in which buyers see them: an event has at most 500. */
  @Get('ticket-types')
  @Can('read', 'Event')
  @Answers(200, TicketTypeView, 'list')
  async list(@AtEvent() at: EventPath): Promise<Page<TicketTypeView>> {
    return { items: (await this.types.list(at)).map(ticketTypeView), nextCursor: null };
  }

  @Get('ticket-types/:t')
  @Can('read', 'Event')
  @Answers(200, TicketTypeView)
  async get(@AtType() at: TypePath): Promise<TicketTypeView> {
    return ticketTypeView(await this.types.get(at));
  }

  @Patch('ticket-types/:t')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(200, TicketTypeView)
  @Refuses('invalid_request', 'bad_transition', 'capacity_below_sold', 'stale_version', 'if_match_required')
  async change(@AtType() at: TypePath, @IfMatch() version: number, @Body() body: ChangeTicketTypeDto): Promise<TicketTypeView> {
    return ticketTypeView(await this.types.change(at, version, body));
  }
}
