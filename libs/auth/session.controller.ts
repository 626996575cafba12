// Routes of logging in and out, and of links that were mailed.
import { Body, Controller, Post, Req, UseGuards } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { edgeErrors } from '../kernel/errors.js';
import { Access } from '../platform/access/access.js';
import { Answers, CanAnyone, Idempotent, Refuses } from '../platform/http/route.decorators.js';
import { AccountLinkService } from './account-link.service.js';
import { accountView, AccountView, RegisterDto } from './account.dto.js';
import { AccountService } from './account.service.js';
import { HashedPassword, PasswordGuard } from './password.guard.js';
import { PasswordService } from './password.service.js';
import { EmailDto, LoginDto, LogoutDto, MailedTokenDto, RefreshDto, ResetPasswordDto, TokenReply } from './session.dto.js';
import { SessionService, type Device } from './session.service.js';

const deviceOf = (request: FastifyRequest): Device => ({
  ip: request.ip,
  userAgent: request.headers['user-agent']?.replace(/[^\x20-\x7e]/g, '').slice(0, 300) || null,
});

@ApiTags('auth')
@Controller('v1/auth')
export class SessionController {
  constructor(
    private readonly accounts: AccountService,
    private readonly passwords: PasswordService,
    private readonly sessions: SessionService,
    private readonly links: AccountLinkService,
    private readonly access: Access,
  ) {}

  @Post('register')
  @UseGuards(PasswordGuard)
  @CanAnyone('create', 'Account')
  @Idempotent()
  @Answers(201, AccountView)
  @Refuses('email_taken')
  async register(@Body() body: RegisterDto, @HashedPassword() passwordHash: string): Promise<AccountView> {
    return accountView(await this.accounts.register(body, passwordHash));
  }

  @Post('login')
  @CanAnyone('create', 'Session')
  @Idempotent('natural')
  @Answers(200, TokenReply)
  @Refuses('unauthenticated', 'rate_limited')
  login(@Body() body: LoginDto, @Req() request: FastifyRequest): Promise<TokenReply> {
    return this.passwords.login(body.email, body.password, deviceOf(request));
  }

  @Post('refresh')
  @CanAnyone('refresh', 'Session')
  @Idempotent()
  @Answers(200, TokenReply)
  @Refuses('unauthenticated')
  refresh(@Body() body: RefreshDto): Promise<TokenReply> {
    return this.sessions.refresh(body.refreshToken);
  }

  /** Ends the session of the bearer, or of the refresh token in the body. One that has ended already is no error. */
  @Post('logout')
  @CanAnyone('delete', 'Session')
  @Idempotent()
  @Answers(204)
  @Refuses('unauthenticated')
  async logout(@Body() body: LogoutDto | undefined): Promise<void> {
    const { who } = this.access;
    const session = body?.refreshToken ? this.sessions.sessionOf(body.refreshToken) : who.kind === 'account' ? who : null;
    if (!session) throw edgeErrors.unauthenticated();
    await this.sessions.leave(session.accountId, session.sessionId);
  }

  /** The answer is the same whether the address has an account or not. */
  @Post('password-reset')
  @CanAnyone('update', 'Account')
  @Idempotent()
  @Answers(204)
  @Refuses('rate_limited')
  askPasswordReset(@Body() body: EmailDto, @Req() request: FastifyRequest): Promise<void> {
    return this.links.askPasswordReset(body.email, request.ip);
  }

  @Post('password-reset/confirm')
  @UseGuards(PasswordGuard)
  @CanAnyone('update', 'Account')
  @Idempotent()
  @Answers(204)
  resetPassword(@Body() body: ResetPasswordDto, @HashedPassword() passwordHash: string): Promise<void> {
    return this.passwords.reset(body.token, passwordHash);
  }

  @Post('verify-email')
  @CanAnyone('update', 'Account')
  @Idempotent()
  @Answers(204)
  verifyEmail(@Body() body: MailedTokenDto): Promise<void> {
    return this.links.verifyEmail(body.token);
  }
}
