// Who may do what with bookings: buyers with their own, guests with the one their token is for, organizers by role or scope.
import { orgsOf, type Role } from '../kernel/principal.js';
import { definePolicy } from '../platform/access/access.js';

const everyone: Role[] = ['owner', 'manager', 'staff'];
const leaders: Role[] = ['owner', 'manager'];
const own = ['read', 'confirm', 'cancel', 'transfer', 'resend'];

definePolicy((who, can) => {
  if (who.kind === 'account') can(own, 'Booking', { accountId: who.accountId });
  if (who.kind === 'guest') can(own, 'Booking', { id: who.subjectId, accountId: null });
  can(['read', 'list', 'resend'], 'Booking', { orgId: { $in: orgsOf(who, everyone, 'bookings:read') } });
  can(['confirm', 'cancel', 'transfer', 'resend', 'manage'], 'Booking', {
    orgId: { $in: orgsOf(who, leaders, 'bookings:write') },
  });
  can('read', 'Report', { orgId: { $in: orgsOf(who, leaders, 'reports:read') } });
});
