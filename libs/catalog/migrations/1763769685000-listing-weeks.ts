// Listing weeks: the words of an event with the week it starts in, so that what comes next is found without reading all that ever will. The index of words
// alone is by rows: it reads a city's ten thousand events, and all of their genre, for the next twenty.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ListingWeeks1763769685000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Weeks since 1970, as in listing.rules.ts. A word may be as long as Postgres lets it be, and so no longer with a number before it.
    await runner.query(`
CREATE FUNCTION catalog.words_of_week(words tsvector, starts_at timestamptz) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_to_tsvector(array_agg(floor(extract(epoch FROM starts_at AT TIME ZONE 'UTC') / 604800)::int::text || ':' || left(word, 500)))
  FROM unnest(tsvector_to_array(words)) AS word
$$;
CREATE INDEX listing_by_week ON catalog.listing USING gin (catalog.words_of_week(words, starts_at));
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX catalog.listing_by_week; DROP FUNCTION catalog.words_of_week');
  }
}
