// Notifications' tables: every message to somebody and how its sending stands; and the mails themselves where no mail server is set.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Notifications1763769660000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS notifications;

-- One message to one recipient, by one channel, about one domain event (cause is its stream and version): heard again, it stays one.
-- about holds ids, amounts and reasons; whom it reaches and in which language is looked up when it is sent, and written down then.
CREATE TABLE notifications.message (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL,
  channel text NOT NULL,
  cause text NOT NULL,
  recipient_key text NOT NULL,
  about jsonb NOT NULL,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'sent', 'delivered', 'bounced', 'failed')),
  reason text,
  locale text,
  recipient text,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  settled_at timestamptz,
  PRIMARY KEY (org_id, id),
  UNIQUE (org_id, cause, kind, channel, recipient_key),
  CHECK ((status = 'queued') = (settled_at IS NULL))
);

-- Mails that went nowhere else because SMTP_URL is not set. They hold names and working links: kept a week, read by npm run mails.
CREATE TABLE notifications.outbox_mail (
  org_id uuid NOT NULL,
  message_id uuid NOT NULL,
  recipient text NOT NULL,
  subject text NOT NULL,
  body_text text NOT NULL,
  body_html text NOT NULL,
  attachments text[] NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, message_id),
  FOREIGN KEY (org_id, message_id) REFERENCES notifications.message (org_id, id)
);
CREATE INDEX outbox_mail_age ON notifications.outbox_mail (created_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA notifications CASCADE');
  }
}
