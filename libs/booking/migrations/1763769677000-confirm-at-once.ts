// The batch in SQL, installed again: bookings are locked, sold and confirmed by a statement for all of them, not by five for each;
// and what a hold's domain event says of its rows is written as text.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, holdBatch, lockBookings, releaseBatch } from './batch.functions.js';

export class BookingConfirmAtOnce1763769677000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [lockBookings, holdBatch, confirmBatch, releaseBatch, 'DROP FUNCTION IF EXISTS booking.lock_booking'])
      await runner.query(sql);
  }

  /** The functions before them gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
