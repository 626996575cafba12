// Promo codes over REST, for organizers.
import { Body, Controller, Delete, Get, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../kernel/pages.js';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, Idempotent, IdParams, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import { ChangePromoCodeDto, CreatePromoCodeDto, promoCodeView, PromoCodeView, wantedOf } from './promo-code.dto.js';
import { PromoCodeService, type EventPath, type PromoPath } from './promo-code.service.js';

const AtEvent = () => IdParams({ orgId: 'o', eventId: 'e' });
const AtPromo = () => IdParams({ orgId: 'o', eventId: 'e', promoCodeId: 'p' });

@ApiTags('Pricing')
@Controller('v1/organizations/:o/events/:e/promo-codes')
export class PromoCodeController {
  constructor(private readonly promos: PromoCodeService) {}

  @Post()
  @Can('update', 'Event')
  @Idempotent()
  @Answers(201, PromoCodeView)
  @Refuses('invalid_request', 'bad_transition', 'slug_taken', 'limit_exceeded')
  async create(@AtEvent() at: EventPath, @Body() body: CreatePromoCodeDto): Promise<PromoCodeView> {
    return promoCodeView(await this.promos.create(at, body.code, wantedOf(body)));
  }

  @Get()
  @Can('read', 'Event')
  @Answers(200, PromoCodeView, 'list')
  async list(@AtEvent() at: EventPath, @Query() query: PageQuery): Promise<Page<PromoCodeView>> {
    const page = await this.promos.list(at, query);
    return { ...page, items: page.items.map(promoCodeView) };
  }

  @Get(':p')
  @Can('read', 'Event')
  @Answers(200, PromoCodeView)
  async get(@AtPromo() at: PromoPath): Promise<PromoCodeView> {
    return promoCodeView(await this.promos.get(at));
  }

  @Patch(':p')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(200, PromoCodeView)
  @Refuses('invalid_request', 'bad_transition', 'stale_version', 'if_match_required')
  async change(@AtPromo() at: PromoPath, @IfMatch() version: number, @Body() body: ChangePromoCodeDto): Promise<PromoCodeView> {
    return promoCodeView(await this.promos.edit(at, version, wantedOf(body)));
  }

  /** Nobody can use it any more; bookings that did keep their price. */
  @Delete(':p')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(204)
  @Refuses('bad_transition')
  archive(@AtPromo() at: PromoPath): Promise<void> {
    return this.promos.archive(at);
  }
}
