// A lane of jobs: due rows are handed to BullMQ, which gives them to this worker or another; while Redis is away they are done here.
import { Queue, Worker } from 'bullmq';
import type { Redis } from '../redis/redis.js';
import type { DueJob, JobWorker } from './job.worker.js';

/**
 * Jobs that BullMQ has in advance, at most. A crowd's mails wait in Postgres, where a look at what is due goes past those handed out already:
 * the fewer they are, the cheaper it is.
 */
const AHEAD = 400;
/** Jobs a worker does at once, through BullMQ. */
const AT_ONCE = 20;
/** The same without BullMQ: some connections are left for domain events. */
const HERE_AT_ONCE = 5;
/** Taken for that in advance, at most. */
const AHEAD_HERE = 100;

export class JobLane {
  private readonly queue: Queue;
  private readonly worker: Worker;
  /** Without BullMQ: what is being done, and what waits for that. */
  private readonly here = new Set<Promise<void>>();
  private left: DueJob[] = [];
  private drained: () => void = () => undefined;

  /** `patient`: its jobs are the patient ones. Works from now on. */
  constructor(
    name: string,
    private readonly patient: boolean,
    private readonly jobs: JobWorker,
    private readonly redis: Redis,
  ) {
    const connection = redis.connectionForQueues();
    const prefix = redis.queuePrefix;
    this.queue = new Queue(name, {
      prefix,
      connection: { ...connection, enableOfflineQueue: false, commandTimeout: 2000 } as never,
    });
    this.worker = new Worker(name, (job) => jobs.run(job.data.orgId as string, job.data.id as string), {
      prefix,
      connection: connection as never,
      concurrency: AT_ONCE,
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
    this.left = [];
    await this.worker.close(!this.redis.up).catch(() => undefined);
    await this.queue.close().catch(() => undefined);
    await Promise.all(this.here);
  }

  /** How many more may be taken: BullMQ has some that no worker has begun; a Redis that is slow to tell has none. */
  private async room(): Promise<number> {
    if (!this.redis.up) return AHEAD_HERE - this.here.size - this.left.length;
    return AHEAD - (await this.queue.getWaitingCount().catch(() => 0));
  }

  /** False where Redis did not take them. */
  private async handOut(due: readonly DueJob[]): Promise<boolean> {
    if (!this.redis.up) return false;
    const jobs = due.map((j) => ({
      name: j.type,
      data: { orgId: j.orgId, id: j.id },
      // One that still waits there since it was handed last is not handed twice.
      opts: { jobId: j.id, removeOnComplete: true, removeOnFail: true },
    }));
    return this.queue.addBulk(jobs).then(
      () => true,
      () => false,
    );
  }

  private doHere(due: readonly DueJob[]): void {
    this.left.push(...due);
    for (const job of this.left.splice(0, HERE_AT_ONCE - this.here.size)) {
      // One that could not even be claimed is due again soon.
      const done: Promise<void> = this.jobs.run(job.orgId, job.id).catch(() => undefined).then(() => this.ended(done)); // prettier-ignore
      this.here.add(done);
    }
  }

  private ended(job: Promise<void>): void {
    this.here.delete(job);
    if (this.left.length > 0) this.doHere([]);
    else this.drained();
  }
}
