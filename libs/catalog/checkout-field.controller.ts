// Checkout fields over REST, for organizers.
import { Body, Controller, Delete, Get, Patch, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Page } from '../kernel/pages.js';
import { Answers, Can, Idempotent, IdParams, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import type { EventPath } from './catalog.repository.js';
import { ChangeFieldDto, CreateFieldDto, fieldView, FieldView } from './checkout-field.dto.js';
import { CheckoutFieldService, type FieldPath } from './checkout-field.service.js';

const AtEvent = () => IdParams({ orgId: 'o', eventId: 'e' });
const AtField = () => IdParams({ orgId: 'o', eventId: 'e', fieldId: 'f' });

@ApiTags('Events')
@Controller('v1/organizations/:o/events/:e/fields')
export class CheckoutFieldController {
  constructor(private readonly fields: CheckoutFieldService) {}

  @Post()
  @Can('update', 'Event')
  @Idempotent()
  @Answers(201, FieldView)
  @Refuses('invalid_request', 'bad_transition', 'limit_exceeded')
  async create(@AtEvent() at: EventPath, @Body() body: CreateFieldDto): Promise<FieldView> {
    return fieldView(await this.fields.create(at, body));
  }

  /** All that are asked, on one page: at most 50. */
  @Get()
  @Can('read', 'Event')
  @Answers(200, FieldView, 'list')
  async list(@AtEvent() at: EventPath): Promise<Page<FieldView>> {
    return { items: (await this.fields.list(at)).map(fieldView), nextCursor: null };
  }

  @Get(':f')
  @Can('read', 'Event')
  @Answers(200, FieldView)
  async get(@AtField() at: FieldPath): Promise<FieldView> {
    return fieldView(await this.fields.get(at));
  }

  @Patch(':f')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(200, FieldView)
  @Refuses('invalid_request', 'bad_transition', 'stale_version', 'if_match_required')
  async change(@AtField() at: FieldPath, @IfMatch() version: number, @Body() body: ChangeFieldDto): Promise<FieldView> {
    return fieldView(await this.fields.change(at, version, body));
  }

  /** Asks it no more; answers that were given stay. */
  @Delete(':f')
  @Can('update', 'Event')
  @Idempotent()
  @Answers(204)
  @Refuses('bad_transition')
  archive(@AtField() at: FieldPath): Promise<void> {
    return this.fields.archive(at);
  }
}
