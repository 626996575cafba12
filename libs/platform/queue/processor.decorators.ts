// The three ways a processor's method is called: by a domain event, by a job, by the clock.
import { SetMetadata } from '@nestjs/common';
import type { DomainEventData, DomainEventType } from '../../kernel/domain-event.js';
import type { JobType } from '../../kernel/job.js';

export const HEARS = 'evently:hears';
export const WORKS = 'evently:works';
export const TICKS = 'evently:ticks';

export interface Hears {
  type: DomainEventType<never>;
  consumer: string;
}

/** Hears a domain event under a consumer name of its own, `context.what-it-does`. */
export const OnDomainEvent = <D extends DomainEventData>(type: DomainEventType<D>, consumer: string) =>
  SetMetadata<string, Hears>(HEARS, { type: type as unknown as DomainEventType<never>, consumer });

/** Does a job. Each job has one handler. The handler gets the job's data and a `JobRun` to tell progress through. */
export const OnJob = <D extends { orgId: string }>(type: JobType<D>) => SetMetadata(WORKS, type);

/** Runs every so many milliseconds, in each worker process, never overlapping itself; what it does uses SKIP LOCKED. */
export const Every = (ms: number) => SetMetadata(TICKS, ms);
