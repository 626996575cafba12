// SQL of notifications.message.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { gather } from '../platform/gather/gather.js';
import type { About, Kind } from './notification.rules.js';

export type MessageStatus = 'queued' | 'sent' | 'delivered' | 'bounced' | 'failed';

export interface MessageKey {
  orgId: string;
  id: string;
}

export interface NewMessage extends MessageKey {
  kind: Kind;
  channel: string;
  cause: string;
  recipientKey: string;
  about: About;
}

export interface Message extends MessageKey {
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

/** Mails are sent side by side: what they ask for in one turn of the event loop is one statement. */
const AT_ONCE = 100;

@Injectable()
export class MessageRepository {
  /** Null for one that is not there. Not for use in a transaction. */
  readonly find = gather(AT_ONCE, (keys: readonly MessageKey[]) => this.findAll(keys));
  /** Writes how sending ended; what has ended already stays as it is. Not for use in a transaction. */
  readonly settle = gather(AT_ONCE, (ended: readonly (MessageKey & Outcome)[]) => this.settleAll(ended), { apart: true });

  constructor(private readonly db: Database) {}

  /** Writes messages that their domain events have not made yet; ids of those that are new. */
  async add(made: readonly NewMessage[]): Promise<Set<string>> {
    const rows = await this.db.prepared<{ id: string }>(
      'message-add',
      `INSERT INTO notifications.message (org_id, id, kind, channel, cause, recipient_key, about, created_at)
       SELECT m.*, (SELECT platform.now()) FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[]) AS m
       ON CONFLICT (org_id, cause, kind, channel, recipient_key) DO NOTHING RETURNING id`,
      [
        made.map((m) => m.orgId),
        made.map((m) => m.id),
        made.map((m) => m.kind),
        made.map((m) => m.channel),
        made.map((m) => m.cause),
        made.map((m) => m.recipientKey),
        made.map((m) => JSON.stringify(m.about)),
      ],
    );
    return new Set(rows.map((r) => r.id));
  }

  private async findAll(keys: readonly MessageKey[]): Promise<(Message | null)[]> {
    const rows = await this.db.prepared<Message>(
      'message-find',
      `SELECT ${columns} FROM unnest($1::uuid[], $2::uuid[]) AS asked (org, message) JOIN notifications.message ON org_id = org AND id = message`,
      [keys.map((k) => k.orgId), keys.map((k) => k.id)],
    );
    return keys.map((k) => rows.find((r) => r.id === k.id && r.orgId === k.orgId) ?? null);
  }

  private async settleAll(ended: readonly (MessageKey & Outcome)[]): Promise<void[]> {
    await this.db.prepared(
      'message-settle',
      `UPDATE notifications.message m
       SET status = e.status, reason = e.reason, locale = e.locale, recipient = e.recipient, settled_at = (SELECT platform.now())
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) AS e (org_id, id, status, reason, locale, recipient)
       WHERE m.org_id = e.org_id AND m.id = e.id AND m.status = 'queued'`,
      [
        ended.map((e) => e.orgId),
        ended.map((e) => e.id),
        ended.map((e) => e.status),
        ended.map((e) => e.reason),
        ended.map((e) => e.locale ?? null),
        ended.map((e) => e.recipient ?? null),
      ],
    );
    return ended.map(() => undefined);
  }

  /** An organization's messages, newest first, older than `before`; nothing personal is read. */
  list(orgId: string, before: string | null, limit: number): Promise<Message[]> {
    return this.db.query<Message>(
      `SELECT ${columns} FROM notifications.message WHERE org_id = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [orgId, before, limit],
    );
  }
}
