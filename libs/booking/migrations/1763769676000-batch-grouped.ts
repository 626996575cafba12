// The batch in SQL, installed again: a hold's domain event is put together by grouping, in time that grows with the batch and not with its
// square; and plans are made once a connection, not once a batch.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, endHolds, holdBatch, lockPools, releaseBatch } from './batch.functions.js';

export class BookingBatchGrouped1763769676000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [lockPools, endHolds, holdBatch, confirmBatch, releaseBatch]) await runner.query(sql);
  }

  /** The functions before them gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
