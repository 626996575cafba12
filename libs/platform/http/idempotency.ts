// Idempotency: one effect per key. The reply is kept in the transaction of the effect and replayed byte for byte for 24 hours.
import { hash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { edgeErrors, invalid, Refusal } from '../../kernel/errors.js';
import { isId, NO_ORG } from '../../kernel/ids.js';
import { principalKey } from '../../kernel/principal.js';
import { Seal } from '../config/seal.js';
import { whoAsks } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { Meter, type Counter } from '../observe/meter.js';
import { problemBody, PROBLEM_TYPE, refusalCounter } from './problem.filter.js';
import { IDEMPOTENT, type IdempotencyMode } from './route.decorators.js';

/** A request's claim on its one effect. */
export interface IdempotencyClaim {
  /** SHA-256 of principal, method and path. */
  scope: Buffer;
  key: string;
  /** SHA-256 of the body as it was parsed. */
  bodyHash: Buffer;
}

const PURPOSE = 'kept-reply';

const sha256 = (text: string) => hash('sha256', text, 'buffer');

/** A crowd of guests that books one event has one scope. */
const scopes = new LRUCache<string, Buffer>({ max: 2000, memoMethod: sha256 });

/** The claim of a request; null when it sent no key. */
export function claimOf(request: FastifyRequest): IdempotencyClaim | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) {
    throw invalid([{ pointer: '/headers/idempotency-key', detail: 'Send 1 to 255 printable ASCII characters.' }]);
  }
  const who = principalKey(whoAsks());
  const path = request.url.split('?', 1)[0];
  return { scope: scopes.memo(`${who} ${request.method} ${path}`), key, bodyHash: sha256(JSON.stringify(request.body ?? null)) };
}

/** The claim of a request that must have one. */
export function requireClaim(request: FastifyRequest): IdempotencyClaim {
  const claim = claimOf(request);
  if (!claim) throw edgeErrors.idempotencyKeyRequired();
  return claim;
}

interface Kept {
  status: number;
  reply: Buffer | null;
  headers: Record<string, string> | null;
  body_hash: Buffer;
}

/** Verdicts that are kept; everything else may be tried again with the same key. */
const isKept = (status: number, code?: string) =>
  (status >= 200 && status < 300) || status === 402 || status === 410 || (status === 409 && code !== 'busy');

@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  private readonly refusals: Counter;

  constructor(
    private readonly db: Database,
    private readonly reflector: Reflector,
    private readonly seal: Seal,
    meter: Meter,
  ) {
    this.refusals = refusalCounter(meter);
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const work = () => lastValueFrom(next.handle(), { defaultValue: undefined });
    const once = this.around(this.modeOf(context.getHandler()), request, reply, work);
    return once ? from(once) : next.handle();
  }

  /** How a handler's replies are kept. */
  modeOf(handler: object): IdempotencyMode | undefined {
    return this.reflector.get<IdempotencyMode | undefined>(IDEMPOTENT, handler as () => unknown);
  }

  /** Runs a handler's work once per key; null where the route keeps nothing here, or the request sent no key. */
  around(
    mode: IdempotencyMode | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => Promise<unknown>,
  ): Promise<unknown> | null {
    if (!mode || mode === 'own') return null;
    const sent = claimOf(request);
    if (!sent) return null;
    const claim = { ...sent, bodyHash: this.unguessable(sent.bodyHash) };
    const org = (request.params as Record<string, string>).o;
    return this.once({ mode, orgId: isId(org) ? org : NO_ORG, claim, work, request, reply });
  }

  private async once({ mode, orgId, claim, work, request, reply }: Call): Promise<unknown> {
    const kept = await this.find(orgId, claim);
    if (kept) return replay(kept, claim, reply);
    if (mode === 'natural') {
      const outcome = await this.outcomeOf(work, request, reply);
      if (await this.keep(orgId, claim, outcome)) return present(outcome, reply);
      const first = await this.find(orgId, claim); // Another request with the key was kept meanwhile: one key, one reply.
      return first ? replay(first, claim, reply) : present(outcome, reply);
    }
    return this.db.transaction(
      async () => {
        // The key's row comes first: a second request with the key waits here for the first, and is told `busy` when that takes long.
        if (!(await this.reserve(orgId, claim))) {
          const first = await this.find(orgId, claim);
          if (!first) throw edgeErrors.busy();
          return replay(first, claim, reply);
        }
        const outcome = await this.outcomeOf(() => this.db.savepoint(work), request, reply);
        await this.keep(orgId, claim, outcome);
        return present(outcome, reply);
      },
      { lockTimeoutMs: 2000 },
    );
  }

  private async outcomeOf(work: () => Promise<unknown>, request: FastifyRequest, reply: FastifyReply): Promise<Outcome> {
    try {
      const value = await work();
      const body = value === undefined || value === null ? '' : JSON.stringify(value);
      const version = (value as { version?: number } | undefined)?.version;
      const headers: Record<string, string> = body === '' ? {} : { 'content-type': 'application/json; charset=utf-8' };
      if (typeof version === 'number') headers.etag = `"${version}"`;
      return { status: reply.statusCode, body, headers };
    } catch (e) {
      if (!(e instanceof Refusal) || !isKept(e.status, e.code)) throw e;
      this.refusals.add(e.code); // It goes out as a reply, past the filter that counts.
      return { status: e.status, body: problemBody(e, String(request.id)), headers: { 'content-type': PROBLEM_TYPE } };
    }
  }

  /** A body may hold a password, and a reply a token: kept, the one is a keyed hash that cannot be guessed at, and the other is hidden. */
  private unguessable(bodyHash: Buffer): Buffer {
    return Buffer.from(this.seal.make(PURPOSE, bodyHash.toString('base64')), 'base64url');
  }

  private async find(orgId: string, claim: IdempotencyClaim): Promise<Kept | undefined> {
    const [row] = await this.db.prepared<Kept>(
      'idempotency-find',
      `SELECT status, reply, headers, body_hash FROM platform.idempotency
       WHERE org_id = $1 AND scope = $2 AND key = $3 AND status > 0 AND created_at > platform.now() - interval '24 hours'`,
      [orgId, claim.scope, claim.key],
    );
    if (!row?.reply) return row;
    const reply = this.seal.reveal(PURPOSE, row.reply);
    if (!reply) throw edgeErrors.unavailable({}, 'The kept reply cannot be read: the key it was hidden with is gone.');
    return { ...row, reply };
  }

  private async reserve(orgId: string, claim: IdempotencyClaim): Promise<boolean> {
    const rows = await this.db.prepared(
      'idempotency-reserve',
      `INSERT INTO platform.idempotency AS i (org_id, scope, key, body_hash, status, request_id) VALUES ($1, $2, $3, $4, 0, '')
       ON CONFLICT (org_id, scope, key) DO UPDATE SET body_hash = excluded.body_hash, status = 0, created_at = platform.now()
         WHERE i.created_at <= platform.now() - interval '24 hours' RETURNING 1`,
      [orgId, claim.scope, claim.key, claim.bodyHash],
    );
    return rows.length > 0;
  }

  /** False when the key has a reply already. */
  private async keep(orgId: string, claim: IdempotencyClaim, outcome: Outcome): Promise<boolean> {
    const rows = await this.db.prepared(
      'idempotency-keep',
      `INSERT INTO platform.idempotency AS i (org_id, scope, key, body_hash, status, reply, headers, request_id) VALUES ($1, $2, $3, $4, $5, $6, $7, '')
       ON CONFLICT (org_id, scope, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, reply = excluded.reply,
         headers = excluded.headers, created_at = platform.now()
         WHERE i.status = 0 OR i.created_at <= platform.now() - interval '24 hours' RETURNING 1`,
      [
        orgId,
        claim.scope,
        claim.key,
        claim.bodyHash,
        outcome.status,
        this.seal.hide(PURPOSE, Buffer.from(outcome.body)),
        JSON.stringify(outcome.headers),
      ],
    );
    return rows.length > 0;
  }
}

/** A request that sent a key, and how to do it. */
interface Call {
  mode: IdempotencyMode;
  orgId: string;
  claim: IdempotencyClaim;
  work: () => Promise<unknown>;
  request: FastifyRequest;
  reply: FastifyReply;
}

interface Outcome {
  status: number;
  body: string;
  headers: Record<string, string>;
}

function present(outcome: Outcome, reply: FastifyReply): string | undefined {
  void reply.status(outcome.status).headers(outcome.headers);
  return outcome.body === '' ? undefined : outcome.body;
}

function replay(kept: Kept, claim: IdempotencyClaim, reply: FastifyReply): string | undefined {
  if (!kept.body_hash.equals(claim.bodyHash)) throw edgeErrors.idempotencyKeyReused();
  void reply.header('idempotent-replayed', 'true');
  return present({ status: kept.status, body: kept.reply?.toString('utf8') ?? '', headers: kept.headers ?? {} }, reply);
}
