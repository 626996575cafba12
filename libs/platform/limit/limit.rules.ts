// How much is too much: the generic cell rate algorithm (ITU-T I.371, as leaky bucket), the table of policies, and the headers that tell.

/** Whose requests are added up. */
export type CountedBy = 'all' | 'address' | 'caller' | 'organization';

export interface Quota {
  /** Requests in a window; all of them may come at once. */
  quota: number;
  windowSeconds: number;
}

export interface LimitPolicy extends Quota {
  name: string;
  by: CountedBy;
  /** Only these routes, as `METHOD /pattern`; absent: every route. */
  routes?: readonly string[];
  /** Quota of API keys, where programs may do more than people. */
  programs?: number;
  /**
   * What holds while the sum over all processes is unknown because Redis is away. Open: each process grants the whole quota.
   * Closed: each request counts as several, as if as many processes were at it.
   */
  without: 'open' | 'closed';
}

/** Every limit there is. RATE_LIMITS changes quotas by name (`address=6000/60`, `booking=120:60000/60` for people and programs). The document and the headers show these names. */
export const POLICIES: readonly LimitPolicy[] = [
  { name: 'global', quota: 1_200_000, windowSeconds: 60, by: 'all', without: 'open' },
  { name: 'address', quota: 6000, windowSeconds: 60, by: 'address', without: 'open' },
  {
    name: 'login',
    quota: 30,
    windowSeconds: 60,
    by: 'address',
    routes: ['POST /v1/auth/login', 'POST /v1/auth/password-reset/confirm', 'POST /v1/invitations/accept'],
    without: 'closed',
  },
  {
    name: 'register',
    quota: 60,
    windowSeconds: 600,
    by: 'address',
    routes: ['POST /v1/auth/register', 'POST /v1/auth/password-reset', 'POST /v1/organizations'],
    without: 'closed',
  },
  { name: 'search', quota: 600, windowSeconds: 60, by: 'address', routes: ['GET /v1/events'], without: 'open' },
  {
    name: 'booking',
    quota: 120,
    windowSeconds: 60,
    by: 'caller',
    routes: ['POST /v1/events/:id/bookings', 'POST /v1/bookings/:id/confirm', 'POST /v1/bookings/:id/cancel'],
    programs: 60_000,
    without: 'open',
  },
  { name: 'caller', quota: 1200, windowSeconds: 60, by: 'caller', programs: 120_000, without: 'open' },
  { name: 'organization', quota: 600_000, windowSeconds: 60, by: 'organization', without: 'open' },
];

/** One count: `tat` is the theoretical arrival time of the next request, in milliseconds of the clock that is passed in. */
export interface Bucket {
  tat: number;
}

export interface Verdict {
  allowed: boolean;
  /** Requests left now. */
  remaining: number;
  /** Seconds until the whole quota is there again. */
  resetSeconds: number;
  /** Seconds to wait when refused, at least 1. */
  retryAfter: number;
}

/** Takes `cost` requests from a bucket, or refuses and takes nothing. Never more than `quota` at once, and `quota` per window in the long run. */
export function take(bucket: Bucket, now: number, { quota, windowSeconds }: Quota, cost = 1): Verdict {
  const windowMs = windowSeconds * 1000;
  const interval = windowMs / quota;
  const tat = Math.max(bucket.tat, now);
  const next = tat + interval * cost;
  // A millionth of an interval forgives what floating point loses over many additions.
  const allowed = next - now <= windowMs + interval * 1e-6;
  if (allowed) bucket.tat = next;
  const used = (allowed ? next : tat) - now;
  return {
    allowed,
    remaining: Math.max(0, Math.floor((windowMs - used) / interval + 1e-6)),
    resetSeconds: Math.ceil(used / 1000),
    retryAfter: allowed ? 0 : Math.max(1, Math.ceil((next - now - windowMs) / 1000)),
  };
}

/** Counts what others took: it may push the bucket beyond its quota, but not so far that it stays shut for more than a window. */
export function takenElsewhere(bucket: Bucket, now: number, { quota, windowSeconds }: Quota, taken: number): void {
  const windowMs = windowSeconds * 1000;
  bucket.tat = Math.min(Math.max(bucket.tat, now) + (windowMs / quota) * taken, now + 2 * windowMs);
}

/** `"address";q=6000;w=60` for each, as draft-ietf-httpapi-ratelimit-headers-10 section 3 writes RateLimit-Policy. */
export const policyHeader = (list: readonly { name: string; quota: number; windowSeconds: number }[]): string =>
  list.map((p) => `"${p.name}";q=${p.quota};w=${p.windowSeconds}`).join(', ');

/** `"address";r=50;t=30`, section 4. */
export const limitHeader = (name: string, verdict: Verdict): string =>
  `"${name}";r=${verdict.remaining};t=${verdict.resetSeconds}`;

export interface LimitOverride extends Quota {
  name: string;
  /** Absent: programs keep the rate they have, and may never do less than people. */
  programs?: number;
}

/** Reads `name=quota/seconds`, or `name=quota:programs/seconds`, for known policies; null when it is none. */
export function parseOverride(text: string): LimitOverride | null {
  const m = /^([a-z-]+)=(\d{1,9})(?::(\d{1,9}))?\/(\d{1,5})$/.exec(text);
  if (!m) return null;
  const [name, quota, programs, windowSeconds] = [m[1], Number(m[2]), m[3] && Number(m[3]), Number(m[4])];
  const policy = POLICIES.find((p) => p.name === name);
  if (!policy || quota < 1 || windowSeconds < 1) return null;
  if (!programs) return programs === undefined ? { name, quota, windowSeconds } : null;
  return policy.programs === undefined ? null : { name, quota, programs, windowSeconds };
}

/** A policy as an operator wants it. */
export function overridden(policy: LimitPolicy, { quota, windowSeconds, programs }: LimitOverride): LimitPolicy {
  if (policy.programs === undefined) return { ...policy, quota, windowSeconds };
  const kept = Math.ceil((policy.programs / policy.windowSeconds) * windowSeconds);
  return { ...policy, quota, windowSeconds, programs: programs ?? Math.max(quota, kept) };
}
