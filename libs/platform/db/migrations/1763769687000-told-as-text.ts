// Domain events and verdicts of a batch, written from the arrays it was asked with: who has nothing to tell or to keep has NULL in its place, so that nobody
// need gather those who have. Data comes as text, the time from who decides, and with it the trace of the request. The functions of the same names and fewer
// arguments are for apis of the version before, which go on while they are replaced.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ToldAsText1763769687000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
-- Writes a domain event of one type wherever there is data.
CREATE FUNCTION platform.event_append(org uuid[], streams text[], versions int[], of_type text, datas text[], actors text[], requests text[], traces text[], at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, trace_id, occurred_at, recorded_at)
  SELECT e.org, e.stream, e.version, of_type, 1, e.data::jsonb, e.actor, e.request, e.trace, at, at
  FROM unnest(org, streams, versions, datas, actors, requests, traces) e(org, stream, version, data, actor, request, trace) WHERE e.data IS NOT NULL;
END $$;

-- Keeps a verdict wherever there is a status; returns how many were new. Fewer than given: another process decided one of the keys in the meantime.
CREATE FUNCTION platform.idempotency_keep(org uuid[], scopes bytea[], keys text[], hashes bytea[], statuses smallint[], codes text[], subjects uuid[], requests text[], at timestamptz)
RETURNS int LANGUAGE plpgsql AS $$
DECLARE kept int;
BEGIN
  INSERT INTO platform.idempotency AS i (org_id, scope, key, body_hash, status, code, subject_id, request_id, created_at)
  SELECT e.*, at FROM unnest(org, scopes, keys, hashes, statuses, codes, subjects, requests) e(org, scope, key, hash, status, code, subject, request)
  WHERE e.status IS NOT NULL
  ON CONFLICT (org_id, scope, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, reply = NULL, headers = NULL,
    code = excluded.code, subject_id = excluded.subject_id, request_id = excluded.request_id, created_at = excluded.created_at
  WHERE i.created_at <= at - interval '24 hours';
  GET DIAGNOSTICS kept = ROW_COUNT;
  RETURN kept;
END $$;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
DROP FUNCTION platform.event_append(uuid[], text[], int[], text, text[], text[], text[], text[], timestamptz);
DROP FUNCTION platform.idempotency_keep(uuid[], bytea[], text[], bytea[], smallint[], text[], uuid[], text[], timestamptz);
`);
  }
}
