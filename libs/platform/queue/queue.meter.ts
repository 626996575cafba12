// The worker's own figures: jobs that are due, domain events a consumer has not taken yet, and those set aside.
import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '../db/database.js';
import { isFor } from '../eventstore/event.place.js';
import { Meter, type Sample } from '../observe/meter.js';
import { WorkerEngine } from './worker.engine.js';

/** Lag is counted no further than this: past it the exact number tells an operator nothing more. */
const MOST_COUNTED = 10_000;

interface Lag {
  events: number;
  seconds: number;
}

@Injectable()
export class QueueMeter implements OnApplicationBootstrap {
  constructor(
    private readonly db: Database,
    private readonly engine: WorkerEngine,
    private readonly meter: Meter,
  ) {}

  onApplicationBootstrap(): void {
    this.meter.gauge('evently_jobs', 'Jobs not done yet, by state.', () => this.jobs());
    this.meter.gauge('evently_job_wait_seconds', 'How long the oldest due job of a lane has waited.', () => this.oldestJobs());
    this.meter.gauge('evently_dead_letters', 'Domain events set aside, by consumer.', () => this.deadLetters());
    const help = `Domain events a consumer has not taken yet (${MOST_COUNTED} at most).`;
    let lags: Promise<Map<string, Lag>> | undefined;
    // Both gauges are read in the same scrape: the first asks, the second gets the same answer.
    this.meter.gauge('evently_consumer_lag_events', help, async () => samples(await (lags = this.lags()), (lag) => lag.events));
    this.meter.gauge('evently_consumer_lag_seconds', 'Age of the oldest of them.', async () =>
      samples(await (lags ?? this.lags()), (lag) => lag.seconds),
    );
  }

  private async jobs(): Promise<Sample[]> {
    const rows = await this.db.query<{ state: string; n: number }>(
      `SELECT CASE WHEN status = 'running' THEN 'running' WHEN run_at > platform.now() THEN 'later' ELSE 'due' END AS state, count(*)::int AS n
       FROM platform.job WHERE status IN ('queued', 'running') GROUP BY 1`,
    );
    return ['due', 'running', 'later'].map((state) => ({
      labels: { state },
      value: rows.find((r) => r.state === state)?.n ?? 0,
    }));
  }

  private async oldestJobs(): Promise<Sample[]> {
    const waits = (patient: string) =>
      `extract(epoch FROM platform.now() - (SELECT min(run_at) FROM platform.job WHERE status = 'queued' AND ${patient} AND run_at <= platform.now()))::float8`;
    const [waited] = await this.db.query<Record<string, number | null>>(
      `SELECT ${waits('NOT patient')} AS prompt, ${waits('patient')} AS patient`,
    );
    return Object.entries(waited).map(([lane, seconds]) => ({ labels: { lane }, value: seconds ?? 0 }));
  }

  private async deadLetters(): Promise<Sample[]> {
    const rows = await this.db.query<{ consumer: string; n: number }>(
      'SELECT consumer, count(*)::int AS n FROM platform.dead_letter GROUP BY consumer',
    );
    return this.engine.consumers.map(({ name: consumer }) => ({
      labels: { consumer },
      value: rows.find((r) => r.consumer === consumer)?.n ?? 0,
    }));
  }

  /** Both bounds of xid are there for the planner: with one of them it takes a third of the store to be new, and reads all of it. */
  private async lags(): Promise<Map<string, Lag>> {
    const found = new Map<string, Lag>();
    for (const { name, type, only } of this.engine.consumers) {
      const [lag] = await this.db.query<Lag>(
        `SELECT count(*)::int AS events, coalesce(extract(epoch FROM platform.now() - min(recorded_at)), 0)::float8 AS seconds FROM (
           SELECT event.recorded_at FROM platform.event JOIN platform.consumer c ON c.name = $1 AND NOT pg_visible_in_snapshot(event.xid, c.done)
           WHERE event.xid >= (SELECT pg_snapshot_xmin(done) FROM platform.consumer WHERE name = $1) AND event.xid < pg_snapshot_xmax(pg_current_snapshot())
             AND ${isFor('$2', '$3')}
             AND (c.target IS NULL OR NOT pg_visible_in_snapshot(event.xid, c.target) OR (event.org_id, event.seq) > (c.target_org, c.target_seq))
           LIMIT ${MOST_COUNTED}) waiting`,
        [name, type.type, only ?? null],
      );
      found.set(name, lag);
    }
    return found;
  }
}

const samples = (lags: Map<string, Lag>, of: (lag: Lag) => number): Sample[] =>
  [...lags].map(([consumer, lag]) => ({ labels: { consumer }, value: of(lag) }));
