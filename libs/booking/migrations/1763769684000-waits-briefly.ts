// The batch in SQL, installed again: who waits for a row that somebody keeps gives up after a second and is asked again, so that it keeps no connection for as long.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, holdBatch, releaseBatch } from './batch.functions.js';

export class BookingWaitsBriefly1763769684000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [holdBatch, confirmBatch, releaseBatch]) await runner.query(sql);
  }

  /** The functions before them gave the same verdicts, later. */
  async down(): Promise<void> {}
}
