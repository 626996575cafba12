// Domain events and verdicts that are written together have one time: the clock is read once a call, not three times a row.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OneClockRead1763769675000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE OR REPLACE FUNCTION platform.event_append(org uuid[], streams text[], versions int[], types text[], datas jsonb[], actors text[], requests text[])
RETURNS int LANGUAGE sql AS $$
  WITH t AS MATERIALIZED (SELECT platform.now() AS at),
  written AS (
    INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, occurred_at, recorded_at)
    SELECT e.*, t.at, t.at FROM t,
      unnest(org, streams, versions, types, array_fill(1::smallint, ARRAY[cardinality(org)]), datas, actors, requests) e RETURNING 1)
  SELECT count(*)::int FROM written
$$;

CREATE OR REPLACE FUNCTION platform.idempotency_keep(org uuid[], scopes bytea[], keys text[], hashes bytea[], statuses smallint[], codes text[], subjects uuid[], requests text[])
RETURNS int LANGUAGE sql AS $$
  WITH t AS MATERIALIZED (SELECT platform.now() AS at),
  kept AS (
    INSERT INTO platform.idempotency (org_id, scope, key, body_hash, status, code, subject_id, request_id, created_at)
    SELECT e.*, t.at FROM t, unnest(org, scopes, keys, hashes, statuses, codes, subjects, requests) e
    ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*)::int FROM kept
$$;
`);
  }

  /** The functions before them wrote the same rows. */
  async down(): Promise<void> {}
}
