// Places: how far each consumer has heard the store, as SQL.
//
// A place is a Postgres snapshot, not a number: numbers are taken before commit, so a slow transaction may commit a lower number later.
// "What became visible since snapshot `done`, up to snapshot `target`" loses nothing and waits for nobody; and since version 2 of a stream
// can only be written after version 1 was visible, order within a stream holds by seq.
import { Injectable } from '@nestjs/common';
import type { DomainEventData, DomainEventType, RecordedEvent } from '../../kernel/domain-event.js';
import { Database } from '../db/database.js';

/** Which domain events a consumer hears. */
export interface Hearing {
  name: string;
  type: DomainEventType<never>;
  /** SQL/JSON path that must find something in an event's data; Postgres passes the others by. */
  only?: string;
}

/** A consumer's place, locked: events are taken from the window between two snapshots, organization by organization. */
export interface Place {
  name: string;
  from: string;
  to: string;
  /** Left open by the step before. */
  open: boolean;
  atOrg: string | null;
  atSeq: number | null;
  /** It has events set aside, behind which later ones of their streams must wait. */
  troubled: boolean;
}

interface PlaceRow {
  done: string;
  target: string | null;
  target_org: string | null;
  target_seq: number | null;
  now_snapshot: string;
  life: string;
  troubled: boolean;
}

interface EventRow {
  org_id: string;
  stream: string;
  stream_version: number;
  type: string;
  shape: number;
  data: DomainEventData;
  actor: string;
  request_id: string;
  trace_id: string | null;
  occurred_at: Date;
  recorded_at: Date;
  seq: number;
}

/**
 * True where a place or a domain event has a number that this Postgres has not given out: a dump of another one was loaded. Numbers are
 * indexed behind their type, so one type after another is asked.
 */
export const FOREIGN_PLACES = `WITH RECURSIVE types(type) AS (
    SELECT min(type) FROM platform.event
    UNION ALL SELECT (SELECT min(e.type) FROM platform.event e WHERE e.type > t.type) FROM types t WHERE t.type IS NOT NULL)
  SELECT EXISTS (SELECT 1 FROM types t, LATERAL (
    SELECT 1 FROM platform.event e WHERE e.type = t.type AND e.xid >= pg_snapshot_xmax(pg_current_snapshot()) LIMIT 1) ahead) OR
  EXISTS (SELECT 1 FROM platform.consumer
    WHERE greatest(pg_snapshot_xmax(done), pg_snapshot_xmax(target)) > pg_snapshot_xmax(pg_current_snapshot())) AS foreign`;

/** Both bounds of xid are there for the planner: with one of them it takes a third of the store to be new, and reads all of it. */
const between = (from: string, to: string) => `xid >= pg_snapshot_xmin(${from}) AND xid < pg_snapshot_xmax(${to})
         AND NOT pg_visible_in_snapshot(xid, ${from}) AND pg_visible_in_snapshot(xid, ${to})`;

/** Whether a row of platform.event is for who hears this type, and of it only what this path (null for all) finds something in: two parameters. */
export const isFor = (type: string, only: string): string =>
  `event.type = ${type} AND (${only}::jsonpath IS NULL OR event.data @? ${only}::jsonpath)`;

/** Holds as long as the place is where it was, in the same life of Postgres. */
interface Passed {
  done: string;
  life: string;
  to: string;
}

/**
 * Changes when Postgres crashes. It may then give out once more the numbers of transactions that came to nothing just before and that it had not
 * written down, so that what a snapshot in our memory calls long over is yet to come. A place in the table was flushed after them.
 */
const LIFE = 'pg_stat_get_bgwriter_stat_reset_time()::text';

@Injectable()
export class EventPlaces {
  /**
   * By consumer: up to where this process has found nothing for it. Found out without a lock and kept without a commit: who passes by all he
   * hears of would otherwise either write his place ten times a second or look through the same again.
   */
  private readonly passed = new Map<string, Passed>();

  constructor(private readonly db: Database) {}

  /** True on a database that came as a dump and was not carried over. */
  async foreign(): Promise<boolean> {
    const [{ foreign }] = await this.db.query<{ foreign: boolean }>(FOREIGN_PLACES);
    return foreign;
  }

  /** Makes sure a consumer has a place. A new one starts at the beginning of the store. */
  async enrol(name: string): Promise<void> {
    await this.db.execute(`INSERT INTO platform.consumer (name, done) VALUES ($1, '1:1:') ON CONFLICT DO NOTHING`, [name]);
  }

  /** True when there is something to take, or a place that has not been written for five seconds. Locks and writes nothing. */
  async hasNews({ name, type, only }: Hearing): Promise<boolean> {
    const passed = this.passed.get(name);
    const [seen] = await this.db.prepared<Passed & { news: boolean }>(
      'consumer-look',
      `SELECT c.done::text, ${LIFE} AS life, pg_current_snapshot()::text AS to,
         c.target IS NOT NULL OR c.moved_at < platform.now() - interval '5 seconds' OR EXISTS (
           SELECT 1 FROM platform.event WHERE ${between('p.since', 'pg_current_snapshot()')}
             AND ${isFor('$2', '$3')}) AS news
       FROM platform.consumer c, LATERAL (SELECT CASE WHEN c.done::text = $4 AND ${LIFE} = $5 THEN $6::pg_snapshot ELSE c.done END AS since) p
       WHERE c.name = $1`,
      [name, type.type, only ?? null, passed?.done ?? null, passed?.life ?? null, passed?.to ?? null],
    );
    if (!seen) return false;
    if (!seen.news) this.passed.set(name, { done: seen.done, life: seen.life, to: seen.to });
    return seen.news;
  }

  /** Locks a place until the transaction ends; undefined while another process has it. */
  async lock(name: string): Promise<Place | undefined> {
    const [row] = await this.db.prepared<PlaceRow>(
      'consumer-lock',
      `SELECT done::text, target::text, target_org, target_seq, pg_current_snapshot()::text AS now_snapshot, ${LIFE} AS life,
              EXISTS (SELECT 1 FROM platform.dead_letter d WHERE d.consumer = c.name) AS troubled
       FROM platform.consumer c WHERE name = $1 FOR UPDATE OF c SKIP LOCKED`,
      [name],
    );
    if (!row) return undefined;
    const { done, target, target_org: atOrg, target_seq: atSeq, now_snapshot: now, life, troubled } = row;
    const passed = this.passed.get(name);
    const from = target === null && passed?.done === done && passed.life === life ? passed.to : done;
    return { name, from, to: target ?? now, open: target !== null, atOrg, atSeq, troubled };
  }

  /** The next events of the window, by organization and seq, of one organization only; `last` when there are no more. */
  async read({ type, only }: Hearing, place: Place, limit: number): Promise<{ events: RecordedEvent[]; last: boolean }> {
    const rows = await this.db.prepared<EventRow>(
      'consumer-read',
      `SELECT org_id, stream, stream_version, type, shape, data, actor, request_id, trace_id, occurred_at, recorded_at, seq
       FROM platform.event
       WHERE ${between('$1::pg_snapshot', '$2::pg_snapshot')}
         AND ${isFor('$3', '$7')} AND ($4::uuid IS NULL OR (org_id, seq) > ($4::uuid, $5::bigint))
       ORDER BY org_id, seq LIMIT $6`,
      [place.from, place.to, type.type, place.atOrg, place.atSeq, limit, only ?? null],
    );
    const other = rows.findIndex((r) => r.org_id !== rows[0].org_id);
    const own = other === -1 ? rows : rows.slice(0, other);
    return { events: own.map(toEvent), last: other === -1 && rows.length < limit };
  }

  /** Moves past an event, in the transaction of its effect; past the whole window where it was the last one. */
  async moveTo({ name, to }: Place, { orgId, seq }: RecordedEvent, last: boolean): Promise<void> {
    if (last) return this.close(name, to);
    await this.db.prepared(
      'consumer-move',
      `UPDATE platform.consumer SET target = $2, target_org = $3, target_seq = $4, moved_at = platform.now() WHERE name = $1`,
      [name, to, orgId, seq],
    );
  }

  /** Moves to the end of the window. */
  async close(name: string, to: string): Promise<void> {
    await this.db.prepared(
      'consumer-close',
      `UPDATE platform.consumer SET done = $2, target = NULL, target_org = NULL, target_seq = NULL, moved_at = platform.now() WHERE name = $1`,
      [name, to],
    );
  }
}

function toEvent(row: EventRow): RecordedEvent {
  return {
    type: row.type,
    shape: row.shape,
    stream: row.stream,
    data: row.data,
    orgId: row.org_id,
    seq: String(row.seq),
    streamVersion: row.stream_version,
    actor: row.actor,
    requestId: row.request_id,
    traceId: row.trace_id,
    occurredAt: row.occurred_at,
    recordedAt: row.recorded_at,
  };
}
