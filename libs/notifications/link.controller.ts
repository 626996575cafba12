// Where mailed links lead: small pages that use the public API as any app does. They hold nothing of anybody.
import { Controller, Get, Req, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AnswersFile, CanAnyone } from '../platform/http/route.decorators.js';
import { languageOf, LINK_PAGE_POLICY, LINK_PAGE_SCRIPT, linkPage, type LinkPage } from './link-page.rules.js';

const HTML = 'text/html; charset=utf-8';

@ApiTags('links')
@Controller('links')
export class LinkController {
  @Get('verify-email')
  @CanAnyone('read', 'LinkPage')
  @AnswersFile('text/html')
  verifyEmail(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return send('verify-email', request, reply);
  }

  @Get('reset-password')
  @CanAnyone('read', 'LinkPage')
  @AnswersFile('text/html')
  resetPassword(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return send('reset-password', request, reply);
  }

  @Get('accept-invitation')
  @CanAnyone('read', 'LinkPage')
  @AnswersFile('text/html')
  acceptInvitation(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    return send('accept-invitation', request, reply);
  }

  @Get('page.js')
  @CanAnyone('read', 'LinkPage')
  @AnswersFile('text/javascript')
  script(@Res({ passthrough: true }) reply: FastifyReply) {
    void reply.type('text/javascript; charset=utf-8').header('cache-control', 'public, max-age=300');
    return LINK_PAGE_SCRIPT;
  }
}

function send(page: LinkPage, request: FastifyRequest, reply: FastifyReply): string {
  void reply.type(HTML).header('content-security-policy', LINK_PAGE_POLICY).header('vary', 'accept-language');
  return linkPage(page, languageOf(request.headers['accept-language']));
}
