// Consumers: hear domain events at least once, take effect once, in order per stream.
//
// A consumer's place is a Postgres snapshot, not a number: numbers are taken before commit, so a slow transaction may commit
// a lower number later. "What became visible since snapshot `done`, up to snapshot `target`" loses nothing and waits for nobody;
// and since version 2 of a stream can only be written after version 1 was visible, order within a stream holds by seq.
import { Injectable } from '@nestjs/common';
import type { DomainEventData, DomainEventType, RecordedEvent } from '../../kernel/domain-event.js';
import { runAs } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { EventTrouble } from './event.trouble.js';

export interface Consumer {
  name: string;
  type: DomainEventType<never>;
  handle(event: RecordedEvent<never>): Promise<void>;
}

interface Place {
  done: string;
  target: string | null;
  target_org: string | null;
  target_seq: number | null;
  now_snapshot: string;
  stale: boolean;
  /** It has events set aside, behind which later ones of their streams must wait. */
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

/** Domain events taken in one transaction. They all belong to one organization. */
const BATCH = 200;

@Injectable()
export class EventConsumers {
  constructor(
    private readonly db: Database,
    private readonly trouble: EventTrouble,
  ) {}

  /** Throws on a database that came as a dump and was not carried over: its consumers would be deaf, and later hear everything again. */
  async refuseForeignPlaces(): Promise<void> {
    const [{ foreign }] = await this.db.query<{ foreign: boolean }>(FOREIGN_PLACES);
    if (foreign) throw new Error('This database was loaded from a dump. Run `npm run restored` once, then start again.');
  }

  /** Makes sure a consumer has a place. A new one starts at the beginning of the store. */
  async enrol(name: string): Promise<void> {
    await this.db.execute(`INSERT INTO platform.consumer (name, done) VALUES ($1, '1:1:') ON CONFLICT DO NOTHING`, [name]);
  }

  /** Takes what is waiting for one consumer, batch by batch; returns how many. Skips at once when another process is at it. */
  async advance(consumer: Consumer): Promise<number> {
    let taken = 0;
    let singly = 0; // After a batch failed its events are taken one by one, so that only the bad one is set aside.
    for (;;) {
      try {
        const n = await this.step(consumer, singly > 0 ? 1 : BATCH);
        if (n === null) return taken;
        taken += n;
        if (singly > 0) singly -= 1;
      } catch (error) {
        if (singly > 0) taken += await this.setAside(consumer, error);
        else singly = BATCH;
      }
    }
  }

  /** One batch, its effects and the new place in one transaction. Null when there is nothing more. */
  private step(consumer: Consumer, limit: number): Promise<number | null> {
    return this.db.transaction(async () => {
      const place = await this.lock(consumer.name);
      if (!place) return null;
      const target = place.target ?? place.now_snapshot;
      const rows = await this.read(consumer, place, target, limit);
      if (rows.length === 0) return this.closeWindow(consumer.name, place, target);
      for (const row of rows) await this.take(consumer, row, place.troubled);
      await this.moveTo(consumer.name, target, rows[rows.length - 1]);
      return rows.length;
    });
  }

  private async moveTo(name: string, target: string, row: EventRow): Promise<void> {
    await this.db.execute(
      `UPDATE platform.consumer SET target = $2, target_org = $3, target_seq = $4, moved_at = platform.now() WHERE name = $1`,
      [name, target, row.org_id, row.seq],
    );
  }

  private async lock(name: string): Promise<Place | undefined> {
    const [place] = await this.db.prepared<Place>(
      'consumer-lock',
      `SELECT done::text, target::text, target_org, target_seq, pg_current_snapshot()::text AS now_snapshot,
              moved_at < platform.now() - interval '5 seconds' AS stale,
              EXISTS (SELECT 1 FROM platform.dead_letter d WHERE d.consumer = c.name) AS troubled
       FROM platform.consumer c WHERE name = $1 FOR UPDATE OF c SKIP LOCKED`,
      [name],
    );
    return place;
  }

  /** The next rows of the window, sorted by organization and seq, of one organization only. */
  private async read(consumer: Consumer, place: Place, target: string, limit: number): Promise<EventRow[]> {
    const rows = await this.db.prepared<EventRow>(
      'consumer-read',
      `SELECT org_id, stream, stream_version, type, shape, data, actor, request_id, trace_id, occurred_at, recorded_at, seq
       FROM platform.event
       WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND xid < pg_snapshot_xmax($2::pg_snapshot)
         AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot) AND pg_visible_in_snapshot(xid, $2::pg_snapshot)
         AND type = $3 AND ($4::uuid IS NULL OR (org_id, seq) > ($4::uuid, $5::bigint))
       ORDER BY org_id, seq LIMIT $6`,
      [place.done, target, consumer.type.type, place.target_org, place.target_seq, limit],
    );
    const end = rows.findIndex((r) => r.org_id !== rows[0].org_id);
    return end === -1 ? rows : rows.slice(0, end);
  }

  /** The window is empty: the place moves to its end. An idle consumer writes that only now and then. */
  private async closeWindow(name: string, place: Place, target: string): Promise<number | null> {
    const wasOpen = place.target !== null;
    if (wasOpen || place.stale) {
      await this.db.execute(
        `UPDATE platform.consumer SET done = $2, target = NULL, target_org = NULL, target_seq = NULL, moved_at = platform.now() WHERE name = $1`,
        [name, target],
      );
    }
    return wasOpen ? 0 : null;
  }

  private async take(consumer: Consumer, row: EventRow, troubled: boolean): Promise<void> {
    const event = toEvent(row);
    if (troubled && (await this.trouble.waitsBehindFailed(consumer.name, event))) return;
    await this.hand(consumer, event).catch((error: unknown) => {
      throw new NotTaken(event, error);
    });
  }

  private hand(consumer: Consumer, event: RecordedEvent): Promise<void> {
    const { requestId, traceId } = event;
    return runAs({ requestId, traceId: traceId ?? undefined, principal: { kind: 'system', name: consumer.name } }, () =>
      consumer.handle(event as never),
    );
  }

  /** The event that was taken alone and failed is set aside, and the place moves past it. Throws what was no event's fault. */
  private setAside(consumer: Consumer, failure: unknown): Promise<number> {
    if (!(failure instanceof NotTaken)) throw failure;
    return this.db.transaction(async () => {
      const place = await this.lock(consumer.name);
      if (!place) return 0;
      const target = place.target ?? place.now_snapshot;
      const [row] = await this.read(consumer, place, target, 1);
      if (row?.org_id !== failure.event.orgId || String(row.seq) !== failure.event.seq) return 0; // Another process took it.
      await this.trouble.setAside(consumer.name, failure.event, failure.cause);
      await this.moveTo(consumer.name, target, row);
      return 1;
    });
  }

  /** Tries what was set aside and is due again. */
  async retry(consumers: readonly Consumer[]): Promise<void> {
    const due = await this.trouble.dueConsumers();
    for (const consumer of consumers) if (due.has(consumer.name)) await this.retryOf(consumer);
  }

  private async retryOf(consumer: Consumer): Promise<void> {
    for (const event of await this.trouble.due(consumer.name)) {
      try {
        await this.db.transaction(async () => {
          if (!(await this.trouble.claim(consumer.name, event))) return;
          await this.hand(consumer, event);
          await this.trouble.settle(consumer.name, event);
        });
      } catch (error) {
        await this.trouble.failedAgain(consumer.name, event, error);
      }
    }
  }
}

/** Says which event a handler failed on, since a batch holds many. */
class NotTaken extends Error {
  constructor(
    readonly event: RecordedEvent,
    cause: unknown,
  ) {
    super(`${event.type} of ${event.stream} was not taken`, { cause });
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
