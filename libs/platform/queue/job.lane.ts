// A lane of jobs: due rows are handed to BullMQ, which gives them to this worker or another; while Redis is away they are done here.
import { setTimeout as rest } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import type { Redis } from '../redis/redis.js';
import type { DueJob, JobKey, JobWorker } from './job.worker.js';

/**
 * Jobs that BullMQ has in advance, at most. A crowd's mails wait in Postgres, where a look at what is due goes past those handed out already:
 * the fewer they are, the cheaper it is.
 */
const AHEAD = 400;
/**
 * How many jobs one entry of BullMQ stands for, and how many entries a worker takes at once. An entry costs Redis more than a buyer's booking does, so
 * patient jobs go in packets, those of a packet share their statements, and there is one at a time: where Postgres is slow for buyers it is asked less.
 * Their rows stay apart: one that fails is tried again by itself.
 */
const PROMPT = { packet: 1, atOnce: 20 };
const PATIENT = { packet: 20, atOnce: 1 };
/** The next entry is taken when no more jobs than this are left of those before: a few slow ones keep nobody waiting. */
const LEFT = 5;
/** Between two entries of patient jobs while a crowd makes them: what they take of Postgres and the processors is taken from buyers. */
const REST_MS = 250;
/** The same without BullMQ: some connections are left for domain events. */
const HERE_AT_ONCE = 5;
/** Taken for that in advance, at most. */
const AHEAD_HERE = 100;

export class JobLane {
  private readonly queue: Queue;
  private readonly how: typeof PROMPT;
  private readonly worker: Worker;
  private readonly underWay = new Set<Promise<void>>();
  /** Without BullMQ: what waits for that. */
  private waiting: DueJob[] = [];
  private drained: () => void = () => undefined;

  /** `patient`: its jobs are the patient ones. Works from now on. */
  constructor(
    name: string,
    private readonly patient: boolean,
    private readonly jobs: JobWorker,
    private readonly redis: Redis,
  ) {
    this.how = patient ? PATIENT : PROMPT;
    const connection = redis.connectionForQueues();
    const prefix = redis.queuePrefix;
    this.queue = new Queue(name, {
      prefix,
      connection: { ...connection, enableOfflineQueue: false, commandTimeout: 2000 } as never,
    });
    this.worker = new Worker<JobKey[] | JobKey>(name, ({ data }) => this.do([data].flat()), {
      prefix,
      connection: connection as never,
      concurrency: this.how.atOnce,
    });
    const quiet = () => undefined; // Redis away is told by health; the relay works on from Postgres.
    this.queue.on('error', quiet);
    this.worker.on('error', quiet);
  }

  /** Calls back when there is room for more. */
  onDrained(heard: () => void): void {
    this.drained = heard;
    this.worker.on('drained', heard);
  }

  /** Hands due jobs to BullMQ; begins to do them here while Redis is away. */
  async relay(): Promise<void> {
    const room = await this.room();
    if (room <= 0) return;
    const due = await this.jobs.due(room, this.patient);
    if (due.length > 0 && !(await this.handOut(due))) this.doHere(due);
  }

  async close(): Promise<void> {
    this.waiting = [];
    await this.worker.close(!this.redis.up).catch(() => undefined);
    await this.queue.close().catch(() => undefined);
    await Promise.all(this.underWay);
  }

  /** How many more may be taken: BullMQ has some that no worker has begun; a Redis that is slow to tell has none. */
  private async room(): Promise<number> {
    if (!this.redis.up) return AHEAD_HERE - this.underWay.size - this.waiting.length;
    return AHEAD - this.how.packet * (await this.queue.getWaitingCount().catch(() => 0));
  }

  /** False where Redis did not take them. */
  private async handOut(due: readonly DueJob[]): Promise<boolean> {
    if (!this.redis.up) return false;
    const { packet } = this.how;
    const entries = [];
    for (let i = 0; i < due.length; i += packet) {
      const jobs = due.slice(i, i + packet);
      entries.push({
        name: jobs[0].type,
        data: jobs.map(({ orgId, id }) => ({ orgId, id })),
        // One that still waits there since it was handed last is not handed twice.
        opts: { jobId: jobs[0].id, removeOnComplete: true, removeOnFail: true },
      });
    }
    return this.queue.addBulk(entries).then(
      () => true,
      () => false,
    );
  }

  /** The jobs of an entry; a worker of an earlier version hands out entries of one job. BullMQ hears that it ended, Postgres alone what is done. */
  private async do(entry: readonly JobKey[]): Promise<void> {
    const jobs = entry.map((job) => this.begin(job));
    while (this.underWay.size > LEFT && jobs.some((job) => this.underWay.has(job))) await Promise.race(this.underWay);
    if (this.patient && (await this.jobs.isCrowded())) await rest(REST_MS);
  }

  private doHere(due: readonly DueJob[]): void {
    this.waiting.push(...due);
    for (const job of this.waiting.splice(0, Math.max(0, HERE_AT_ONCE - this.underWay.size))) {
      void this.begin(job).then(() => this.waiting.length === 0 && this.drained());
    }
  }

  /** Never rejects: one that could not even be claimed is due again soon. */
  private begin({ orgId, id }: JobKey): Promise<void> {
    const done: Promise<void> = this.jobs.run(orgId, id).catch(() => undefined).then(() => this.ended(done)); // prettier-ignore
    this.underWay.add(done);
    return done;
  }

  /** Whoever began it, what waits for a place has one. */
  private ended(job: Promise<void>): void {
    this.underWay.delete(job);
    if (this.waiting.length > 0) this.doHere([]);
  }
}
