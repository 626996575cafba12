// Webhook age: indexes by which webhooks that nobody will bring again are found, and forgotten.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WebhookAge1763769673000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX webhook_event_age ON payments.webhook_event (received_at) WHERE outcome NOT IN ('unknown', 'mismatch');
CREATE INDEX test_webhook_age ON payments.test_webhook (created_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX payments.webhook_event_age, payments.test_webhook_age');
  }
}
