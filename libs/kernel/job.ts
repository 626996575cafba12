// Jobs: work for later, imperative; declared where it is wanted, handled in a processor, so that a producer never imports the work.

export interface JobOptions {
  /** How often it is tried before it is failed for good; back-off doubles from one second. */
  attempts?: number;
  /** How long one try may take before another worker takes it over, in seconds. */
  leaseSeconds?: number;
}

export interface JobType<D extends { orgId: string } = { orgId: string }> {
  (data: D): Job<D>;
  readonly type: string;
  readonly options: Required<JobOptions>;
}

export interface Job<D extends { orgId: string } = { orgId: string }> {
  readonly type: string;
  readonly data: D;
}

const declared = new Map<string, Required<JobOptions>>();

/** `job<Data>()('notifications.send', { attempts: 8 })`. A type is declared once in a program; data holds ids, like a domain event's. */
export const job =
  <D extends { orgId: string }>() =>
  (type: string, options: JobOptions = {}): JobType<D> => {
    if (declared.has(type)) throw new Error(`The job ${type} is declared twice.`);
    const make = (data: D): Job<D> => ({ type, data });
    const jobType = Object.assign(make, { type, options: { attempts: 10, leaseSeconds: 60, ...options } });
    declared.set(type, jobType.options);
    return jobType;
  };

export const declaredJobs = (): ReadonlyMap<string, Required<JobOptions>> => declared;
