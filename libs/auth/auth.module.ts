// Auth as Nest sees it: what others may use, what the api serves, what the worker runs.
import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { provideConfig } from '../platform/config/config.reader.js';
import { AccessTokens } from './access-token.service.js';
import { AccountController } from './account.controller.js';
import { AccountLinkService } from './account-link.service.js';
import { AccountRepository } from './account.repository.js';
import { AccountService } from './account.service.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { ApiKeyService } from './api-key.service.js';
import { AuthConfig, AuthKeys } from './auth.config.js';
import { AuthGuard } from './auth.guard.js';
import './auth.policy.js';
import { AuthPort } from './auth.port.js';
import { AuthProcessor } from './auth.processor.js';
import { AuthService } from './auth.service.js';
import { InvitationService } from './invitation.service.js';
import { JwksController } from './jwks.controller.js';
import { MemberController } from './member.controller.js';
import { MemberService } from './member.service.js';
import { OrganizationController } from './organization.controller.js';
import { OrganizationRepository } from './organization.repository.js';
import { OrganizationService } from './organization.service.js';
import { PasswordHash } from './password-hash.service.js';
import { PasswordService } from './password.service.js';
import { PrincipalService } from './principal.service.js';
import { SessionController } from './session.controller.js';
import { SessionRepository } from './session.repository.js';
import { SessionService } from './session.service.js';
import { ThrottleRepository } from './throttle.repository.js';
import { Throttle } from './throttle.service.js';

const repositories = [AccountRepository, ApiKeyRepository, OrganizationRepository, SessionRepository, ThrottleRepository];
const services = [
  AccessTokens,
  AccountLinkService,
  AccountService,
  ApiKeyService,
  AuthKeys,
  AuthService,
  InvitationService,
  MemberService,
  OrganizationService,
  PasswordHash,
  PasswordService,
  PrincipalService,
  SessionService,
  Throttle,
];
const forTheApi = [
  AccountLinkService,
  AccountService,
  ApiKeyService,
  AuthKeys,
  InvitationService,
  MemberService,
  OrganizationService,
  PasswordHash,
  PasswordService,
  PrincipalService,
  SessionService,
];

@Module({
  providers: [provideConfig(AuthConfig), ...repositories, ...services, { provide: AuthPort, useExisting: AuthService }],
  exports: [AuthPort, ThrottleRepository, ...forTheApi],
})
export class AuthModule {}

@Module({
  imports: [AuthModule],
  controllers: [AccountController, JwksController, MemberController, OrganizationController, SessionController],
  providers: [{ provide: APP_GUARD, useClass: AuthGuard }],
})
export class AuthApi {}

@Module({ imports: [AuthModule], providers: [AuthProcessor] })
export class AuthWorker {}
