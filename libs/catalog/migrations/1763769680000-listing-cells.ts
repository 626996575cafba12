// Listing cells: what is near, cell by cell of an eighth of a degree and in each by start, so that the first page of a city needs no sorting.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListingCells1763769680000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX listing_by_cell
      ON catalog.listing ((floor(latitude * 8)::int), (floor(longitude * 8)::int), starts_at, event_id) WHERE latitude IS NOT NULL`);
    await runner.query('DROP INDEX catalog.listing_by_place');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE INDEX listing_by_place ON catalog.listing (latitude, longitude) WHERE latitude IS NOT NULL');
    await runner.query('DROP INDEX catalog.listing_by_cell');
  }
}
