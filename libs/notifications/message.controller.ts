// The organizer's look at what was sent: each message, its kind and how it stands.
import { Controller, Get, Query } from '@nestjs/common';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, IdParam } from '../platform/http/route.decorators.js';
import { MessageView } from './message.dto.js';
import { MessageService } from './message.service.js';

@Controller('v1/organizations/:o/messages')
export class MessageController {
  constructor(private readonly messages: MessageService) {}

  @Get()
  @Can('read', 'Message')
  @Answers(200, MessageView, 'list')
  list(@IdParam('o') orgId: string, @Query() query: PageQuery) {
    return this.messages.list(orgId, query);
  }
}
