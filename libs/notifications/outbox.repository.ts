// SQL of notifications.outbox_mail: mails that no server took because none is set.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import type { Mail } from './mailer.client.js';

/** They hold working links, so they do not stay. */
const KEPT_DAYS = 7;

@Injectable()
export class OutboxRepository {
  constructor(private readonly db: Database) {}

  /** Writes a mail; a second try of the same message replaces it. */
  async put(mail: Mail): Promise<void> {
    await this.db.execute(
      `INSERT INTO notifications.outbox_mail (org_id, message_id, recipient, subject, body_text, body_html, attachments)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (org_id, message_id) DO UPDATE SET recipient = excluded.recipient, subject = excluded.subject,
         body_text = excluded.body_text, body_html = excluded.body_html, attachments = excluded.attachments`,
      [mail.orgId, mail.messageId, mail.to.address, mail.subject, mail.text, mail.html, mail.attachments.map((a) => a.filename)],
    );
  }

  /** Removes old mails; returns how many. */
  trim(): Promise<number> {
    return this.db.execute(`DELETE FROM notifications.outbox_mail WHERE created_at < platform.now() - $1 * interval '1 day'`, [
      KEPT_DAYS,
    ]);
  }
}
