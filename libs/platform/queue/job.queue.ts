// The job queue's pen: a job is a row written in the transaction that wants it; relay and workers take it from there.
import { Injectable } from '@nestjs/common';
import type { Job } from '../../kernel/job.js';
import { newId } from '../../kernel/ids.js';
import { ambient } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { Redis } from '../redis/redis.js';

export const JOB_CHANNEL = 'jobs';

interface HowToAdd {
  id?: string;
  delayMs?: number;
  /** One of thousands that a crowd wants at once: done beside the others, none of which waits for it. */
  patient?: boolean;
}

export interface NewJob extends HowToAdd {
  job: Job<{ orgId: string }>;
  /** Of the request that caused it. */
  requestId?: string;
  traceId?: string | null;
}

export interface JobState {
  id: string;
  status: 'queued' | 'running' | 'done' | 'failed';
  progress: number;
  result?: unknown;
}

@Injectable()
export class JobQueue {
  constructor(
    private readonly db: Database,
    private readonly redis: Redis,
  ) {}

  /** Writes a job for later; returns its id. `delayMs` counts from now by the database's clock. */
  async add<D extends { orgId: string }>(
    job: Job<D>,
    { id = newId(job.data.orgId), delayMs, patient }: HowToAdd = {},
  ): Promise<string> {
    const { requestId, traceId } = ambient();
    await this.addAll([{ job, id, delayMs, patient, requestId, traceId }]);
    return id;
  }

  /** Writes many, each on behalf of the request that caused it. */
  async addAll(jobs: readonly NewJob[]): Promise<void> {
    if (jobs.length === 0) return;
    await this.db.prepared(
      'job-add',
      `INSERT INTO platform.job (org_id, id, type, data, request_id, trace_id, patient, created_at, run_at)
       SELECT j.org, j.id, j.type, j.data, j.request, j.trace, j.patient, (SELECT platform.now()), (SELECT platform.now()) + j.delay * interval '1 millisecond'
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::text[], $6::text[], $7::bool[], $8::float8[])
         AS j (org, id, type, data, request, trace, patient, delay) ON CONFLICT DO NOTHING`,
      [
        jobs.map(({ job }) => job.data.orgId),
        jobs.map(({ job, id }) => id ?? newId(job.data.orgId)),
        jobs.map(({ job }) => job.type),
        jobs.map(({ job }) => JSON.stringify(job.data)),
        jobs.map(({ requestId }) => requestId ?? 'none'),
        jobs.map(({ traceId }) => traceId ?? null),
        jobs.map(({ patient }) => patient ?? false),
        jobs.map(({ delayMs }) => delayMs ?? 0),
      ],
    );
    if (jobs.some(({ delayMs }) => !delayMs)) this.db.afterCommit(() => this.redis.publish(JOB_CHANNEL, '1'));
  }

  /** How a job stands, for `GET /v1/jobs/{jobId}`; null when the organization has none by that id. */
  async find(orgId: string, id: string): Promise<JobState | null> {
    const [row] = await this.db.query<JobState & { error: string | null }>(
      `SELECT id, status, progress, result, error FROM platform.job WHERE org_id = $1 AND id = $2`,
      [orgId, id],
    );
    if (!row) return null;
    const { error: _error, result, ...state } = row;
    return result === null ? state : { ...state, result };
  }
}
