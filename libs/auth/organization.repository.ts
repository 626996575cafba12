// All SQL about organizations, their members and invitations: the rows, and the directories that keep tags and slugs unique.
import { Injectable } from '@nestjs/common';
import { tagOf } from '../kernel/ids.js';
import type { Role } from '../kernel/principal.js';
import { In } from 'typeorm';
import { Database } from '../platform/db/database.js';
import { Invitation } from './invitation.entity.js';
import { Member } from './member.entity.js';
import { Organization } from './organization.entity.js';

export interface MemberRow {
  account_id: string;
  name: string;
  email: string;
  role: Role;
  joined_at: Date;
  version: number;
}

export interface MembershipRow {
  org_id: string;
  name: string;
  slug: string;
  version: number;
  role: Role;
}

interface ContactRow {
  email: string;
  name: string;
  locale: string;
  time_zone: string | null;
}

@Injectable()
export class OrganizationRepository {
  constructor(private readonly db: Database) {}

  /** Takes the tag of a new id for it; false when another organization has it, or it is the nil organization's. */
  async takeTag(orgId: string): Promise<boolean> {
    const tag = tagOf(orgId);
    if (tag === '00000000') return false;
    const sql = `INSERT INTO auth.organization_tag (tag, org_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
    return (await this.db.execute(sql, [tag, orgId])) === 1;
  }

  /** False when the slug is taken. */
  async takeSlug(slug: string, orgId: string): Promise<boolean> {
    const sql = `INSERT INTO auth.organization_slug (slug, org_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`;
    return (await this.db.execute(sql, [slug, orgId])) === 1;
  }

  async freeSlug(slug: string): Promise<void> {
    await this.db.execute(`DELETE FROM auth.organization_slug WHERE slug = $1`, [slug]);
  }

  async orgOfTag(tag: string): Promise<string | null> {
    const [row] = await this.db.prepared<{ org_id: string }>(
      'organization-of-tag',
      `SELECT org_id FROM auth.organization_tag WHERE tag = $1`,
      [tag],
    );
    return row?.org_id ?? null;
  }

  add(organization: Organization): Promise<void> {
    return this.db.insert(organization);
  }

  save(entity: Organization | Member | Invitation): Promise<void> {
    return this.db.saveVersioned(entity);
  }

  find(orgId: string): Promise<Organization | null> {
    return this.db.find(Organization, { orgId });
  }

  findForUpdate(orgId: string): Promise<Organization | null> {
    return this.db.findForUpdate(Organization, { orgId });
  }

  /** Organizations of an account, oldest first, after a cursor. */
  ofAccount(accountId: string, after: string | null, limit: number): Promise<MembershipRow[]> {
    return this.db.query<MembershipRow>(
      `SELECT o.org_id, o.name, o.slug, o.version, m.role FROM auth.member m JOIN auth.organization o USING (org_id)
       WHERE m.account_id = $1 AND m.left_at IS NULL AND ($2::uuid IS NULL OR o.org_id > $2) ORDER BY o.org_id LIMIT $3`,
      [accountId, after, limit],
    );
  }

  async membership(orgId: string, accountId: string): Promise<MembershipRow | null> {
    const [row] = await this.db.query<MembershipRow>(
      `SELECT o.org_id, o.name, o.slug, o.version, m.role FROM auth.member m JOIN auth.organization o USING (org_id)
       WHERE m.org_id = $1 AND m.account_id = $2 AND m.left_at IS NULL`,
      [orgId, accountId],
    );
    return row ?? null;
  }

  addMember(member: Member): Promise<void> {
    return this.db.insert(member);
  }

  /** Members, also one who left. */
  findMemberForUpdate(orgId: string, accountId: string): Promise<Member | null> {
    return this.db.findForUpdate(Member, { orgId, accountId });
  }

  members(orgId: string, after: string | null, limit: number): Promise<MemberRow[]> {
    return this.db.query<MemberRow>(
      `SELECT m.account_id, a.name, a.email, m.role, m.joined_at, m.version FROM auth.member m JOIN auth.account a USING (account_id)
       WHERE m.org_id = $1 AND m.left_at IS NULL AND ($2::uuid IS NULL OR m.account_id > $2) ORDER BY m.account_id LIMIT $3`,
      [orgId, after, limit],
    );
  }

  async memberRow(orgId: string, accountId: string): Promise<MemberRow | null> {
    const [row] = await this.db.query<MemberRow>(
      `SELECT m.account_id, a.name, a.email, m.role, m.joined_at, m.version FROM auth.member m JOIN auth.account a USING (account_id)
       WHERE m.org_id = $1 AND m.account_id = $2 AND m.left_at IS NULL`,
      [orgId, accountId],
    );
    return row ?? null;
  }

  /** Account ids of the owners, locked until the transaction ends: of two owners who leave at once, the second sees the first gone. */
  async lockOwners(orgId: string): Promise<string[]> {
    const rows = await this.db.query<{ account_id: string }>(
      `SELECT account_id FROM auth.member WHERE org_id = $1 AND role = 'owner' AND left_at IS NULL ORDER BY account_id FOR UPDATE`,
      [orgId],
    );
    return rows.map((r) => r.account_id);
  }

  addInvitation(invitation: Invitation): Promise<void> {
    return this.db.insert(invitation);
  }

  findInvitation(orgId: string, id: string): Promise<Invitation | null> {
    return this.db.find(Invitation, { orgId, id });
  }

  findInvitationForUpdate(orgId: string, id: string): Promise<Invitation | null> {
    return this.db.findForUpdate(Invitation, { orgId, id });
  }

  /** Newest first, after a cursor. */
  async invitations(orgId: string, after: string | null, limit: number): Promise<Invitation[]> {
    const ids = await this.db.query<{ id: string }>(
      `SELECT id FROM auth.invitation WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [orgId, after, limit],
    );
    const found = await this.db.findAll(Invitation, { orgId, id: In(ids.map((r) => r.id)) });
    return found.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  /** How to reach owners and managers. */
  leaders(orgId: string): Promise<ContactRow[]> {
    return this.db.query<ContactRow>(
      `SELECT a.email, a.name, a.locale, a.time_zone FROM auth.member m JOIN auth.account a USING (account_id)
       WHERE m.org_id = $1 AND m.left_at IS NULL AND m.role IN ('owner', 'manager') ORDER BY a.account_id`,
      [orgId],
    );
  }
}
