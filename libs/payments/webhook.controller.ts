// Where payment providers bring their webhooks: public, believed by signature alone.
import { Controller, Param, Post, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Answers, CanAnyone, Idempotent, Refuses } from '../platform/http/route.decorators.js';
import { WebhookView } from './payments.dto.js';
import { WebhookService } from './webhook.service.js';

@ApiTags('Payments')
@Controller('v1/payments/webhooks')
export class WebhookController {
  constructor(private readonly webhooks: WebhookService) {}

  /** Natural: the inbox knows each event by the provider's own id. */
  @Post(':provider')
  @CanAnyone('receive', 'Webhook')
  @Idempotent('natural')
  @ApiHeader({ name: 'evently-test-signature', required: false, schema: { type: 'string', example: 't=1790000000,v1=5257a869' } })
  @ApiBody({ required: true, schema: { type: 'object', additionalProperties: true, description: 'As the provider signed it' } })
  @Answers(200, WebhookView)
  @Refuses('invalid_request', 'not_found')
  async receive(@Param('provider') provider: string, @Req() request: FastifyRequest): Promise<WebhookView> {
    return { outcome: await this.webhooks.receive(provider, request.rawBody ?? Buffer.alloc(0), request.headers) };
  }
}
