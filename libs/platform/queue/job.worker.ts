// The job worker: claims a row, does the work, writes the outcome. BullMQ spreads the work; Postgres alone knows what is done.
import { Injectable } from '@nestjs/common';
import { declaredJobs } from '../../kernel/job.js';
import { runAs } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { gather } from '../gather/gather.js';

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

export interface JobKey {
  orgId: string;
  id: string;
}

export interface DueJob extends JobKey {
  type: string;
}

/** Its result as JSON; null for none. */
interface Done {
  job: Claimed;
  result: string | null;
}

/** So many patient jobs that wait are a crowd's. */
const CROWD = 100;
/** A worker is at many jobs: what they claim or end in one turn of the event loop is one statement, and one commit. */
const AT_ONCE = 100;

@Injectable()
export class JobWorker {
  private readonly handlers = new Map<string, JobHandler>();
  private readonly claim = gather(AT_ONCE, (keys: readonly JobKey[]) => this.claimAll(keys), { apart: true });
  private readonly finish = gather(AT_ONCE, (done: readonly Done[]) => this.finishAll(done), { apart: true });

  constructor(private readonly db: Database) {}

  register(type: string, handler: JobHandler): void {
    this.handlers.set(type, handler);
  }

  /** Due rows that nobody was handed yet, or whose worker or queue lost them; marks them as handed. For the relay. The clock is read once, not for each row. */
  async due(limit: number, patient: boolean): Promise<DueJob[]> {
    return this.db.query(
      `UPDATE platform.job j SET handed_at = platform.now() FROM (
         SELECT org_id, id FROM platform.job
         WHERE status IN ('queued', 'running') AND ${patient ? '' : 'NOT'} patient AND run_at <= (SELECT platform.now())
           AND (handed_at IS NULL OR handed_at < (SELECT platform.now()) - interval '15 seconds')
           AND (lease_until IS NULL OR lease_until < (SELECT platform.now()))
         ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED) d
       WHERE j.org_id = d.org_id AND j.id = d.id RETURNING j.org_id AS "orgId", j.id, j.type`,
      [limit],
    );
  }

  /** True while a crowd makes patient jobs: many wait, new ones still come, and none has waited for a minute. */
  async isCrowded(): Promise<boolean> {
    const due = `FROM platform.job WHERE status = 'queued' AND patient AND run_at <= (SELECT platform.now())`;
    const [found] = await this.db.prepared<{ crowded: boolean }>(
      'job-crowd',
      `SELECT (SELECT count(*) FROM (SELECT 1 ${due} LIMIT ${CROWD}) first) = ${CROWD}
         AND (SELECT run_at ${due} ORDER BY run_at DESC LIMIT 1) > platform.now() - interval '1 second'
         AND (SELECT run_at ${due} ORDER BY run_at LIMIT 1) > platform.now() - interval '1 minute' AS crowded`,
      [],
    );
    return found.crowded;
  }

  /** Does one job unless it is done or somebody else is at it. Never throws for a job that failed: its row says so. */
  async run(orgId: string, id: string): Promise<void> {
    const job = await this.claim({ orgId, id });
    if (!job) return;
    const handler = this.handlers.get(job.type);
    try {
      if (!handler) throw new Error(`No handler for the job ${job.type} in this worker.`);
      const ids = { requestId: job.request_id, traceId: job.trace_id ?? undefined };
      const result = await runAs({ ...ids, principal: { kind: 'system', name: job.type } }, () =>
        handler(job.data, { jobId: job.id, progress: (done) => this.progress(job, done) }),
      );
      await this.finish({ job, result: result === undefined ? null : JSON.stringify(result) });
    } catch (e) {
      await this.failed(job, e);
    }
  }

  /**
   * One whose every try ended with its worker is failed here: it may be what ends them. What is not ended is said so that
   * job_due cannot serve it: planned while few jobs are due, it would be read whole for each claim when many are.
   */
  private async claimAll(keys: readonly JobKey[]): Promise<(Claimed | undefined)[]> {
    const options = Object.fromEntries([...declaredJobs()].map(([type, o]) => [type, o]));
    const claimed = await this.db.prepared<Claimed & { status: string }>(
      'job-claim',
      `WITH free AS (
         SELECT j.org_id, j.id FROM unnest($1::uuid[], $2::uuid[]) AS asked (org, job) JOIN platform.job j ON j.org_id = asked.org AND j.id = asked.job
         WHERE j.status NOT IN ('done', 'failed') AND j.run_at <= platform.now() AND (j.lease_until IS NULL OR j.lease_until < platform.now())
         FOR UPDATE OF j SKIP LOCKED)
       UPDATE platform.job j SET
         status = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN 'failed' ELSE 'running' END,
         error = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN 'Every try ended with its worker.' ELSE error END,
         finished_at = CASE WHEN attempts >= coalesce(($3::jsonb -> type ->> 'attempts')::int, 1) THEN platform.now() END,
         attempts = attempts + 1,
         lease_until = platform.now() + coalesce(($3::jsonb -> type ->> 'leaseSeconds')::int, 60) * interval '1 second'
       FROM free WHERE j.org_id = free.org_id AND j.id = free.id
       RETURNING j.org_id, j.id, type, data, request_id, trace_id, attempts, status`,
      [keys.map((k) => k.orgId), keys.map((k) => k.id), JSON.stringify(options)],
    );
    const ours = new Map(claimed.filter((j) => j.status === 'running').map((j) => [`${j.org_id} ${j.id}`, j]));
    return keys.map(({ orgId, id }) => {
      const job = ours.get(`${orgId} ${id}`);
      ours.delete(`${orgId} ${id}`); // Asked for twice in one turn, it is done by the first.
      return job;
    });
  }

  private async progress(job: Claimed, done: number): Promise<void> {
    const seconds = declaredJobs().get(job.type)?.leaseSeconds ?? 60;
    await this.db.execute(
      `UPDATE platform.job SET progress = $3, lease_until = platform.now() + $4 * interval '1 second' WHERE org_id = $1 AND id = $2 AND attempts = $5`,
      [job.org_id, job.id, Math.max(0, Math.min(1, done)), seconds, job.attempts],
    );
  }

  private async finishAll(done: readonly Done[]): Promise<void[]> {
    await this.db.prepared(
      'job-finish',
      `UPDATE platform.job j SET status = 'done', progress = 1, result = d.result, error = NULL, lease_until = NULL, finished_at = (SELECT platform.now())
       FROM unnest($1::uuid[], $2::uuid[], $3::jsonb[], $4::int[]) AS d (org, job, result, attempt)
       WHERE j.org_id = d.org AND j.id = d.job AND j.attempts = d.attempt`,
      [done.map((d) => d.job.org_id), done.map((d) => d.job.id), done.map((d) => d.result), done.map((d) => d.job.attempts)],
    );
    return done.map(() => undefined);
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
