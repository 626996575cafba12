// Passwords: what somebody shows one for (logging in, choosing another), and a new one by a mailed link.
import { Injectable } from '@nestjs/common';
import { invalid } from '../kernel/errors.js';
import { NO_ORG } from '../kernel/ids.js';
import { Database } from '../platform/db/database.js';
import { AccountLinkService } from './account-link.service.js';
import { AccountRepository } from './account.repository.js';
import { AccountService } from './account.service.js';
import { PasswordChanged } from './auth.domain-events.js';
import { wrongLogin } from './auth.errors.js';
import type { Person } from './auth.policy.js';
import { PasswordHash } from './password-hash.service.js';
import type { TokenReply } from './session.dto.js';
import { SessionService, type Device } from './session.service.js';
import { Throttle } from './throttle.service.js';

@Injectable()
export class PasswordService {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly account: AccountService,
    private readonly links: AccountLinkService,
    private readonly hashes: PasswordHash,
    private readonly throttle: Throttle,
    private readonly sessions: SessionService,
  ) {}

  /** Begins a session. An unknown address and a wrong password get the same answer after the same work. */
  async login(email: string, password: string, device: Device): Promise<TokenReply> {
    const accountId = await this.prove(email, password, device.ip);
    if (!accountId) throw wrongLogin();
    return this.sessions.start(accountId, device);
  }

  /** Takes another password for the caller's own; every other session of the account ends. */
  async change({ accountId, sessionId }: Person, current: string, next: string, ip: string): Promise<void> {
    const { email } = await this.account.mine();
    if (!(await this.prove(email, current, ip)))
      throw invalid([{ pointer: '/currentPassword', detail: 'This is not your password.' }]);
    const hash = await this.hashes.make(next);
    await this.db.transaction(async () => {
      await this.account.alter(accountId, (account) => {
        account.setPassword(hash);
        return PasswordChanged({ orgId: NO_ORG, accountId });
      });
      await this.sessions.endAll(accountId, 'password', sessionId);
    });
  }

  /** Takes a new password for the token of a mailed link; every session of the account ends. The link proves the address too. */
  async reset(token: string, passwordHash: string): Promise<void> {
    const accountId = await this.links.accountProvenBy(token, (account, now) => account.resetLink(now));
    await this.db.transaction(async () => {
      await this.account.alter(accountId, (account, now) => {
        this.links.demandLink(token, account.resetLink(now));
        account.setPassword(passwordHash);
        account.verifyEmail(now);
        return PasswordChanged({ orgId: NO_ORG, accountId });
      });
      await this.sessions.endAll(accountId, 'password');
    });
  }

  /** The id of the account this is the password of; null otherwise. Refuses with `rate_limited` after too many wrong ones. */
  private async prove(email: string, password: string, ip: string): Promise<string | null> {
    let proven: string | null = null;
    await this.throttle.guess(email, ip, async () => {
      const known = await this.accounts.credentials(email);
      const right = await this.hashes.matches(password, known?.passwordHash ?? null);
      if (right) proven = known!.accountId;
      return right;
    });
    return proven;
  }
}
