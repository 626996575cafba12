// What auth does in the worker.
import { Injectable } from '@nestjs/common';
import { Every, OnJob } from '../platform/queue/processor.decorators.js';
import { auditOnlyEvents } from '../platform/queue/worker.engine.js';
import { AccountLinkService } from './account-link.service.js';
import * as happened from './auth.domain-events.js';
import { RequestPasswordReset } from './auth.jobs.js';
import { ThrottleRepository } from './throttle.repository.js';

auditOnlyEvents(
  happened.AccountChanged,
  happened.EmailVerified,
  happened.SessionStarted,
  happened.SessionEnded,
  happened.OrganizationCreated,
  happened.OrganizationChanged,
  happened.MemberJoined,
  happened.MemberChanged,
  happened.MemberLeft,
  happened.InvitationAccepted,
  happened.InvitationRevoked,
  happened.ApiKeyCreated,
  happened.ApiKeyRevoked,
);

@Injectable()
export class AuthProcessor {
  constructor(
    private readonly links: AccountLinkService,
    private readonly throttles: ThrottleRepository,
  ) {}

  @OnJob(RequestPasswordReset)
  startPasswordReset(data: { accountId: string }): Promise<void> {
    return this.links.startPasswordReset(data.accountId);
  }

  @Every(600_000)
  forgetIdleThrottles(): Promise<void> {
    return this.throttles.forgetIdle();
  }
}
