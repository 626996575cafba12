// A booking's tickets are found in the order in which they are read. Without it the index cost the planner of a small table as much as that of the
// organization's tickets: the plan was kept, and 22 000 tickets later each booking that was read or confirmed read all of them.
import type { MigrationInterface, QueryRunner } from 'typeorm';

const replace = (columns: string) =>
  `DROP INDEX booking.ticket_booking; CREATE INDEX ticket_booking ON booking.ticket (${columns})`;

export class TicketsInOrder1763769686000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(replace('org_id, booking_id, line, id'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(replace('org_id, booking_id'));
  }
}
