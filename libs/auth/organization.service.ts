// Organizations: founding one, reading and changing it.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { isId, newOrgId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { OrganizationChanged, OrganizationCreated } from './auth.domain-events.js';
import { authErrors } from './auth.errors.js';
import { personOf } from './auth.policy.js';
import { MemberService } from './member.service.js';
import {
  membershipView,
  type ChangeOrganizationDto,
  type CreateOrganizationDto,
  type MembershipView,
} from './organization.dto.js';
import { Organization } from './organization.entity.js';
import { OrganizationRepository } from './organization.repository.js';

@Injectable()
export class OrganizationService {
  constructor(
    private readonly db: Database,
    private readonly organizations: OrganizationRepository,
    private readonly members: MemberService,
    private readonly events: EventStore,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** Founds an organization; the caller becomes its owner. `slug_taken` when another has the slug. */
  create(body: CreateOrganizationDto): Promise<Organization> {
    const { accountId } = personOf(this.access.who);
    return this.db.transaction(async () => {
      const organization = new Organization();
      organization.orgId = await this.newId();
      organization.name = body.name;
      organization.slug = body.slug;
      organization.createdAt = this.clock.now();
      if (!(await this.organizations.takeSlug(body.slug, organization.orgId))) throw authErrors.slugTaken();
      await this.organizations.add(organization);
      await this.events.announce(OrganizationCreated({ orgId: organization.orgId }), organization);
      await this.members.join(organization.orgId, accountId, 'owner');
      return organization;
    });
  }

  async get(orgId: string): Promise<Organization> {
    this.access.demand('read', 'Organization', { orgId });
    const organization = await this.organizations.find(orgId);
    if (!organization) throw edgeErrors.notFound();
    return organization;
  }

  change(orgId: string, body: ChangeOrganizationDto, version: number): Promise<Organization> {
    this.access.demand('update', 'Organization', { orgId });
    return this.db.transaction(async () => {
      const organization = await this.organizations.findForUpdate(orgId);
      if (!organization) throw edgeErrors.notFound();
      if (organization.version !== version) throw edgeErrors.staleVersion();
      if (body.slug !== undefined && body.slug !== organization.slug) {
        if (!(await this.organizations.takeSlug(body.slug, orgId))) throw authErrors.slugTaken();
        await this.organizations.freeSlug(organization.slug);
        organization.slug = body.slug;
      }
      if (body.name !== undefined) organization.name = body.name;
      await this.organizations.save(organization);
      await this.events.announce(OrganizationChanged({ orgId }), organization);
      return organization;
    });
  }

  /** The caller's organizations, with the caller's role in each. */
  async mine({ limit, cursor }: PageRequest): Promise<Page<MembershipView>> {
    const after = decodeCursor(cursor, 1)?.[0];
    const rows = await this.organizations.ofAccount(personOf(this.access.who).accountId, isId(after) ? after : null, limit + 1);
    return pageOf(rows, limit, (r) => [r.org_id], membershipView);
  }

  /** The caller's membership in one organization, as it is in the database now. */
  async membership(orgId: string): Promise<MembershipView> {
    const row = await this.organizations.membership(orgId, personOf(this.access.who).accountId);
    if (!row) throw edgeErrors.notFound();
    return membershipView(row);
  }

  /** An id whose tag nobody has: a collision, one in thousands of millions per organization there is, costs another try. */
  private async newId(): Promise<string> {
    for (;;) {
      const id = newOrgId();
      if (await this.organizations.takeTag(id)) return id;
    }
  }
}
