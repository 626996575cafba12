// Who may do what with venues and events: owners and managers write, staff read, API keys as their scopes say.
import { orgsOf } from '../kernel/principal.js';
import { definePolicy } from '../platform/access/access.js';

definePolicy((who, can) => {
  can('read', 'Event', { orgId: { $in: orgsOf(who, ['owner', 'manager', 'staff'], 'events:read') } });
  can(['create', 'update', 'publish', 'cancel'], 'Event', { orgId: { $in: orgsOf(who, ['owner', 'manager'], 'events:write') } });
  can('read', 'Venue', { orgId: { $in: orgsOf(who, ['owner', 'manager', 'staff'], 'venues:read') } });
  can(['create', 'update'], 'Venue', { orgId: { $in: orgsOf(who, ['owner', 'manager'], 'venues:write') } });
});
