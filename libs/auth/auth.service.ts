// What auth answers to the contexts above it.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { edgeErrors } from '../kernel/errors.js';
import { tagOf } from '../kernel/ids.js';
import type { Principal } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Seal } from '../platform/config/seal.js';
import { AccountRepository } from './account.repository.js';
import type { Account } from './account.entity.js';
import { AuthPort, type Contact, type MailedToken, type MailedTokenKind } from './auth.port.js';
import { tokenOf } from './mailed-token.rules.js';
import { OrganizationRepository } from './organization.repository.js';
import { PrincipalService } from './principal.service.js';

@Injectable()
export class AuthService extends AuthPort {
  /** A tag and its organization: never changes, so never forgotten but for room. */
  private readonly orgs = new LRUCache<string, string>({ max: 50_000 });

  constructor(
    private readonly accounts: AccountRepository,
    private readonly organizations: OrganizationRepository,
    private readonly principals: PrincipalService,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {
    super();
  }

  orgOf(id: string): string | Promise<string> {
    const tag = tagOf(id);
    return this.orgs.get(tag) ?? this.lookUp(tag);
  }

  private async lookUp(tag: string): Promise<string> {
    const orgId = await this.organizations.orgOfTag(tag);
    if (!orgId) throw edgeErrors.notFound();
    this.orgs.set(tag, orgId);
    return orgId;
  }

  async contactOf(accountId: string): Promise<Contact | null> {
    const account = await this.accounts.find(accountId);
    return account && contact(account);
  }

  async managersOf(orgId: string): Promise<Contact[]> {
    const rows = await this.organizations.leaders(orgId);
    return rows.map(({ email, name, locale, time_zone }) => ({ email, name, locale, timeZone: time_zone }));
  }

  guestToken(subjectId: string): string {
    return this.principals.guestToken(subjectId);
  }

  principalOf(bearer: string | undefined): Promise<Principal> {
    return Promise.resolve().then(() => this.principals.of(bearer));
  }

  async mailedToken(kind: MailedTokenKind, id: string): Promise<MailedToken | null> {
    if (kind === 'invitation') return this.invitationToken(id);
    const account = await this.accounts.find(id);
    const now = this.clock.now();
    const link = kind === 'password-reset' ? account?.resetLink(now) : account?.verificationLink(now);
    return account && link ? { token: tokenOf(this.seal, link), to: contact(account), expiresAt: link.expiresAt } : null;
  }

  private async invitationToken(id: string): Promise<MailedToken | null> {
    const orgId = await this.organizations.orgOfTag(tagOf(id));
    const invitation = orgId ? await this.organizations.findInvitation(orgId, id) : null;
    const link = invitation?.link(this.clock.now());
    if (!orgId || !invitation || !link) return null;
    const organization = await this.organizations.find(orgId);
    const accountId = await this.accounts.idByEmail(invitation.email);
    // One who has an account already is addressed as that account wishes.
    const known = accountId ? await this.contactOf(accountId) : null;
    return {
      token: tokenOf(this.seal, link),
      to: known ?? { email: invitation.email, name: null, locale: 'en', timeZone: null },
      expiresAt: link.expiresAt,
      organizationName: organization?.name,
    };
  }
}

const contact = ({ email, name, locale, timeZone }: Account): Contact => ({ email, name, locale, timeZone });
