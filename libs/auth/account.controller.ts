// Routes of one's own account: who I am, where I am logged in.
import { Body, Controller, Delete, Get, Patch, Post, Query, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Page } from '../kernel/pages.js';
import { Access } from '../platform/access/access.js';
import { PageQuery } from '../platform/http/fields.js';
import { Answers, Can, Idempotent, IdParam, IfMatch, Refuses } from '../platform/http/route.decorators.js';
import { AccountLinkService } from './account-link.service.js';
import { accountView, AccountView, ChangeAccountDto } from './account.dto.js';
import { AccountService } from './account.service.js';
import { personOf } from './auth.policy.js';
import { PasswordService } from './password.service.js';
import { ChangePasswordDto, SessionView } from './session.dto.js';
import { SessionService } from './session.service.js';

@ApiTags('me')
@Controller('v1/me')
export class AccountController {
  constructor(
    private readonly accounts: AccountService,
    private readonly passwords: PasswordService,
    private readonly sessions: SessionService,
    private readonly links: AccountLinkService,
    private readonly access: Access,
  ) {}

  @Get()
  @Can('read', 'Account')
  @Answers(200, AccountView)
  async read(): Promise<AccountView> {
    return accountView(await this.accounts.mine());
  }

  @Patch()
  @Can('update', 'Account')
  @Idempotent()
  @Answers(200, AccountView)
  @Refuses('stale_version', 'if_match_required')
  async change(@IfMatch() version: number, @Body() body: ChangeAccountDto): Promise<AccountView> {
    return accountView(await this.accounts.change(body, version));
  }

  @Post('password')
  @Can('update', 'Account')
  @Idempotent('natural')
  @Answers(204)
  @Refuses('rate_limited')
  changePassword(@Body() body: ChangePasswordDto, @Req() request: FastifyRequest): Promise<void> {
    return this.passwords.change(personOf(this.access.who), body.currentPassword, body.newPassword, request.ip);
  }

  /** Mails the verification link again. */
  @Post('email-verification')
  @Can('update', 'Account')
  @Idempotent()
  @Answers(204)
  @Refuses('rate_limited')
  askVerification(@Req() request: FastifyRequest): Promise<void> {
    return this.links.askVerification(request.ip);
  }

  @Get('sessions')
  @Can('read', 'Session')
  @Answers(200, SessionView, 'list')
  async listSessions(@Query() query: PageQuery): Promise<Page<SessionView>> {
    const me = personOf(this.access.who);
    return this.sessions.list(me.accountId, me.sessionId, query);
  }

  @Delete('sessions/:id')
  @Can('delete', 'Session')
  @Idempotent()
  @Answers(204)
  async endSession(@IdParam('id') id: string): Promise<void> {
    await this.sessions.end(personOf(this.access.who).accountId, id, 'revoked');
  }
}
