// Heard by type: each consumer reads the new domain events of its own type, and none of all the others. And what no plan asks for is not counted.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HeardByType1763769678000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX event_of_type ON platform.event (type, xid);
DROP INDEX platform.event_xid;
ALTER TABLE platform.event ALTER COLUMN data SET STATISTICS 0;
ALTER TABLE platform.job ALTER COLUMN data SET STATISTICS 0, ALTER COLUMN result SET STATISTICS 0;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX event_xid ON platform.event (xid);
DROP INDEX platform.event_of_type;
ALTER TABLE platform.event ALTER COLUMN data SET STATISTICS -1;
ALTER TABLE platform.job ALTER COLUMN data SET STATISTICS -1, ALTER COLUMN result SET STATISTICS -1;
`);
  }
}
