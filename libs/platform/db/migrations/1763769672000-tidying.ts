// Tidying: indexes for what the worker asks all the time: which jobs are old enough to go, which domain events were set aside.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Tidying1763769672000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE INDEX job_done ON platform.job (finished_at) WHERE status = 'done';
CREATE INDEX dead_letter_of ON platform.dead_letter (consumer, org_id, stream, stream_version);
CREATE INDEX dead_letter_due ON platform.dead_letter (next_try_at) WHERE next_try_at IS NOT NULL;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX platform.job_done, platform.dead_letter_of, platform.dead_letter_due');
  }
}
