// The batch in SQL, installed again: the items of all holds are told by one statement, which ran once for each of them.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { holdBatch } from './batch.functions.js';

export class BookingItemsAtOnce1763769682000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [holdBatch, 'DROP FUNCTION IF EXISTS booking.items_told']) await runner.query(sql);
  }

  /** The functions before them gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
