// SQL of notifications.outbox_mail: mails that no server took because none is set.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { gather } from '../platform/gather/gather.js';
import type { Mail } from './mailer.client.js';

/** They hold working links, so they do not stay. */
const KEPT_DAYS = 7;

@Injectable()
export class OutboxRepository {
  /** Writes a mail, with others of the same turn; a second try of the same message replaces it. Not for use in a transaction. */
  readonly put = gather(100, (mails: readonly Mail[]) => this.putAll(mails), { apart: true });

  constructor(private readonly db: Database) {}

  private async putAll(mails: readonly Mail[]): Promise<void[]> {
    await this.db.prepared(
      'outbox-put',
      `INSERT INTO notifications.outbox_mail (org_id, message_id, recipient, subject, body_text, body_html, attachments)
       SELECT org, message, recipient, subject, body_text, body_html, ARRAY(SELECT jsonb_array_elements_text(files))
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
         AS m (org, message, recipient, subject, body_text, body_html, files)
       ON CONFLICT (org_id, message_id) DO UPDATE SET recipient = excluded.recipient, subject = excluded.subject,
         body_text = excluded.body_text, body_html = excluded.body_html, attachments = excluded.attachments`,
      [
        mails.map((m) => m.orgId),
        mails.map((m) => m.messageId),
        mails.map((m) => m.to.address),
        mails.map((m) => m.subject),
        mails.map((m) => m.text),
        mails.map((m) => m.html),
        mails.map((m) => JSON.stringify(m.attachments.map((a) => a.filename))),
      ],
    );
    return mails.map(() => undefined);
  }

  /** Removes old mails; returns how many. */
  trim(): Promise<number> {
    return this.db.execute(`DELETE FROM notifications.outbox_mail WHERE created_at < platform.now() - $1 * interval '1 day'`, [
      KEPT_DAYS,
    ]);
  }
}
