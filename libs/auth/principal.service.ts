// Principals: who a bearer token stands for. What the database says of them is remembered for two seconds at most.
import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { edgeErrors } from '../kernel/errors.js';
import { isId } from '../kernel/ids.js';
import type { Principal } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Seal } from '../platform/config/seal.js';
import { AccessTokens, type AccessClaims } from './access-token.service.js';
import { ApiKeyRepository } from './api-key.repository.js';
import { SessionRepository } from './session.repository.js';

/** How long a revoked session or key, or a lost role, may still count in another process. */
const REMEMBER_MS = 2000;
const REMEMBERED_MAX = 20_000;
/** Guests come for a request or two: what is remembered of more of them is only walked through by the garbage collector. */
const GUESTS_MAX = 2000;
const API_KEY = /^evk_[0-9A-Za-z]{43}$/;
const GUEST = /^evg_([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})$/;
const GUEST_PURPOSE = 'guest';
const ANONYMOUS: Principal = { kind: 'anonymous' };

type Account = Extract<Principal, { kind: 'account' }>;
type Key = Extract<Principal, { kind: 'apiKey' }>;
interface KnownKey {
  principal: Key;
  /** Milliseconds since 1970; Infinity for a key without an end. */
  expiresAt: number;
}

@Injectable()
export class PrincipalService {
  private readonly accounts = new LRUCache<string, Account>({ max: REMEMBERED_MAX, ttl: REMEMBER_MS });
  private readonly keys = new LRUCache<string, KnownKey>({ max: REMEMBERED_MAX, ttl: REMEMBER_MS });
  private readonly guests = new LRUCache<string, Principal>({ max: GUESTS_MAX });
  /** Raised with everything forgotten, so that what was read before a change is not remembered after it. */
  private forgotten = 0;

  constructor(
    private readonly tokens: AccessTokens,
    private readonly sessions: SessionRepository,
    private readonly apiKeys: ApiKeyRepository,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {}

  /**
   * Whom a bearer stands for; refuses with `unauthenticated` for anything malformed, expired, tampered with or revoked.
   * The same object while it is remembered, so that its abilities are too. Answers at once where it can: most requests wait for nothing.
   */
  of(bearer: string | undefined): Principal | Promise<Principal> {
    if (bearer === undefined) return ANONYMOUS;
    if (bearer.startsWith('evk_')) return this.apiKey(bearer);
    if (bearer.startsWith('evg_')) return this.guest(bearer);
    const claims = this.tokens.read(bearer);
    if (!claims) throw edgeErrors.unauthenticated({}, 'The access token is not valid, or has expired. Refresh it, or log in.');
    return this.accounts.get(claims.sessionId) ?? this.account(claims);
  }

  /** The bearer of a guest for one thing: the same for the same id, for ever. */
  guestToken(subjectId: string): string {
    return `evg_${subjectId}.${this.seal.make(GUEST_PURPOSE, subjectId)}`;
  }

  /** Sessions or roles of an account changed here: the next request asks the database again. */
  forgetAccount(accountId: string): void {
    this.forgotten += 1;
    for (const [id, known] of this.accounts.entries()) if (known.accountId === accountId) this.accounts.delete(id);
  }

  forgetApiKey(apiKeyId: string): void {
    this.forgotten += 1;
    for (const [bearer, known] of this.keys.entries()) if (known.principal.apiKeyId === apiKeyId) this.keys.delete(bearer);
  }

  private async account({ accountId, sessionId }: AccessClaims): Promise<Principal> {
    const asked = this.forgotten;
    const roles = await this.sessions.rolesOf(accountId, sessionId);
    if (!roles) throw edgeErrors.unauthenticated({}, 'This session has ended. Log in again.');
    const principal: Account = { kind: 'account', accountId, sessionId, roles };
    if (asked === this.forgotten) this.accounts.set(sessionId, principal);
    return principal;
  }

  private apiKey(bearer: string): Principal | Promise<Principal> {
    const known = this.keys.get(bearer);
    if (known && known.expiresAt > this.clock.now().getTime()) return known.principal;
    if (!API_KEY.test(bearer)) throw wrongKey();
    return this.loadApiKey(bearer);
  }

  private async loadApiKey(bearer: string): Promise<Principal> {
    const asked = this.forgotten;
    const key = await this.apiKeys.liveByHash(createHash('sha256').update(bearer).digest());
    if (!key) throw wrongKey();
    const principal: Key = { kind: 'apiKey', apiKeyId: key.id, orgId: key.org_id, scopes: key.scopes };
    if (asked === this.forgotten) this.keys.set(bearer, { principal, expiresAt: key.expires_at?.getTime() ?? Infinity });
    // Nobody waits for it, and a failure loses a minute of a timestamp.
    void this.apiKeys.noteUse(key.org_id, key.id).catch(() => undefined);
    return principal;
  }

  private guest(bearer: string): Principal {
    const known = this.guests.get(bearer);
    if (known) return known;
    const [, subjectId, seal] = GUEST.exec(bearer) ?? [];
    if (!isId(subjectId) || !this.seal.holds(GUEST_PURPOSE, subjectId, seal)) {
      throw edgeErrors.unauthenticated({}, 'This is no token of a booking or waitlist entry.');
    }
    const principal: Principal = { kind: 'guest', subjectId };
    this.guests.set(bearer, principal);
    return principal;
  }
}

const wrongKey = () => edgeErrors.unauthenticated({}, 'This API key is unknown, revoked or expired.');
