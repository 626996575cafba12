// All SQL about sessions: the rows, the one refresh token of each that counts, and what the guard asks about a session.
import { Injectable } from '@nestjs/common';
import type { Role } from '../kernel/principal.js';
import { Database } from '../platform/db/database.js';
import { Session } from './session.entity.js';

/** A refresh token's place: whose session, and the SHA-256 of the token. */
export interface RefreshMark {
  accountId: string;
  sessionId: string;
  hash: Buffer;
}

export interface SessionSeen {
  id: string;
  user_agent: string | null;
  ip: string;
  created_at: Date;
  refreshed_at: Date;
}

@Injectable()
export class SessionRepository {
  constructor(private readonly db: Database) {}

  async add(session: Session, hash: Buffer, lifeSeconds: number): Promise<void> {
    await this.db.insert(session);
    await this.db.prepared(
      'session-refresh-add',
      `INSERT INTO auth.session_refresh (account_id, session_id, hash, expires_at) VALUES ($1, $2, $3, platform.now() + $4 * interval '1 second')`,
      [session.accountId, session.id, hash, lifeSeconds],
    );
  }

  save(session: Session): Promise<void> {
    return this.db.saveVersioned(session);
  }

  findForUpdate(accountId: string, id: string): Promise<Session | null> {
    return this.db.findForUpdate(Session, { accountId, id });
  }

  /** Puts the next token in the place of the one shown, where that still counts and its session lives; false otherwise. Of two that race, one wins. */
  async turn(shown: RefreshMark, next: Buffer, lifeSeconds: number): Promise<boolean> {
    const rows = await this.db.prepared(
      'session-refresh-turn',
      `UPDATE auth.session_refresh r SET hash = $4, expires_at = platform.now() + $5 * interval '1 second', refreshed_at = platform.now()
       FROM auth.session s
       WHERE r.account_id = $1 AND r.session_id = $2 AND r.hash = $3 AND r.expires_at > platform.now()
         AND s.account_id = r.account_id AND s.id = r.session_id AND s.ended_at IS NULL
       RETURNING 1`,
      [shown.accountId, shown.sessionId, shown.hash, next, lifeSeconds],
    );
    return rows.length > 0;
  }

  /** True when the token is not the one that counts although its session lives: it was used before. */
  async wasUsed(shown: RefreshMark): Promise<boolean> {
    const rows = await this.db.query(
      `SELECT 1 FROM auth.session_refresh r JOIN auth.session s ON s.account_id = r.account_id AND s.id = r.session_id
       WHERE r.account_id = $1 AND r.session_id = $2 AND r.hash <> $3 AND s.ended_at IS NULL`,
      [shown.accountId, shown.sessionId, shown.hash],
    );
    return rows.length > 0;
  }

  /** Live sessions of an account, newest first, after a cursor. */
  live(accountId: string, after: string | null, limit: number): Promise<SessionSeen[]> {
    return this.db.query<SessionSeen>(
      `SELECT s.id, s.user_agent, s.ip, s.created_at, r.refreshed_at
       FROM auth.session s JOIN auth.session_refresh r ON r.account_id = s.account_id AND r.session_id = s.id
       WHERE s.account_id = $1 AND s.ended_at IS NULL AND r.expires_at > platform.now() AND ($2::uuid IS NULL OR s.id < $2)
       ORDER BY s.id DESC LIMIT $3`,
      [accountId, after, limit],
    );
  }

  /** Ids of live sessions, for ending them. */
  async liveIds(accountId: string): Promise<string[]> {
    const rows = await this.db.query<{ id: string }>(
      `SELECT id FROM auth.session WHERE account_id = $1 AND ended_at IS NULL ORDER BY id`,
      [accountId],
    );
    return rows.map((r) => r.id);
  }

  /** Whose session it is and which roles that person has; null when the session has ended. */
  async rolesOf(accountId: string, sessionId: string): Promise<Record<string, Role> | null> {
    const [row] = await this.db.prepared<{ roles: Record<string, Role> }>(
      'session-roles',
      `SELECT coalesce((SELECT jsonb_object_agg(m.org_id, m.role) FROM auth.member m WHERE m.account_id = $1 AND m.left_at IS NULL), '{}') AS roles
       FROM auth.session s WHERE s.account_id = $1 AND s.id = $2 AND s.ended_at IS NULL`,
      [accountId, sessionId],
    );
    return row?.roles ?? null;
  }
}
