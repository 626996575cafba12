// SQL of notifications.message.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import type { About, Kind } from './notification.rules.js';

export type MessageStatus = 'queued' | 'sent' | 'delivered' | 'bounced' | 'failed';

export interface NewMessage {
  orgId: string;
  id: string;
  kind: Kind;
  channel: string;
  cause: string;
  recipientKey: string;
  about: About;
}

export interface Message {
  orgId: string;
  id: string;
  kind: string;
  channel: string;
  about: About;
  status: MessageStatus;
  reason: string | null;
  createdAt: Date;
}

export interface Outcome {
  status: Exclude<MessageStatus, 'queued'>;
  reason: string | null;
  locale?: string;
  recipient?: string;
}

const columns = `org_id AS "orgId", id, kind, channel, about, status, reason, created_at AS "createdAt"`;

@Injectable()
export class MessageRepository {
  constructor(private readonly db: Database) {}

  /** Writes a message unless this domain event already made it; true when it is new. */
  async add(m: NewMessage): Promise<boolean> {
    const rows = await this.db.prepared(
      'message-add',
      `INSERT INTO notifications.message (org_id, id, kind, channel, cause, recipient_key, about) VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (org_id, cause, kind, channel, recipient_key) DO NOTHING RETURNING 1`,
      [m.orgId, m.id, m.kind, m.channel, m.cause, m.recipientKey, JSON.stringify(m.about)],
    );
    return rows.length > 0;
  }

  async find(orgId: string, id: string): Promise<Message | null> {
    const [row] = await this.db.prepared<Message>(
      'message-find',
      `SELECT ${columns} FROM notifications.message WHERE org_id = $1 AND id = $2`,
      [orgId, id],
    );
    return row ?? null;
  }

  /** Writes how sending ended; what has ended already stays as it is. */
  async settle(orgId: string, id: string, { status, reason, locale, recipient }: Outcome): Promise<void> {
    await this.db.prepared(
      'message-settle',
      `UPDATE notifications.message SET status = $3, reason = $4, locale = $5, recipient = $6, settled_at = platform.now()
       WHERE org_id = $1 AND id = $2 AND status = 'queued'`,
      [orgId, id, status, reason, locale ?? null, recipient ?? null],
    );
  }

  /** An organization's messages, newest first, older than `before`; nothing personal is read. */
  list(orgId: string, before: string | null, limit: number): Promise<Message[]> {
    return this.db.query<Message>(
      `SELECT ${columns} FROM notifications.message WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [orgId, before, limit],
    );
  }
}
