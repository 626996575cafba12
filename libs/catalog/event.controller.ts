// Events over REST: what organizers do with theirs, and what everyone finds and reads.
import { Body, Controller, Get, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { invalid } from '../kernel/errors.js';
import type { Page } from '../kernel/pages.js';
import {
  Answers,
  Cacheable,
  Can,
  CanAnyone,
  Idempotent,
  IdParam,
  IdParams,
  IfMatch,
  Refuses,
} from '../platform/http/route.decorators.js';
import type { EventPath } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import {
  ChangeEventDto,
  CreateEventDto,
  DuplicateEventDto,
  EventListQuery,
  EventSearchQuery,
  eventView,
  EventView,
  PublicEventQuery,
  publicEventView,
  PublicEventView,
} from './event.dto.js';
import { EventService } from './event.service.js';
import { parseNear } from './listing.rules.js';

/** How long others may keep a public read, in seconds: as long as an organizer will wait for a change to be seen. */
const FRESH_SECONDS = 5;

const AtEvent = () => IdParams({ orgId: 'o', eventId: 'e' });

@ApiTags('Events')
@Controller('v1/organizations/:o/events')
export class EventController {
  constructor(private readonly events: EventService) {}

  @Post()
  @Can('create', 'Event')
  @Idempotent()
  @Answers(201, EventView)
  @Refuses('invalid_request')
  async create(@IdParam('o') orgId: string, @Body() body: CreateEventDto): Promise<EventView> {
    return eventView(await this.events.create(orgId, body));
  }

  @Get()
  @Can('read', 'Event')
  @Answers(200, EventView, 'list')
  async list(@IdParam('o') orgId: string, @Query() query: EventListQuery): Promise<Page<EventView>> {
    const page = await this.events.list(orgId, query);
    return { ...page, items: page.items.map(eventView) };
  }

  @Get(':e')
  @Can('read', 'Event')
  @Answers(200, EventView)
  async get(@AtEvent() at: EventPath): Promise<EventView> {
    return eventView(await this.events.get(at));
  }

  @Patch(':e')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(200, EventView)
  @Refuses('invalid_request', 'bad_transition', 'stale_version', 'if_match_required')
  async change(@AtEvent() at: EventPath, @IfMatch() version: number, @Body() body: ChangeEventDto): Promise<EventView> {
    return eventView(await this.events.change(at, version, body));
  }

  @Post(':e/publish')
  @Can('publish', 'Event')
  @Idempotent()
  @Answers(200, EventView)
  @Refuses('bad_transition')
  async publish(@AtEvent() at: EventPath): Promise<EventView> {
    return eventView(await this.events.publish(at));
  }

  @Post(':e/cancel')
  @Can('cancel', 'Event')
  @Idempotent()
  @Answers(200, EventView)
  @Refuses('bad_transition')
  async cancel(@AtEvent() at: EventPath): Promise<EventView> {
    return eventView(await this.events.cancel(at));
  }

  @Post(':e/duplicate')
  @Can('create', 'Event')
  @Idempotent()
  @Answers(201, EventView)
  @Refuses('invalid_request')
  async duplicate(@AtEvent() at: EventPath, @Body() { shiftDays }: DuplicateEventDto): Promise<EventView> {
    return eventView(await this.events.duplicate(at, shiftDays));
  }
}

@ApiTags('Public')
@Controller('v1/events')
export class PublicEventController {
  constructor(private readonly catalog: CatalogService) {}

  @Get()
  @CanAnyone('list', 'Event')
  @Cacheable(FRESH_SECONDS)
  @Answers(200, PublicEventView, 'list')
  @Refuses('invalid_request')
  search(@Query() { near: place, ...query }: EventSearchQuery): Promise<Page<PublicEventView>> {
    const near = place === undefined ? undefined : parseNear(place);
    if (near === null) throw invalid([{ pointer: '/near', detail: 'Send lat,lon,km such as 52.52,13.41,25.' }]);
    return this.catalog.search({ ...query, near }, (event) => publicEventView(event));
  }

  @Get(':id')
  @CanAnyone('list', 'Event')
  @Cacheable(FRESH_SECONDS)
  @Answers(200, PublicEventView)
  async get(@IdParam('id') eventId: string, @Query() { accessCode }: PublicEventQuery): Promise<PublicEventView> {
    return publicEventView(await this.catalog.publicEvent(eventId), accessCode);
  }
}
