// The job queue's pen: a job is a row written in the transaction that wants it; relay and workers take it from there.
import { Injectable } from '@nestjs/common';
import type { Job } from '../../kernel/job.js';
import { newId } from '../../kernel/ids.js';
import { ambient } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { Redis } from '../redis/redis.js';

export const JOB_CHANNEL = 'jobs';

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
  async add<D extends { orgId: string }>(job: Job<D>, options: { id?: string; delayMs?: number } = {}): Promise<string> {
    const id = options.id ?? newId(job.data.orgId);
    await this.db.prepared(
      'job-add',
      `INSERT INTO platform.job (org_id, id, type, data, request_id, trace_id, run_at)
       VALUES ($1, $2, $3, $4, $5, $7, platform.now() + $6 * interval '1 millisecond') ON CONFLICT DO NOTHING`,
      [
        job.data.orgId,
        id,
        job.type,
        JSON.stringify(job.data),
        ambient().requestId ?? 'none',
        options.delayMs ?? 0,
        ambient().traceId ?? null,
      ],
    );
    if (!options.delayMs) this.db.afterCommit(() => this.redis.publish(JOB_CHANNEL, '1'));
    return id;
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
