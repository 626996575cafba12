// Sessions: logging in, one family of refresh tokens for each, ending them.
import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { isId, newGlobalId, NO_ORG } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Seal } from '../platform/config/seal.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { AccessTokens, ACCESS_TOKEN_SECONDS } from './access-token.service.js';
import { SessionEnded, SessionStarted } from './auth.domain-events.js';
import { PrincipalService } from './principal.service.js';
import { Session, type SessionEnd } from './session.entity.js';
import { SessionRepository, type RefreshMark } from './session.repository.js';
import type { SessionView, TokenReply } from './session.dto.js';

/** A session that is not refreshed for so long has ended. */
const REFRESH_SECONDS = 30 * 24 * 3600;
const PURPOSE = 'refresh-token';
const TOKEN = /^evr_([A-Za-z0-9_-]{75})\.([A-Za-z0-9_-]{43})$/;

/** Where a session lives, for its owner to know it by. */
export interface Device {
  ip: string;
  userAgent: string | null;
}

@Injectable()
export class SessionService {
  constructor(
    private readonly db: Database,
    private readonly sessions: SessionRepository,
    private readonly events: EventStore,
    private readonly tokens: AccessTokens,
    private readonly principals: PrincipalService,
    private readonly seal: Seal,
    private readonly clock: Clock,
  ) {}

  /** Begins a session for somebody who has just proven who they are. */
  async start(accountId: string, device: Device): Promise<TokenReply> {
    const session = new Session();
    Object.assign(session, { accountId, id: newGlobalId(), createdAt: this.clock.now(), ...device });
    const refreshToken = this.newRefreshToken(accountId, session.id);
    await this.db.transaction(async () => {
      await this.sessions.add(session, hashOf(refreshToken), REFRESH_SECONDS);
      await this.events.announce(SessionStarted({ orgId: NO_ORG, accountId, sessionId: session.id }), session);
    });
    return this.reply(accountId, session.id, refreshToken);
  }

  /**
   * Takes a refresh token for a new pair. Each counts once: one that was used before, even a moment ago by a request beside this one,
   * is in two hands, so its whole family ends. Anything wrong is `unauthenticated`.
   */
  async refresh(token: string): Promise<TokenReply> {
    const shown = this.markOf(token);
    if (!shown) throw edgeErrors.unauthenticated({}, 'This is no refresh token of ours.');
    const next = this.newRefreshToken(shown.accountId, shown.sessionId);
    await this.db.transaction(async () => {
      if (await this.sessions.turn(shown, hashOf(next), REFRESH_SECONDS)) return;
      if (await this.sessions.wasUsed(shown)) this.db.afterRollback(() => this.close(shown.accountId, shown.sessionId, 'reuse'));
      throw edgeErrors.unauthenticated({}, 'This refresh token does not count any more. Log in again.');
    });
    return this.reply(shown.accountId, shown.sessionId, next);
  }

  /** The session a refresh token belongs to, whether it still counts or not; null when it is none of ours. */
  sessionOf(token: string): { accountId: string; sessionId: string } | null {
    return this.markOf(token);
  }

  /** Ends a session; `not_found` when the account has none such, or it ended before. */
  async end(accountId: string, sessionId: string, reason: SessionEnd): Promise<void> {
    if (!(await this.close(accountId, sessionId, reason))) throw edgeErrors.notFound();
  }

  /** The session's own wish to end; no error where it has ended before. */
  async leave(accountId: string, sessionId: string): Promise<void> {
    await this.close(accountId, sessionId, 'logout');
  }

  /** Ends every session of an account, but the one named; in the ambient transaction. */
  async endAll(accountId: string, reason: SessionEnd, except?: string): Promise<void> {
    for (const id of await this.sessions.liveIds(accountId)) if (id !== except) await this.close(accountId, id, reason);
  }

  /** False when it has ended before, or never was. */
  private close(accountId: string, sessionId: string, reason: SessionEnd): Promise<boolean> {
    return this.db.transaction(async () => {
      const session = await this.sessions.findForUpdate(accountId, sessionId);
      if (!session || session.endedAt) return false;
      session.end(reason, this.clock.now());
      await this.sessions.save(session);
      await this.events.announce(SessionEnded({ orgId: NO_ORG, accountId, sessionId }), session);
      this.db.afterCommit(() => this.principals.forgetAccount(accountId));
      return true;
    });
  }

  /** Live sessions, newest first. */
  async list(accountId: string, currentId: string, { limit, cursor }: PageRequest): Promise<Page<SessionView>> {
    const after = decodeCursor(cursor, 1)?.[0] ?? null;
    const rows = await this.sessions.live(accountId, isId(after) ? after : null, limit + 1);
    return pageOf(
      rows,
      limit,
      (r) => [r.id],
      (r) => ({
        id: r.id,
        current: r.id === currentId,
        userAgent: r.user_agent,
        ip: r.ip,
        startedAt: r.created_at,
        lastSeenAt: r.refreshed_at,
      }),
    );
  }

  private async reply(accountId: string, sessionId: string, refreshToken: string): Promise<TokenReply> {
    return { accessToken: await this.tokens.issue(accountId, sessionId), refreshToken, expiresIn: ACCESS_TOKEN_SECONDS };
  }

  /**
   * `evr_{account, session, 24 random bytes}.{seal}`. The seal shows that a token was once ours, so that an old one is told from
   * an invented one without keeping the old ones; whether it counts, the one stored hash says.
   */
  private newRefreshToken(accountId: string, sessionId: string): string {
    const body = Buffer.concat([bytesOf(accountId), bytesOf(sessionId), randomBytes(24)]).toString('base64url');
    return `evr_${body}.${this.seal.make(PURPOSE, body)}`;
  }

  private markOf(token: string): RefreshMark | null {
    const [, body, seal] = TOKEN.exec(token) ?? [];
    if (!body || !this.seal.holds(PURPOSE, body, seal)) return null;
    const bytes = Buffer.from(body, 'base64url');
    return { accountId: idOf(bytes.subarray(0, 16)), sessionId: idOf(bytes.subarray(16, 32)), hash: hashOf(token) };
  }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest();
const bytesOf = (id: string) => Buffer.from(id.replaceAll('-', ''), 'hex');
const idOf = (bytes: Buffer) => bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
