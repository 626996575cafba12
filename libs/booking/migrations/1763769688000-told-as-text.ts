// The batch in SQL, installed again: what it tells and keeps is made of what it was asked with, not read back; where only stock can refuse and there is enough,
// nobody is looked at alone. Lines and tickets are written by the batch alone, beside the booking they belong to or for one that it has locked, and no
// booking is ever deleted: a foreign key asked Postgres for that booking, and locked it, once more for each of them.
// The functions of fewer arguments are left for apis of the version before, which go on while they are replaced.
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { confirmBatch, endHolds, holdBatch, releaseBatch } from './batch.functions.js';

export class BookingToldAsText1763769688000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const sql of [endHolds, holdBatch, confirmBatch, releaseBatch]) await runner.query(sql);
    await runner.query(`
ALTER TABLE booking.item DROP CONSTRAINT item_org_id_booking_id_fkey;
ALTER TABLE booking.ticket DROP CONSTRAINT ticket_org_id_booking_id_fkey;
-- Each change of a booking moves it in an index, so room kept on its page is of no use.
ALTER TABLE booking.booking SET (fillfactor = 100);
`);
  }

  /** The functions before them gave the same verdicts and the same rows. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
ALTER TABLE booking.booking SET (fillfactor = 80);
ALTER TABLE booking.item ADD FOREIGN KEY (org_id, booking_id) REFERENCES booking.booking (org_id, id);
ALTER TABLE booking.ticket ADD FOREIGN KEY (org_id, booking_id) REFERENCES booking.booking (org_id, id);
`);
  }
}
