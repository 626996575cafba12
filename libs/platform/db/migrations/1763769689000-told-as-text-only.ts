// The functions that nobody calls any more since 1763769688000.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ToldAsTextOnly1763769689000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
DROP FUNCTION platform.event_append(uuid[], text[], int[], text[], jsonb[], text[], text[]);
DROP FUNCTION platform.idempotency_keep(uuid[], bytea[], text[], bytea[], smallint[], text[], uuid[], text[]);
`);
  }

  /** The batch's functions of today call neither. */
  async down(): Promise<void> {}
}
