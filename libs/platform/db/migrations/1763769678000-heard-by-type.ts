// Heard by type: each consumer reads the new domain events of its own type, and none of all the others.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HeardByType1763769678000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX event_of_type ON platform.event (type, xid);
DROP INDEX platform.event_xid;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX event_xid ON platform.event (xid);
DROP INDEX platform.event_of_type;
`);
  }
}
