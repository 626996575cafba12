// The batch of holds in SQL, installed again: a third of its statements and half of its aggregates are gone, and one row comes back for all of a batch. It cost as
// much as ten holds before it read a row: one buyer alone waited for that, and small batches were made of little else.
// The function of 38 arguments is left for apis of the version before, which go on while they are replaced; those of the versions before that are gone.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { holdBatch } from './batch.functions.js';

export class BookingFewerStatements1763769691000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
DO $$
DECLARE old regprocedure;
BEGIN
  FOR old IN SELECT p.oid FROM pg_proc p JOIN (VALUES ('hold_batch', 38), ('confirm_batch', 17), ('release_batch', 13)) n(name, args) ON n.name = p.proname
    WHERE p.pronamespace = 'booking'::regnamespace AND p.pronargs < n.args
  LOOP EXECUTE 'DROP FUNCTION ' || old; END LOOP;
END $$`);
    await runner.query(holdBatch);
  }

  /** The function before it gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
