// Organizations and who belongs to them: bodies and views.
import { EmailField, EnumField, IdField, InstantField, IntField, TextField, TextListField } from '../platform/http/fields.js';
import { SCOPES } from './api-key.entity.js';
import type { Invitation, InvitationStatus } from './invitation.entity.js';
import type { Organization } from './organization.entity.js';
import type { Role } from '../kernel/principal.js';
import type { MemberRow, MembershipRow } from './organization.repository.js';

const ROLES = ['owner', 'manager', 'staff'] as const;
const SLUG = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const NameField = (o: { optional?: boolean } = {}) =>
  TextField({ ...o, max: 200, pattern: /\S/, example: 'Analytical Concerts' });
const SlugField = (o: { optional?: boolean } = {}) =>
  TextField({ ...o, max: 63, pattern: SLUG, description: 'Lower case, unique', example: 'analytical-concerts' });

export class CreateOrganizationDto {
  @NameField() name: string;
  @SlugField() slug: string;
}

export class ChangeOrganizationDto {
  @NameField({ optional: true }) name?: string;
  @SlugField({ optional: true }) slug?: string;
}

export class OrganizationView {
  @IdField() id: string;
  @NameField() name: string;
  @SlugField() slug: string;
  @IntField() version: number;
}

export class MembershipView extends OrganizationView {
  @EnumField(ROLES, { description: "The caller's role in it" }) role: Role;
}

export const organizationView = (o: Organization): OrganizationView => ({
  id: o.orgId,
  name: o.name,
  slug: o.slug,
  version: o.version,
});

export const membershipView = (r: MembershipRow): MembershipView => ({
  id: r.org_id,
  name: r.name,
  slug: r.slug,
  version: r.version,
  role: r.role,
});

export class ChangeMemberDto {
  @EnumField(ROLES) role: Role;
}

export class MemberView {
  @IdField() accountId: string;
  @TextField() name: string;
  @EmailField() email: string;
  @EnumField(ROLES) role: Role;
  @InstantField() joinedAt: Date;
  @IntField() version: number;
}

export const memberView = (m: MemberRow): MemberView => ({
  accountId: m.account_id,
  name: m.name,
  email: m.email,
  role: m.role,
  joinedAt: m.joined_at,
  version: m.version,
});

export class InviteDto {
  @EmailField() email: string;
  @EnumField(ROLES, { description: 'Only owners invite owners' }) role: Role;
}

export class InvitationView {
  @IdField() id: string;
  @EmailField() email: string;
  @EnumField(ROLES) role: Role;
  @EnumField(['open', 'accepted', 'revoked', 'expired']) status: InvitationStatus;
  @InstantField() expiresAt: Date;
  @InstantField() createdAt: Date;
  @IntField() version: number;
}

export const invitationView = (i: Invitation, now: Date): InvitationView => ({
  id: i.id,
  email: i.email,
  role: i.role,
  status: i.statusAt(now),
  expiresAt: i.expiresAt,
  createdAt: i.createdAt,
  version: i.version,
});

export class CreateApiKeyDto {
  @TextField({ max: 100, pattern: /\S/, example: 'Box office' }) name: string;
  @TextListField({ values: SCOPES, minItems: 1, maxItems: 20, description: '`*` is everything; write includes read' })
  scopes: string[];
  @InstantField({ optional: true, nullable: true, description: 'Never, unless given' }) expiresAt?: Date | null;
}

export class ApiKeyView {
  @IdField() id: string;
  @TextField({ max: 100 }) name: string;
  @TextField({ description: 'How the key begins' }) hint: string;
  @TextListField({ values: SCOPES }) scopes: string[];
  @InstantField({ nullable: true }) expiresAt: Date | null;
  @InstantField({ nullable: true, description: 'Exact to a minute' }) lastUsedAt: Date | null;
  @InstantField() createdAt: Date;
}

export class NewApiKeyView extends ApiKeyView {
  @TextField({ description: 'Shown this once, and never again' }) key: string;
}
