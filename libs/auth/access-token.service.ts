// Access tokens: RS256 (RFC 7515, 9068), 15 minutes long; verified by node:crypto and remembered until they end.
import { sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { isId } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import type { KeyRing } from '../platform/config/keyring.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { AuthKeys } from './auth.config.js';

/** The longest life of an access token. scripts/keys-rotate keeps old keys for longer than this. */
export const ACCESS_TOKEN_SECONDS = 900;
/** Ours have some 620 characters. What is longer is refused unread. */
const CHARS_MAX = 2048;
const REMEMBERED_MAX = 20_000;
const SEGMENT = /^[A-Za-z0-9_-]+$/;
const AUDIENCE = 'evently';

export interface AccessClaims {
  accountId: string;
  sessionId: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

const signInPool = promisify(sign) as (algorithm: string, data: Buffer, key: object) => Promise<Buffer>;
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

@Injectable()
export class AccessTokens {
  private readonly remembered = new LRUCache<string, AccessClaims>({ max: REMEMBERED_MAX });
  /** The ring that vouches for what is remembered: another ring, another memory, so that a key taken out ends its tokens. */
  private ring: KeyRing;

  constructor(
    private readonly keys: AuthKeys,
    private readonly clock: Clock,
    private readonly config: PlatformConfig,
  ) {
    this.ring = keys.jwt.now;
  }

  /** A new token of a session. Signed by the thread pool: about a millisecond that the event loop does not wait. */
  async issue(accountId: string, sessionId: string): Promise<string> {
    const { kid, privateKey } = this.keys.jwt.now.current;
    const iat = Math.floor(this.clock.now().getTime() / 1000);
    const claims = {
      iss: this.config.publicUrl,
      aud: AUDIENCE,
      sub: accountId,
      sid: sessionId,
      iat,
      exp: iat + ACCESS_TOKEN_SECONDS,
    };
    const data = `${encode({ alg: 'RS256', typ: 'at+jwt', kid })}.${encode(claims)}`;
    return `${data}.${(await signInPool('RSA-SHA256', Buffer.from(data), privateKey)).toString('base64url')}`;
  }

  /** What a token says; null for one that is malformed, tampered with, expired, of an unknown key or of any other algorithm. Never throws. */
  read(token: string): AccessClaims | null {
    const ring = this.keys.jwt.now;
    if (ring !== this.ring) {
      this.remembered.clear();
      this.ring = ring;
    }
    const now = this.clock.now().getTime();
    const known = this.remembered.get(token);
    if (known) {
      if (known.expiresAt > now) return known;
      this.remembered.delete(token);
      return null;
    }
    const claims = this.verified(token);
    if (!claims || claims.expiresAt <= now) return null;
    this.remembered.set(token, claims);
    return claims;
  }

  private verified(token: string): AccessClaims | null {
    if (token.length > CHARS_MAX) return null;
    const segments = token.split('.');
    if (segments.length !== 3 || !segments.every((s) => SEGMENT.test(s))) return null;
    const [header, payload, signature] = segments;
    const { alg, typ, kid, ...rest } = objectIn(header) ?? {};
    // The header chooses a key, never an algorithm (RFC 8725, 3.1); a member we do not know would ask for a meaning we do not give it.
    if (alg !== 'RS256' || typ !== 'at+jwt' || typeof kid !== 'string' || Object.keys(rest).length > 0) return null;
    const key = this.keys.jwt.find(kid);
    if (!key) return null;
    const data = Buffer.from(`${header}.${payload}`, 'latin1');
    if (!verify('RSA-SHA256', data, key.publicKey, Buffer.from(signature, 'base64url'))) return null;
    const { iss, aud, sub, sid, exp } = objectIn(payload) ?? {};
    if (iss !== this.config.publicUrl || aud !== AUDIENCE || !isId(sub) || !isId(sid) || !Number.isSafeInteger(exp)) return null;
    return { accountId: sub, sessionId: sid, expiresAt: (exp as number) * 1000 };
  }
}

function objectIn(segment: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
