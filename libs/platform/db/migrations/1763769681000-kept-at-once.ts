// A verdict whose key was used more than a day ago takes that key's place, in the statement that keeps it: who keeps verdicts need not make room before.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeptAtOnce1763769681000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE OR REPLACE FUNCTION platform.idempotency_keep(org uuid[], scopes bytea[], keys text[], hashes bytea[], statuses smallint[], codes text[], subjects uuid[], requests text[])
RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  at timestamptz := platform.now();
  kept int;
BEGIN
  INSERT INTO platform.idempotency AS i (org_id, scope, key, body_hash, status, code, subject_id, request_id, created_at)
  SELECT e.*, at FROM unnest(org, scopes, keys, hashes, statuses, codes, subjects, requests) e
  ON CONFLICT (org_id, scope, key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, reply = NULL, headers = NULL,
    code = excluded.code, subject_id = excluded.subject_id, request_id = excluded.request_id, created_at = excluded.created_at
  WHERE i.created_at <= at - interval '24 hours';
  GET DIAGNOSTICS kept = ROW_COUNT;
  RETURN kept;
END $$;
`);
  }

  /** The function before it kept the same verdicts under new keys. */
  async down(): Promise<void> {}
}
