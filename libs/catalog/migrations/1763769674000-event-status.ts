// Event status: an organizer's list of drafts or of cancelled events, in order, out of however many events there are.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class EventStatus1763769674000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX event_by_status ON catalog.event (org_id, status, starts_at, id)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX catalog.event_by_status');
  }
}
