// Who may see an organization's payments: whoever may read its bookings.
import { orgsOf } from '../kernel/principal.js';
import { definePolicy } from '../platform/access/access.js';

export const paymentsPolicy = definePolicy((who, can) => {
  can('read', 'Payment', { orgId: { $in: orgsOf(who, ['owner', 'manager', 'staff'], 'bookings:read') } });
});
