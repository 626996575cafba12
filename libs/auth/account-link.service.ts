// Mailed links of accounts: asking for one, and using the one that proves a mail address.
import { Injectable } from '@nestjs/common';
import { newGlobalId, NO_ORG } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import { Seal } from '../platform/config/seal.js';
import { JobQueue } from '../platform/queue/job.queue.js';
import type { Account } from './account.entity.js';
import { AccountRepository } from './account.repository.js';
import { AccountService } from './account.service.js';
import { EmailVerificationRequested, EmailVerified, PasswordResetRequested } from './auth.domain-events.js';
import { deadLink } from './auth.errors.js';
import { RequestPasswordReset } from './auth.jobs.js';
import { idIn, proves, type Link } from './mailed-token.rules.js';
import { Throttle } from './throttle.service.js';

@Injectable()
export class AccountLinkService {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly account: AccountService,
    private readonly throttle: Throttle,
    private readonly jobs: JobQueue,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {}

  /** Mails the verification link again, the ones before being worth nothing then; nothing happens when there is nothing to verify. */
  async askVerification(ip: string): Promise<void> {
    const { id, email } = await this.account.mine();
    await this.throttle.mail(email, ip);
    await this.account.alter(id, (account, now) =>
      account.askVerification(now) ? EmailVerificationRequested({ orgId: NO_ORG, accountId: id }) : null,
    );
  }

  async verifyEmail(token: string): Promise<void> {
    const id = await this.accountProvenBy(token, (account, now) => account.verificationLink(now));
    await this.account.alter(id, (account, now) => {
      this.demandLink(token, account.verificationLink(now));
      account.verifyEmail(now);
      return EmailVerified({ orgId: NO_ORG, accountId: id });
    });
  }

  /**
   * Asks for a password reset. Does the same work whether the address has an account or not: a job is written, for an id that
   * nobody has where there is none; so neither answer nor time tell.
   */
  async askPasswordReset(email: string, ip: string): Promise<void> {
    await this.throttle.mail(email, ip);
    const accountId = (await this.accounts.idByEmail(email)) ?? newGlobalId();
    await this.jobs.add(RequestPasswordReset({ orgId: NO_ORG, accountId }));
  }

  /** The job that was asked for above. Done again it makes a newer link, which is the one that counts. */
  async startPasswordReset(accountId: string): Promise<void> {
    if (!(await this.accounts.find(accountId))) return;
    await this.account.alter(accountId, (account, now) => {
      account.askPasswordReset(now);
      return PasswordResetRequested({ orgId: NO_ORG, accountId });
    });
  }

  /** The id of the account whose link a token proves; refuses a dead one. */
  async accountProvenBy(token: string, linkOf: (account: Account, now: Date) => Link | null): Promise<string> {
    const id = idIn(token);
    const account = id && (await this.accounts.find(id));
    this.demandLink(token, account ? linkOf(account, this.clock.now()) : null);
    return id!;
  }

  demandLink(token: string, link: Link | null): void {
    if (!link || !proves(this.seal, token, link)) throw deadLink();
  }
}
