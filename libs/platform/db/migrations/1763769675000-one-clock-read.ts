// Domain events and verdicts that are written together have one time: the clock is read once a call, not three times a row. In PL/pgSQL, whose
// plans are kept by every Postgres; those of SQL functions are made anew for each call before Postgres 18.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OneClockRead1763769675000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE OR REPLACE FUNCTION platform.event_append(org uuid[], streams text[], versions int[], types text[], datas jsonb[], actors text[], requests text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := platform.now();
  written int;
BEGIN
  INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, occurred_at, recorded_at)
  SELECT e.*, at, at FROM unnest(org, streams, versions, types, array_fill(1::smallint, ARRAY[cardinality(org)]), datas, actors, requests) e;
  GET DIAGNOSTICS written = ROW_COUNT;
  RETURN written;
END $$;

CREATE OR REPLACE FUNCTION platform.idempotency_keep(org uuid[], scopes bytea[], keys text[], hashes bytea[], statuses smallint[], codes text[], subjects uuid[], requests text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := platform.now();
  kept int;
BEGIN
  INSERT INTO platform.idempotency (org_id, scope, key, body_hash, status, code, subject_id, request_id, created_at)
  SELECT e.*, at FROM unnest(org, scopes, keys, hashes, statuses, codes, subjects, requests) e
  ON CONFLICT DO NOTHING;
  GET DIAGNOSTICS kept = ROW_COUNT;
  RETURN kept;
END $$;
`);
  }

  /** The functions before them wrote the same rows. */
  async down(): Promise<void> {}
}
