// Limits on requests: global, address and endpoint before anything else is done; operation, caller and organization once it is known who asks.
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Observable } from 'rxjs';
import { edgeErrors } from '../../kernel/errors.js';
import { isId, tagOf } from '../../kernel/ids.js';
import { principalKey, type Principal } from '../../kernel/principal.js';
import { whoAsks } from '../db/ambient.js';
import { UNWATCHED } from '../observe/request.watch.js';
import { limitHeader, policyHeader, type LimitPolicy, type Verdict } from './limit.rules.js';
import { RateLimiter } from './rate.limiter.js';

/** The limits of one route, found once, when it is added. */
export interface LimitPlan {
  /** Known before it is known who asks: global, address, endpoint. */
  early: readonly LimitPolicy[];
  /** By caller and organization. */
  late: readonly LimitPolicy[];
  /** RateLimit-Policy for people and for programs. */
  people: string;
  programs: string;
}

interface Nearest {
  /** What is left of the quota, 0 to 1. */
  share: number;
  policy: LimitPolicy;
  verdict: Verdict;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the limits asked so far, the one that is nearest to its end. */
    nearestLimit?: Nearest;
    limitPlan?: LimitPlan;
  }
}

/** What who is exempt is told of a limit. */
const untouched = ({ quota }: LimitPolicy): Verdict => ({ allowed: true, remaining: quota, resetSeconds: 0, retryAfter: 0 });

const quotaOf = (policy: LimitPolicy, program: boolean) => (program && policy.programs) || policy.quota;

@Injectable()
export class LimitHook implements NestInterceptor {
  private readonly policies: readonly LimitPolicy[];

  constructor(private readonly limiter: RateLimiter) {
    this.policies = limiter.policies;
  }

  /** Gives each route its plan. Call before routes are added. */
  watch(fastify: FastifyInstance): void {
    fastify.decorateRequest('nearestLimit', undefined);
    fastify.decorateRequest('limitPlan', undefined);
    fastify.addHook('onRoute', (options) => {
      if ((options.config as Partial<typeof UNWATCHED> | undefined)?.unwatched) return;
      const method = Array.isArray(options.method) ? options.method[0] : options.method;
      const plan = this.planFor(`${method === 'HEAD' ? 'GET' : method} ${options.url}`);
      const before = [options.onRequest ?? []].flat().filter((hook) => (hook as { limits?: true }).limits === undefined);
      options.onRequest = [this.early(plan), ...before] as never;
    });
    const unknown = this.early(this.planFor('GET none'));
    fastify.addHook('onRequest', (request, reply, done) => {
      if (request.is404) unknown(request, reply, done);
      else done();
    });
  }

  /** The second half, after the guard has said who asks. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    this.late(http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
    return next.handle();
  }

  /** The limits of a route, named `METHOD /pattern`. */
  planFor(route: string): LimitPlan {
    const here = this.policies.filter((p) => !p.routes || p.routes.some((r) => samePattern(r, route)));
    const early = here.filter((p) => p.by === 'all' || p.by === 'address');
    const late = here.filter((p) => p.by === 'caller' || p.by === 'organization');
    const programs = here.map((p) => ({ ...p, quota: quotaOf(p, true) }));
    return { early, late, people: policyHeader(here), programs: policyHeader(programs) };
  }

  private early(plan: LimitPlan) {
    const hook = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
      void reply.header('ratelimit-policy', plan.people);
      const { exempt, refused, nearest } = this.take(plan, request.ip);
      if (refused) return done(refuse(refused, reply));
      request.nearestLimit = nearest;
      tell(reply);
      // Who is exempt is held to no later limit either.
      if (!exempt) request.limitPlan = plan;
      return done();
    };
    return Object.assign(hook, { limits: true as const });
  }

  /** Takes a request by what is known before it is known who asks: the headers that tell, names and values in turn; null when refused. */
  admit(plan: LimitPlan, address: string): string[] | null {
    const { refused, nearest } = this.take(plan, address);
    return refused ? null : ['ratelimit-policy', plan.people, 'ratelimit', limitHeader(nearest!.policy.name, nearest!.verdict)];
  }

  /** One request of an address from each early limit, up to the first that refuses. */
  private take(plan: LimitPlan, address: string): { exempt: boolean; refused?: Nearest; nearest?: Nearest } {
    const { key, exempt } = this.limiter.caller(address);
    let nearest: Nearest | undefined;
    for (const policy of plan.early) {
      const verdict = exempt ? untouched(policy) : this.limiter.take(policy, policy.by === 'all' ? '' : key);
      const one = { share: verdict.remaining / policy.quota, policy, verdict };
      if (!verdict.allowed) return { exempt, refused: one };
      // The global limit is nobody's own, so it is not told as what is left.
      if (policy.by === 'address') nearest = nearer(nearest, one);
    }
    return { exempt, nearest };
  }

  /** Called by the interceptor, or by who runs a handler without one. */
  late(request: FastifyRequest, reply: FastifyReply): void {
    const plan = request.limitPlan;
    if (!plan || plan.late.length === 0) return;
    const who = whoAsks();
    const program = who.kind === 'apiKey';
    if (program) void reply.header('ratelimit-policy', plan.programs);
    for (const policy of plan.late) {
      const key = policy.by === 'caller' ? callerKey(who) : organizationKey(who, request);
      if (key === null) continue;
      const quota = quotaOf(policy, program);
      const verdict = this.limiter.take(policy, key, quota);
      const one = { share: verdict.remaining / quota, policy, verdict };
      if (!verdict.allowed) throw refuse(one, reply);
      request.nearestLimit = nearer(request.nearestLimit, one);
    }
    tell(reply);
  }
}

/** Who has no name is counted by address alone. */
const callerKey = (who: Principal): string | null => (who.kind === 'anonymous' ? null : principalKey(who));

/** The organization by its tag: that of a key, else of the first id in the path. */
function organizationKey(who: Principal, request: FastifyRequest): string | null {
  if (who.kind === 'apiKey') return tagOf(who.orgId);
  for (const value of Object.values(request.params as Record<string, string>)) if (isId(value)) return tagOf(value);
  return null;
}

/** `POST /v1/events/:id/bookings` is the same route whatever its parts are called. */
function samePattern(a: string, b: string): boolean {
  const plain = (route: string) => route.replace(/:[^/]+/g, ':');
  return plain(a) === plain(b);
}

const nearer = (a: Nearest | undefined, b: Nearest): Nearest => (a && a.share < b.share ? a : b);

/** Tells of the limit that is nearest to its end. */
function tell(reply: FastifyReply): void {
  const nearest = reply.request.nearestLimit;
  if (nearest) void reply.header('ratelimit', limitHeader(nearest.policy.name, nearest.verdict));
}

function refuse({ policy, verdict }: Nearest, reply: FastifyReply): Error {
  void reply.header('ratelimit', limitHeader(policy.name, verdict)).header('retry-after', String(verdict.retryAfter));
  return edgeErrors.rateLimited({ limit: policy.name });
}
