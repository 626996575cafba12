// Patient jobs: those that crowds want by the thousand, done beside the others so that nobody waits behind them. What is prompt has an index of its own.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PatientJobs1763769683000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE platform.job ADD COLUMN patient boolean NOT NULL DEFAULT false;
CREATE INDEX job_prompt ON platform.job (run_at) WHERE status IN ('queued', 'running') AND NOT patient;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX platform.job_prompt; ALTER TABLE platform.job DROP COLUMN patient');
  }
}
