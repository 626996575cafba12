// Principal: who is asking, as every guard, policy and domain event names them.

export type Role = 'owner' | 'manager' | 'staff';

export type Principal =
  | { kind: 'anonymous' }
  | { kind: 'account'; accountId: string; sessionId: string; roles: Readonly<Record<string, Role>> }
  | { kind: 'apiKey'; apiKeyId: string; orgId: string; scopes: readonly string[] }
  /** A guest holds one thing: the booking (or waitlist entry) the token was made for. */
  | { kind: 'guest'; subjectId: string }
  /** The system itself: sweeps, jobs, consumers. */
  | { kind: 'system'; name: string };

/** How a principal is written into domain events, logs and idempotency scopes. Holds no personal data. */
export function principalKey(p: Principal): string {
  switch (p.kind) {
    case 'anonymous':
      return 'anonymous';
    case 'account':
      return `account:${p.accountId}`;
    case 'apiKey':
      return `api-key:${p.apiKeyId}`;
    case 'guest':
      return `guest:${p.subjectId}`;
    case 'system':
      return `system:${p.name}`;
  }
}

/** The organizations in which a principal holds one of these roles, or, for an API key, the scope. What every policy starts from. */
export function orgsOf(p: Principal, roles: readonly Role[], scope: string): string[] {
  if (p.kind === 'account') return Object.keys(p.roles).filter((org) => roles.includes(p.roles[org]));
  if (p.kind === 'apiKey') return hasScope(p.scopes, scope) ? [p.orgId] : [];
  return [];
}

/** `*` is everything, `events:*` all of events, and write includes read. */
export function hasScope(scopes: readonly string[], wanted: string): boolean {
  const [area, verb] = wanted.split(':');
  return scopes.some((s) => s === '*' || s === wanted || s === `${area}:*` || (verb === 'read' && s === `${area}:write`));
}
