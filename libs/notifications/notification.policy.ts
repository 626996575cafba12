// Who may see which messages went out: those who may see the bookings of the organization.
import { orgsOf } from '../kernel/principal.js';
import { definePolicy } from '../platform/access/access.js';

definePolicy((who, can) => {
  can('read', 'Message', { orgId: { $in: orgsOf(who, ['owner', 'manager', 'staff'], 'bookings:read') } });
});
