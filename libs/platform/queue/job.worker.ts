// The job worker: claims a row, does the work, writes the outcome. BullMQ spreads the work; Postgres alone knows what is done.
import { Injectable } from '@nestjs/common';
import { declaredJobs } from '../../kernel/job.js';
import { runAs } from '../db/ambient.js';
import { Database } from '../db/database.js';

export interface JobRun {
  readonly jobId: string;
  /** Keeps the lease and shows how far it is, from 0 to 1. */
  progress(done: number): Promise<void>;
}

export type JobHandler = (data: never, run: JobRun) => Promise<unknown>;

interface Claimed {
  org_id: string;
  id: string;
  type: string;
  data: never;
  request_id: string;
  trace_id: string | null;
  attempts: number;
}

@Injectable()
export class JobWorker {
  private readonly handlers = new Map<string, JobHandler>();

  constructor(private readonly db: Database) {}

  register(type: string, handler: JobHandler): void {
    this.handlers.set(type, handler);
  }

  /** Due rows that nobody was handed yet, or whose worker or queue lost them; marks them as handed. For the relay. */
  async due(limit: number): Promise<{ orgId: string; id: string; type: string }[]> {
    return this.db.query(
      `UPDATE platform.job j SET handed_at = platform.now() FROM (
         SELECT org_id, id FROM platform.job
         WHERE status IN ('queued', 'running') AND run_at <= platform.now()
           AND (handed_at IS NULL OR handed_at < platform.now() - interval '15 seconds')
           AND (lease_until IS NULL OR lease_until < platform.now())
         ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED) d
       WHERE j.org_id = d.org_id AND j.id = d.id RETURNING j.org_id AS "orgId", j.id, j.type`,
      [limit],
    );
  }

  /** Does one job unless it is done or somebody else is at it. Never throws for a job that failed: its row says so. */
  async run(orgId: string, id: string): Promise<void> {
    const job = await this.claim(orgId, id);
    if (!job) return;
    const handler = this.handlers.get(job.type);
    try {
      if (!handler) throw new Error(`No handler for the job ${job.type} in this worker.`);
      const ids = { requestId: job.request_id, traceId: job.trace_id ?? undefined };
      const result = await runAs({ ...ids, principal: { kind: 'system', name: job.type } }, () =>
        handler(job.data, { jobId: job.id, progress: (done) => this.progress(job, done) }),
      );
      await this.finish(job, result);
    } catch (e) {
      await this.failed(job, e);
    }
  }

  /**
   * One whose every try ended with its worker is failed here: it may be what ends them. What is not ended is said so that
   * job_due cannot serve it: planned while few jobs are due, it would be read whole for each claim when many are.
   */
  private async claim(orgId: string, id: string): Promise<Claimed | undefined> {
    const options = Object.fromEntries([...declaredJobs()].map(([type, o]) => [type, o]));
    const [job] = await this.db.prepared<Claimed & { status: string }>(
      'job-claim',
      `UPDATE platform.job SET
         status = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN 'failed' ELSE 'running' END,
         error = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN 'Every try ended with its worker.' ELSE error END,
         finished_at = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN platform.now() END,
         attempts = attempts + 1,
         lease_until = platform.now() + coalesce(($3::jsonb -> type ->> 'leaseSeconds')::int, 60) * interval '1 second'
       WHERE org_id = $1 AND id = $2 AND status NOT IN ('done', 'failed') AND run_at <= platform.now()
         AND (lease_until IS NULL OR lease_until < platform.now())
       RETURNING org_id, id, type, data, request_id, trace_id, attempts, status`,
      [orgId, id, JSON.stringify(options)],
    );
    return job?.status === 'running' ? job : undefined;
  }

  private async progress(job: Claimed, done: number): Promise<void> {
    const seconds = declaredJobs().get(job.type)?.leaseSeconds ?? 60;
    await this.db.execute(
      `UPDATE platform.job SET progress = $3, lease_until = platform.now() + $4 * interval '1 second' WHERE org_id = $1 AND id = $2 AND attempts = $5`,
      [job.org_id, job.id, Math.max(0, Math.min(1, done)), seconds, job.attempts],
    );
  }

  private async finish(job: Claimed, result: unknown): Promise<void> {
    await this.db.prepared(
      'job-finish',
      `UPDATE platform.job SET status = 'done', progress = 1, result = $3, error = NULL, lease_until = NULL, finished_at = platform.now()
       WHERE org_id = $1 AND id = $2 AND attempts = $4`,
      [job.org_id, job.id, result === undefined ? null : JSON.stringify(result), job.attempts],
    );
  }

  /** Tries again with back-off from one second, doubling to ten minutes; after the last try the row stays as failed. */
  private async failed(job: Claimed, e: unknown): Promise<void> {
    const attempts = declaredJobs().get(job.type)?.attempts ?? 1;
    const text = (e instanceof Error ? `${e.name}: ${e.message}` : String(e)).slice(0, 2000);
    await this.db.execute(
      `UPDATE platform.job SET status = CASE WHEN attempts >= $4 THEN 'failed' ELSE 'queued' END, error = $3, lease_until = NULL, handed_at = NULL,
         finished_at = CASE WHEN attempts >= $4 THEN platform.now() END,
         run_at = platform.now() + least(interval '1 second' * power(2, attempts - 1), interval '10 minutes')
       WHERE org_id = $1 AND id = $2 AND attempts = $5`,
      [job.org_id, job.id, text, attempts, job.attempts],
    );
  }
}
