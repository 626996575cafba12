// The batch in SQL, installed again: bookings are locked, sold and confirmed by a statement for all of them, not by five for each; and what
// domain events say of rows is written as text.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, endHolds, holdBatch, lockBookings, releaseBatch } from './batch.functions.js';

const REPLACED = `DROP FUNCTION IF EXISTS booking.lock_booking, booking.public_booking, booking.public_ticket`;

export class BookingConfirmAtOnce1763769677000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [lockBookings, endHolds, holdBatch, confirmBatch, releaseBatch, REPLACED]) await runner.query(sql);
  }

  /** The functions before them gave the same verdicts and the same rows. */
  async down(): Promise<void> {}
}
