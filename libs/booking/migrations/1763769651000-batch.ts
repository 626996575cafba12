// The batch in SQL: many buyers decided in one call, one commit, one verdict each (docs/hot-path.md).
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, endHolds, holdBatch, lockBookings, lockPools, releaseBatch } from './batch.functions.js';

export class BookingBatch1763769651000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [lockPools, lockBookings, endHolds, holdBatch, confirmBatch, releaseBatch]) await runner.query(sql);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION booking.hold_batch, booking.confirm_batch, booking.release_batch, booking.end_bookings, booking.lock_pools, booking.seat_again, booking.lock_bookings, booking.reachable, booking.why_unlocked`,
    );
  }
}
