// The batch in SQL, installed again: a hold's domain event is put together by grouping, in time that grows with the batch and not with its square.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { holdBatch } from './batch.functions.js';

export class BookingBatchGrouped1763769676000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(holdBatch);
  }

  /** The function before it gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
