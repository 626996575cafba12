// The three ways a processor's method is called: by a domain event, by a job, by the clock.
import { SetMetadata } from '@nestjs/common';
import type { DomainEventData, DomainEventType } from '../../kernel/domain-event.js';
import type { JobType } from '../../kernel/job.js';
import type { Hearing } from '../eventstore/event.place.js';

export const HEARS = 'evently:hears';
export const WORKS = 'evently:works';
export const TICKS = 'evently:ticks';

export interface Hears extends Hearing {
  /** The method takes a list. */
  together: boolean;
}

const hears =
  (together: boolean) =>
  <D extends DomainEventData>(type: DomainEventType<D>, name: string, { only }: Pick<Hearing, 'only'> = {}) =>
    SetMetadata<string, Hears>(HEARS, { type: type as unknown as DomainEventType<never>, name, only, together });

/** Hears a domain event under a consumer name of its own, `context.what-it-does`; with `only`, those whose data an SQL/JSON path finds something in. */
export const OnDomainEvent = hears(false);

/** The same, for a method that takes a list of them: of one organization, in their order, all or none. */
export const OnDomainEvents = hears(true);

/** Does a job. Each job has one handler. The handler gets the job's data and a `JobRun` to tell progress through. */
export const OnJob = <D extends { orgId: string }>(type: JobType<D>) => SetMetadata(WORKS, type);

/** Runs every so many milliseconds, in each worker process, never overlapping itself; what it does uses SKIP LOCKED. */
export const Every = (ms: number) => SetMetadata(TICKS, ms);
