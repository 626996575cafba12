// Invitations: a role offered by mail, taken up by whoever holds the mailed token.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { isId, newId, tagOf } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Seal } from '../platform/config/seal.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { InvitationAccepted, InvitationCreated, InvitationRevoked } from './auth.domain-events.js';
import { authErrors, deadLink } from './auth.errors.js';
import { personOf } from './auth.policy.js';
import { Invitation, INVITATION_MS } from './invitation.entity.js';
import { idIn, proves } from './mailed-token.rules.js';
import { MemberService } from './member.service.js';
import { invitationView, type InvitationView, type InviteDto } from './organization.dto.js';
import { OrganizationRepository } from './organization.repository.js';

@Injectable()
export class InvitationService {
  constructor(
    private readonly db: Database,
    private readonly organizations: OrganizationRepository,
    private readonly members: MemberService,
    private readonly events: EventStore,
    private readonly access: Access,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {}

  async list(orgId: string, { limit, cursor }: PageRequest): Promise<Page<InvitationView>> {
    this.access.demand('read', 'Invitation', { orgId }, { type: 'Organization', object: { orgId } });
    const after = decodeCursor(cursor, 1)?.[0];
    const rows = await this.organizations.invitations(orgId, isId(after) ? after : null, limit + 1);
    const now = this.clock.now();
    return pageOf(
      rows,
      limit,
      (r) => [r.id],
      (r) => invitationView(r, now),
    );
  }

  /** Invites an address; the mail with the token goes out with the domain event. */
  async create(orgId: string, body: InviteDto): Promise<InvitationView> {
    this.access.demand('create', 'Invitation', { orgId, role: body.role }, { type: 'Organization', object: { orgId } });
    const invitation = new Invitation();
    const now = this.clock.now();
    invitation.orgId = orgId;
    invitation.id = newId(orgId);
    invitation.email = body.email;
    invitation.role = body.role;
    invitation.expiresAt = new Date(now.getTime() + INVITATION_MS);
    invitation.invitedBy = principalKey(this.access.who);
    invitation.createdAt = now;
    await this.db.transaction(async () => {
      await this.organizations.addInvitation(invitation);
      await this.events.announce(InvitationCreated({ orgId, invitationId: invitation.id }), invitation);
    });
    return invitationView(invitation, now);
  }

  revoke(orgId: string, id: string): Promise<void> {
    this.access.demand('read', 'Invitation', { orgId }, { type: 'Organization', object: { orgId } });
    return this.db.transaction(async () => {
      const invitation = await this.organizations.findInvitationForUpdate(orgId, id);
      if (!invitation) throw edgeErrors.notFound();
      this.access.demand('delete', 'Invitation', invitation);
      if (invitation.status !== 'open') throw authErrors.badTransition({}, `This invitation is ${invitation.status} already.`);
      invitation.revoke();
      await this.organizations.save(invitation);
      await this.events.announce(InvitationRevoked({ orgId, invitationId: id }), invitation);
    });
  }

  /** Makes the caller a member by a mailed token; gives the id of the organization. */
  async accept(token: string): Promise<string> {
    const { accountId } = personOf(this.access.who);
    const id = idIn(token);
    const orgId = id && (await this.organizations.orgOfTag(tagOf(id)));
    if (!id || !orgId) throw deadLink();
    await this.db.transaction(async () => {
      const invitation = await this.organizations.findInvitationForUpdate(orgId, id);
      const link = invitation?.link(this.clock.now());
      if (!invitation || !link || !proves(this.seal, token, link)) throw deadLink();
      invitation.accept(accountId);
      await this.organizations.save(invitation);
      await this.events.announce(InvitationAccepted({ orgId, invitationId: id }), invitation);
      await this.members.join(orgId, accountId, invitation.role);
    });
    return orgId;
  }
}
