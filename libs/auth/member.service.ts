// Members: who belongs to an organization, and as what.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import type { Role } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { MemberChanged, MemberJoined, MemberLeft } from './auth.domain-events.js';
import { authErrors } from './auth.errors.js';
import { Member } from './member.entity.js';
import { memberView, type MemberView } from './organization.dto.js';
import { OrganizationRepository } from './organization.repository.js';
import { PrincipalService } from './principal.service.js';

@Injectable()
export class MemberService {
  constructor(
    private readonly db: Database,
    private readonly organizations: OrganizationRepository,
    private readonly events: EventStore,
    private readonly access: Access,
    private readonly principals: PrincipalService,
    private readonly clock: Clock,
  ) {}

  async list(orgId: string, { limit, cursor }: PageRequest): Promise<Page<MemberView>> {
    this.access.demand('read', 'Member', { orgId }, { type: 'Organization', object: { orgId } });
    const after = decodeCursor(cursor, 1)?.[0];
    const rows = await this.organizations.members(orgId, isId(after) ? after : null, limit + 1);
    return pageOf(rows, limit, (r) => [r.account_id], memberView);
  }

  async get(orgId: string, accountId: string): Promise<MemberView> {
    this.access.demand('read', 'Member', { orgId }, { type: 'Organization', object: { orgId } });
    const row = await this.organizations.memberRow(orgId, accountId);
    if (!row) throw edgeErrors.notFound();
    return memberView(row);
  }

  /** Gives a member another role. Only owners make or unmake owners, and the last one stays. */
  async changeRole(orgId: string, accountId: string, role: Role, version: number): Promise<MemberView> {
    this.access.demand('read', 'Member', { orgId }, { type: 'Organization', object: { orgId } });
    await this.db.transaction(async () => {
      const owners = await this.organizations.lockOwners(orgId);
      const member = await this.active(orgId, accountId);
      this.access.demand('update', 'Member', member);
      this.access.demand('update', 'Member', { ...member, role });
      if (member.version !== version) throw edgeErrors.staleVersion();
      if (role !== 'owner') this.keepAnOwner(owners, accountId);
      member.role = role;
      await this.organizations.save(member);
      await this.events.announce(MemberChanged({ orgId, accountId }), member);
      this.db.afterCommit(() => this.principals.forgetAccount(accountId));
    });
    return this.get(orgId, accountId);
  }

  /** Takes a member out, or lets one leave. */
  async remove(orgId: string, accountId: string): Promise<void> {
    this.access.demand('read', 'Member', { orgId }, { type: 'Organization', object: { orgId } });
    await this.db.transaction(async () => {
      const owners = await this.organizations.lockOwners(orgId);
      const member = await this.active(orgId, accountId);
      this.access.demand('delete', 'Member', member);
      this.keepAnOwner(owners, accountId);
      member.leave(this.clock.now());
      await this.organizations.save(member);
      await this.events.announce(MemberLeft({ orgId, accountId }), member);
      this.db.afterCommit(() => this.principals.forgetAccount(accountId));
    });
  }

  /** Makes an account a member, in the ambient transaction; one that is already keeps the higher role of the two. */
  async join(orgId: string, accountId: string, role: Role): Promise<void> {
    const known = await this.organizations.findMemberForUpdate(orgId, accountId);
    if (known?.active && rank[known.role] >= rank[role]) return;
    const member = known ?? new Member();
    if (known) {
      known.join(role, this.clock.now());
      await this.organizations.save(known);
    } else {
      Object.assign(member, { orgId, accountId, role, joinedAt: this.clock.now() });
      await this.organizations.addMember(member);
    }
    await this.events.announce(MemberJoined({ orgId, accountId }), member);
    this.db.afterCommit(() => this.principals.forgetAccount(accountId));
  }

  private async active(orgId: string, accountId: string): Promise<Member> {
    const member = await this.organizations.findMemberForUpdate(orgId, accountId);
    if (!member?.active) throw edgeErrors.notFound();
    return member;
  }

  private keepAnOwner(owners: string[], leaving: string): void {
    if (owners.length === 1 && owners[0] === leaving) throw authErrors.badTransition();
  }
}

const rank: Record<Role, number> = { staff: 0, manager: 1, owner: 2 };
