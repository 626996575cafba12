// Venues over REST, with their seat maps in and out as JSON.
import { Body, Controller, Get, Headers, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Page } from '../kernel/pages.js';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, Idempotent, IdParam, IdParams, IfMatch, LargeBody, Refuses } from '../platform/http/route.decorators.js';
import { BodyPart, ChangeVenueDto, CreateVenueDto, seatMapDocument, venueView, VenueView } from './venue.dto.js';
import { VenueService, type VenuePath } from './venue.service.js';

const AtVenue = () => IdParams({ orgId: 'o', venueId: 'v' });

@ApiTags('Venues')
@Controller('v1/organizations/:o/venues')
export class VenueController {
  constructor(private readonly venues: VenueService) {}

  @Post()
  @Can('create', 'Venue')
  @Idempotent()
  @LargeBody()
  @Answers(201, VenueView)
  @Refuses('invalid_request')
  async create(@IdParam('o') orgId: string, @Body() body: CreateVenueDto, @BodyPart('seatMap') map: unknown): Promise<VenueView> {
    const { name, address = null, timeZone, location = null } = body;
    return venueView(await this.venues.create(orgId, { name, address, timeZone, location }, map));
  }

  @Get()
  @Can('read', 'Venue')
  @Answers(200, VenueView, 'list')
  async list(@IdParam('o') orgId: string, @Query() query: PageQuery): Promise<Page<VenueView>> {
    const page = await this.venues.list(orgId, query);
    return { ...page, items: page.items.map(venueView) };
  }

  @Get(':v')
  @Can('read', 'Venue')
  @Answers(200, VenueView)
  async get(@AtVenue() at: VenuePath): Promise<VenueView> {
    return venueView(await this.venues.get(at));
  }

  @Patch(':v')
  @Can('update', 'Venue')
  @Idempotent()
  @Answers(200, VenueView)
  @Refuses('invalid_request', 'stale_version', 'if_match_required')
  async change(@AtVenue() at: VenuePath, @IfMatch() version: number, @Body() body: ChangeVenueDto): Promise<VenueView> {
    return venueView(await this.venues.change(at, version, body));
  }

  /** The newest map as it was imported. Its ETag is the venue's. */
  @Get(':v/seat-map')
  @Can('read', 'Venue')
  @ApiResponse({ status: 200, schema: seatMapDocument as never })
  @ApiResponse({ status: 304 })
  async exportMap(
    @AtVenue() at: VenuePath,
    @Headers('if-none-match') seen: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string | undefined> {
    const { map, version } = await this.venues.exportSeatMap(at);
    const etag = `"${version}"`;
    void reply.header('etag', etag).type('application/json; charset=utf-8');
    if (seen?.split(',').some((tag) => tag.trim() === etag)) void reply.status(304);
    else return map;
  }

  /** Imports a map whatever there was before. */
  @Post(':v/seat-map')
  @Can('update', 'Venue')
  @Idempotent()
  @LargeBody()
  @ApiBody({ schema: seatMapDocument as never })
  @Answers(201, VenueView)
  @Refuses('invalid_request')
  async importMap(@AtVenue() at: VenuePath, @BodyPart() map: unknown): Promise<VenueView> {
    return venueView(await this.venues.importSeatMap(at, null, map));
  }

  /** Imports a map over the one that the caller read. */
  @Put(':v/seat-map')
  @Can('update', 'Venue')
  @Idempotent()
  @LargeBody()
  @ApiBody({ schema: seatMapDocument as never })
  @Answers(200, VenueView)
  @Refuses('invalid_request', 'stale_version', 'if_match_required')
  async replaceMap(@AtVenue() at: VenuePath, @IfMatch() version: number, @BodyPart() map: unknown): Promise<VenueView> {
    return venueView(await this.venues.importSeatMap(at, version, map));
  }
}
