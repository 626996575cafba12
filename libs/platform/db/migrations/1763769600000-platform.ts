// Platform's tables: the clock, the event store with its consumers, jobs, and idempotency verdicts.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Platform1763769600000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS platform;

-- The one clock. Only tests write a shift; the table is empty in production.
CREATE TABLE platform.clock_shift (one boolean PRIMARY KEY DEFAULT true CHECK (one), shift interval NOT NULL);
CREATE FUNCTION platform.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT date_trunc('milliseconds', clock_timestamp() + coalesce((SELECT shift FROM platform.clock_shift), interval '0'))
$$;

-- The event store: outbox, audit source and history in one. Append only. xid says in which transaction a row was written,
-- so that a consumer can ask "what became visible since my last snapshot" although seq is taken before commit.
CREATE TABLE platform.event (
  org_id uuid NOT NULL,
  stream text NOT NULL,
  stream_version int NOT NULL CHECK (stream_version > 0),
  type text NOT NULL,
  shape smallint NOT NULL,
  data jsonb NOT NULL,
  actor text NOT NULL,
  request_id text NOT NULL,
  trace_id text,
  occurred_at timestamptz NOT NULL DEFAULT platform.now(),
  recorded_at timestamptz NOT NULL DEFAULT platform.now(),
  seq bigint GENERATED ALWAYS AS IDENTITY (CACHE 1),
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (org_id, stream, stream_version)
);
CREATE INDEX event_xid ON platform.event (xid);

-- Where a consumer is: it has taken everything visible in snapshot done; of what became visible since, up to snapshot target,
-- it has taken what sorts up to (org_id, seq).
CREATE TABLE platform.consumer (
  name text PRIMARY KEY,
  done pg_snapshot NOT NULL,
  target pg_snapshot,
  target_org uuid,
  target_seq bigint,
  moved_at timestamptz NOT NULL DEFAULT platform.now()
);

-- What a consumer could not take, however often it tried; later events of the same stream wait behind it, in order.
CREATE TABLE platform.dead_letter (
  org_id uuid NOT NULL,
  consumer text NOT NULL,
  stream text NOT NULL,
  stream_version int NOT NULL,
  attempts int NOT NULL,
  error text NOT NULL,
  next_try_at timestamptz,
  failed_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, consumer, stream, stream_version)
);

-- Jobs: written in the transaction that wants them; BullMQ is told by the relay; a worker claims the row before it works.
CREATE TABLE platform.job (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  type text NOT NULL,
  data jsonb NOT NULL,
  request_id text NOT NULL,
  trace_id text,
  status text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'running', 'done', 'failed')),
  progress real NOT NULL DEFAULT 0,
  result jsonb,
  error text,
  attempts int NOT NULL DEFAULT 0,
  run_at timestamptz NOT NULL DEFAULT platform.now(),
  handed_at timestamptz,
  lease_until timestamptz,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  finished_at timestamptz,
  PRIMARY KEY (org_id, id)
);
CREATE INDEX job_due ON platform.job (run_at) WHERE status IN ('queued', 'running');

-- One effect per key. Scope is a hash of principal, method and path; org_id is the nil UUID where no organization is concerned yet.
CREATE TABLE platform.idempotency (
  org_id uuid NOT NULL,
  scope bytea NOT NULL,
  key text NOT NULL,
  body_hash bytea NOT NULL,
  status smallint NOT NULL,
  reply bytea,
  headers jsonb,
  -- Instead of reply, written by the booking batch: the refusal it was, or the booking whose first state the reply showed.
  code text,
  subject_id uuid,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, scope, key)
);
CREATE INDEX idempotency_age ON platform.idempotency (created_at);

-- For functions of contexts that write many at once (the booking batch).
CREATE FUNCTION platform.event_append(org uuid[], streams text[], versions int[], types text[], datas jsonb[], actors text[], requests text[])
RETURNS int LANGUAGE sql AS $$
  WITH written AS (
    INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, occurred_at, recorded_at)
    SELECT e.*, t.at, t.at FROM (SELECT platform.now() AS at) t,
      unnest(org, streams, versions, types, array_fill(1::smallint, ARRAY[cardinality(org)]), datas, actors, requests) e RETURNING 1)
  SELECT count(*)::int FROM written
$$;

-- Keeps verdicts; returns how many were new. Fewer than given: another process decided one of the keys in the meantime.
CREATE FUNCTION platform.idempotency_keep(org uuid[], scopes bytea[], keys text[], hashes bytea[], statuses smallint[], codes text[], subjects uuid[], requests text[])
RETURNS int LANGUAGE sql AS $$
  WITH kept AS (
    INSERT INTO platform.idempotency (org_id, scope, key, body_hash, status, code, subject_id, request_id)
    SELECT * FROM unnest(org, scopes, keys, hashes, statuses, codes, subjects, requests)
    ON CONFLICT DO NOTHING RETURNING 1)
  SELECT count(*)::int FROM kept
$$;
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA platform CASCADE');
  }
}
