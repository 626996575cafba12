// Accounts: registering one, reading and changing one's own.
import { Injectable } from '@nestjs/common';
import type { DomainEvent } from '../kernel/domain-event.js';
import { edgeErrors } from '../kernel/errors.js';
import { newGlobalId, NO_ORG } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import type { ChangeAccountDto, RegisterDto } from './account.dto.js';
import { Account } from './account.entity.js';
import { AccountRepository } from './account.repository.js';
import { AccountChanged, AccountRegistered } from './auth.domain-events.js';
import { authErrors } from './auth.errors.js';
import { personOf } from './auth.policy.js';

@Injectable()
export class AccountService {
  constructor(
    private readonly db: Database,
    private readonly accounts: AccountRepository,
    private readonly events: EventStore,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** Makes an account; `email_taken` when the address has one. The mail with the verification link goes out with the domain event. */
  async register(body: RegisterDto, passwordHash: string): Promise<Account> {
    const account = new Account();
    const now = this.clock.now();
    account.id = newGlobalId();
    account.email = body.email;
    account.name = body.name;
    account.locale = body.locale ?? 'en';
    account.timeZone = body.timeZone ?? null;
    account.passwordHash = passwordHash;
    account.createdAt = now;
    account.askVerification(now);
    await this.db.transaction(async () => {
      if (!(await this.accounts.add(account))) throw authErrors.emailTaken();
      await this.events.announce(AccountRegistered({ orgId: NO_ORG, accountId: account.id }), account);
    });
    return account;
  }

  /** The caller's own account. */
  async mine(): Promise<Account> {
    const account = await this.accounts.find(personOf(this.access.who).accountId);
    if (!account) throw edgeErrors.notFound();
    return account;
  }

  change(body: ChangeAccountDto, version: number): Promise<Account> {
    return this.alter(personOf(this.access.who).accountId, (account) => {
      if (account.version !== version) throw edgeErrors.staleVersion();
      const { quietHours, ...fields } = body;
      for (const key of ['name', 'locale', 'timeZone', 'phone'] as const)
        if (fields[key] !== undefined) Object.assign(account, { [key]: fields[key] });
      if (quietHours !== undefined)
        Object.assign(account, { quietFrom: quietHours?.from ?? null, quietTo: quietHours?.to ?? null });
      return AccountChanged({ orgId: NO_ORG, accountId: account.id });
    });
  }

  /** Loads, alters, saves and announces: one transaction or nothing. An alteration that gives no domain event has changed nothing. */
  alter(id: string, change: (account: Account, now: Date) => DomainEvent | null): Promise<Account> {
    return this.db.transaction(async () => {
      const account = await this.accounts.findForUpdate(id);
      if (!account) throw edgeErrors.notFound();
      const happened = change(account, this.clock.now());
      if (!happened) return account;
      await this.accounts.save(account);
      await this.events.announce(happened, account);
      return account;
    });
  }
}
