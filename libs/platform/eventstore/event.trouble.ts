// Trouble: domain events a consumer could not take. They wait aside, in order within their stream, and are tried again with back-off.
import { Injectable } from '@nestjs/common';
import type { DomainEventData, RecordedEvent } from '../../kernel/domain-event.js';
import { Database } from '../db/database.js';

/** After so many tries an event stays in platform.dead_letter until an operator replays it. */
const MAX_ATTEMPTS = 12;

@Injectable()
export class EventTrouble {
  constructor(private readonly db: Database) {}

  /** Sets an event aside after its first failure; it is tried again in a second. */
  async setAside(consumer: string, event: RecordedEvent, error: unknown): Promise<void> {
    await this.db.execute(
      `INSERT INTO platform.dead_letter (org_id, consumer, stream, stream_version, attempts, error, next_try_at)
       VALUES ($1, $2, $3, $4, 1, $5, platform.now() + interval '1 second') ON CONFLICT DO NOTHING`,
      [event.orgId, consumer, event.stream, event.streamVersion, sentence(error)],
    );
  }

  /** One more failure doubles the wait, from a second to ten minutes. Nothing where the event was settled in the meantime. */
  async failedAgain(consumer: string, event: RecordedEvent, error: unknown): Promise<void> {
    await this.db.execute(
      `UPDATE platform.dead_letter SET attempts = attempts + 1, error = $5, failed_at = platform.now(),
         next_try_at = CASE WHEN attempts + 1 < ${MAX_ATTEMPTS} THEN platform.now() + least(interval '1 second' * power(2, attempts), interval '10 minutes') END
       WHERE org_id = $1 AND consumer = $2 AND stream = $3 AND stream_version = $4`,
      [event.orgId, consumer, event.stream, event.streamVersion, sentence(error)],
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

  /** Names of consumers that have something due. */
  async dueConsumers(): Promise<Set<string>> {
    const rows = await this.db.prepared<{ consumer: string }>(
      'dead-letter-consumers',
      `SELECT DISTINCT consumer FROM platform.dead_letter WHERE next_try_at <= platform.now()`,
    );
    return new Set(rows.map((r) => r.consumer));
  }

  /** The first waiting event of each stream, where its time has come. */
  due(consumer: string): Promise<RecordedEvent[]> {
    return this.db.query<RecordedEvent & { data: DomainEventData }>(
      `SELECT e.org_id AS "orgId", e.stream, e.stream_version AS "streamVersion", e.type, e.shape, e.data,
              e.actor, e.request_id AS "requestId", e.trace_id AS "traceId", e.occurred_at AS "occurredAt", e.recorded_at AS "recordedAt", e.seq::text AS seq
       FROM (SELECT DISTINCT ON (org_id, stream) org_id, stream, stream_version, next_try_at
             FROM platform.dead_letter WHERE consumer = $1 ORDER BY org_id, stream, stream_version) d
       JOIN platform.event e USING (org_id, stream, stream_version)
       WHERE d.next_try_at <= platform.now() ORDER BY d.next_try_at LIMIT 100`,
      [consumer],
    );
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

const sentence = (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2000);
