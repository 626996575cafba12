// Housekeeping: platform's rows that nobody needs any more. A little at a time, SKIP LOCKED, so that no booking waits for it.
import { Injectable } from '@nestjs/common';
import { Database } from '../db/database.js';
import { Every } from './processor.decorators.js';

const PAGE = 5000;

@Injectable()
export class Housekeeping {
  constructor(private readonly db: Database) {}

  /** Idempotency verdicts are kept 24 hours (CONTRACT 1). */
  @Every(60_000) async trimVerdicts(): Promise<void> {
    await this.trim('idempotency', `created_at <= platform.now() - interval '24 hours'`);
  }

  /** Jobs that were done a week ago; failed ones stay for operators. */
  @Every(600_000) async trimJobs(): Promise<void> {
    await this.trim('job', `status = 'done' AND finished_at <= platform.now() - interval '7 days'`);
  }

  private async trim(table: 'idempotency' | 'job', old: string): Promise<void> {
    const sql = `DELETE FROM platform.${table} WHERE ctid IN (SELECT ctid FROM platform.${table} WHERE ${old} LIMIT ${PAGE} FOR UPDATE SKIP LOCKED)`;
    while ((await this.db.execute(sql)) === PAGE);
  }
}
