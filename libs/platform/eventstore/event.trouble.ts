// Trouble: domain events a consumer could not take. They wait aside, in order within their stream, and are tried again with back-off.
import { Injectable } from '@nestjs/common';
import type { DomainEventData, RecordedEvent } from '../../kernel/domain-event.js';
import { Database } from '../db/database.js';

/** After so many tries an event stays in platform.dead_letter until an operator replays it. */
const MAX_ATTEMPTS = 12;

@Injectable()
export class EventTrouble {
  constructor(private readonly db: Database) {}

  /** Sets an event aside; each further failure doubles its wait, from 1 second to 10 minutes. */
  async setAside(consumer: string, event: RecordedEvent, error: unknown): Promise<void> {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    await this.db.execute(
      `INSERT INTO platform.dead_letter AS d (org_id, consumer, stream, stream_version, attempts, error, next_try_at)
       VALUES ($1, $2, $3, $4, 1, $5, platform.now() + interval '1 second')
       ON CONFLICT (org_id, consumer, stream, stream_version) DO UPDATE SET attempts = d.attempts + 1, error = excluded.error,
         failed_at = platform.now(),
         next_try_at = CASE WHEN d.attempts + 1 < ${MAX_ATTEMPTS} THEN platform.now() + least(interval '1 second' * power(2, d.attempts), interval '10 minutes') END`,
      [event.orgId, consumer, event.stream, event.streamVersion, text.slice(0, 2000)],
    );
  }

  /** True (and the event set aside too) when an earlier event of its stream still waits: order within the stream comes first. */
  async waitsBehindFailed(consumer: string, event: RecordedEvent): Promise<boolean> {
    const set = await this.db.prepared(
      'event-behind-failed',
      `INSERT INTO platform.dead_letter (org_id, consumer, stream, stream_version, attempts, error, next_try_at)
       SELECT $1, $2, $3, $4, 0, 'waits behind an earlier event of its stream', platform.now()
       WHERE EXISTS (SELECT 1 FROM platform.dead_letter WHERE org_id = $1 AND consumer = $2 AND stream = $3 AND stream_version < $4)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [event.orgId, consumer, event.stream, event.streamVersion],
    );
    return set.length > 0;
  }

  /** The first waiting event of each stream whose time has come. */
  async due(consumer: string): Promise<RecordedEvent[]> {
    const rows = await this.db.query<RecordedEvent & { data: DomainEventData }>(
      `SELECT DISTINCT ON (d.org_id, d.stream) e.org_id AS "orgId", e.stream, e.stream_version AS "streamVersion", e.type, e.shape, e.data,
              e.actor, e.request_id AS "requestId", e.occurred_at AS "occurredAt", e.recorded_at AS "recordedAt", e.seq::text AS seq, d.next_try_at AS at
       FROM platform.dead_letter d JOIN platform.event e USING (org_id, stream, stream_version)
       WHERE d.consumer = $1 ORDER BY d.org_id, d.stream, d.stream_version LIMIT 100`,
      [consumer],
    );
    const [{ now }] = rows.length ? await this.db.query<{ now: Date }>('SELECT platform.now() AS now') : [{ now: null }];
    return rows.filter((r) => now && (r as never as { at: Date | null }).at !== null && (r as never as { at: Date }).at <= now);
  }

  async claim(consumer: string, event: RecordedEvent): Promise<boolean> {
    const rows = await this.db.query(
      `SELECT 1 FROM platform.dead_letter WHERE org_id = $1 AND consumer = $2 AND stream = $3 AND stream_version = $4 FOR UPDATE SKIP LOCKED`,
      [event.orgId, consumer, event.stream, event.streamVersion],
    );
    return rows.length > 0;
  }

  async settle(consumer: string, event: RecordedEvent): Promise<void> {
    await this.db.execute(
      `DELETE FROM platform.dead_letter WHERE org_id = $1 AND consumer = $2 AND stream = $3 AND stream_version = $4`,
      [event.orgId, consumer, event.stream, event.streamVersion],
    );
  }
}
