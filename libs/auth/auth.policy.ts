// Who may do what with accounts, organizations, members, invitations and API keys.
import { edgeErrors } from '../kernel/errors.js';
import { orgsOf, type Principal, type Role } from '../kernel/principal.js';
import { definePolicy } from '../platform/access/access.js';

const everyone: Role[] = ['owner', 'manager', 'staff'];
const leaders: Role[] = ['owner', 'manager'];
/** Roles that a manager, or a program, may give and take: only an owner makes or unmakes an owner. */
const below: Role[] = ['manager', 'staff'];

definePolicy((who, can) => {
  if (who.kind === 'account') {
    can(['read', 'update'], 'Account', { id: who.accountId });
    can(['read', 'delete'], 'Session', { accountId: who.accountId });
    can('create', 'Organization');
    can('accept', 'Invitation');
    can('delete', 'Member', { accountId: who.accountId }); // Anybody may leave.
  }
  if (who.kind === 'apiKey') can('read', 'Organization', { orgId: who.orgId });
  can('read', 'Organization', { orgId: { $in: orgsOf(who, everyone, 'never') } });
  can('update', 'Organization', { orgId: { $in: orgsOf(who, leaders, 'never') } });

  can('read', 'Member', { orgId: { $in: orgsOf(who, everyone, 'members:read') } });
  can(['update', 'delete'], 'Member', { orgId: { $in: orgsOf(who, leaders, 'members:write') }, role: { $in: below } });
  can(['update', 'delete'], 'Member', { orgId: { $in: orgsOf(who, ['owner'], 'never') } });

  can('read', 'Invitation', { orgId: { $in: orgsOf(who, leaders, 'members:read') } });
  can(['create', 'delete'], 'Invitation', { orgId: { $in: orgsOf(who, leaders, 'members:write') }, role: { $in: below } });
  can(['create', 'delete'], 'Invitation', { orgId: { $in: orgsOf(who, ['owner'], 'never') } });

  can('read', 'ApiKey', { orgId: { $in: orgsOf(who, leaders, 'keys:write') } });
  can(['create', 'delete'], 'ApiKey', { orgId: { $in: orgsOf(who, ['owner'], 'keys:write') } });
});

export type Person = Extract<Principal, { kind: 'account' }>;

/** The person who is asking, for what belongs to persons; programs and guests are told so. */
export function personOf(who: Principal): Person {
  if (who.kind === 'account') return who;
  if (who.kind === 'anonymous') throw edgeErrors.unauthenticated();
  throw edgeErrors.forbidden({}, 'Only somebody who is logged in can do this, no API key and no guest.');
}
