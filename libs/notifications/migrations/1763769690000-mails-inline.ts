// A mail of some three kilobytes stays in its row: it was compressed and put aside, a third of what writing it took.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MailsInline1763769690000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE notifications.outbox_mail SET (toast_tuple_target = 8160)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE notifications.outbox_mail RESET (toast_tuple_target)');
  }
}
