// Event: what people attend. It is drafted, published, perhaps cancelled; past is what a published one is when it is over.
import { Entity } from 'typeorm';
import { edgeErrors, invalid } from '../kernel/errors.js';
import {
  AmountColumn,
  Id,
  IdColumn,
  InstantColumn,
  IntColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import { catalogErrors } from './catalog.errors.js';
import './catalog.personal-data.js';
import type { CancelPolicy, EventStatus } from './catalog.port.js';
import { atSameWallTime, scheduleProblems, shiftedByDays } from './event.rules.js';

type StoredStatus = Exclude<EventStatus, 'past'>;

/** Which status may follow which. */
const next: Record<StoredStatus, readonly StoredStatus[]> = {
  draft: ['published', 'cancelled'],
  published: ['cancelled'],
  cancelled: [],
};

export interface EventValues {
  title: string;
  description: string | null;
  venueId: string | null;
  startsAt: Date;
  endsAt: Date;
  timeZone: string;
  currency: string;
  holdSeconds: number;
  cancelPolicy: CancelPolicy;
}

/** What may be changed; what is left out stays. */
export type EventChange = Partial<Omit<EventValues, 'cancelPolicy'>> & { cancelPolicy?: Partial<CancelPolicy> };

/** Without a word from the organizer: cancelled for nothing until it starts. */
const openPolicy: CancelPolicy = { untilHours: 0, feePercent: 0, feeAmount: 0 };
const HOLD_SECONDS = 600;

/** Percent with two decimals, kept as whole hundredths. */
const hundredths = { to: (percent: number) => Math.round(percent * 100), from: (stored: number) => stored / 100 };

@Entity({ schema: 'catalog', name: 'event' })
export class Event {
  @OrgId() orgId: string;
  @Id() id: string;
  @TextColumn() title: string;
  @TextColumn({ nullable: true }) description: string | null;
  @IdColumn({ nullable: true }) venueId: string | null;
  @TextColumn() status: StoredStatus;
  @InstantColumn() startsAt: Date;
  @InstantColumn() endsAt: Date;
  @TextColumn() timeZone: string;
  @TextColumn() currency: string;
  @IntColumn() holdSeconds: number;
  @IntColumn({ nullable: true }) cancelUntilHours: number | null;
  @IntColumn({ name: 'cancel_fee_hundredths', transformer: hundredths }) cancelFeePercent: number;
  @AmountColumn() cancelFeeAmount: number;
  @InstantColumn({ nullable: true }) publishedAt: Date | null;
  @InstantColumn({ nullable: true }) cancelledAt: Date | null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  /** A new draft. Refuses times that cannot be. */
  static draft(orgId: string, id: string, createdAt: Date, values: Draft): Event {
    const event = Object.assign(new Event(), {
      orgId, id, createdAt, status: 'draft', publishedAt: null, cancelledAt: null, version: 1,
      title: values.title, startsAt: values.startsAt, endsAt: values.endsAt, timeZone: values.timeZone, currency: values.currency,
      description: values.description ?? null, venueId: values.venueId ?? null, holdSeconds: values.holdSeconds ?? HOLD_SECONDS,
    }); // prettier-ignore
    event.cancelPolicy = { ...openPolicy, ...withoutUndefined(values.cancelPolicy ?? {}) };
    event.checkSchedule();
    return event;
  }

  statusAt(now: Date): EventStatus {
    return this.status === 'published' && this.endsAt <= now ? 'past' : this.status;
  }

  get cancelPolicy(): CancelPolicy {
    return { untilHours: this.cancelUntilHours, feePercent: this.cancelFeePercent, feeAmount: this.cancelFeeAmount };
  }

  set cancelPolicy(policy: CancelPolicy) {
    this.cancelUntilHours = policy.untilHours;
    this.cancelFeePercent = policy.feePercent;
    this.cancelFeeAmount = policy.feeAmount;
  }

  /** Refuses with 412 unless this is the version that the caller read. */
  demandVersion(version: number): void {
    if (this.version !== version) throw edgeErrors.staleVersion();
  }

  /** Refuses on a cancelled event: nothing about it changes any more. */
  demandAlive(): void {
    if (this.status === 'cancelled') {
      throw catalogErrors.badTransition({ from: this.status }, 'The event is cancelled; nothing about it can be changed.');
    }
  }

  /** Takes what is given. A new zone alone moves the instants, so that the clock on the wall shows what it showed. */
  change({ cancelPolicy, ...values }: EventChange): void {
    this.demandAlive();
    const zone = this.timeZone;
    Object.assign(this, withoutUndefined(values));
    if (this.timeZone !== zone) {
      if (!values.startsAt) this.startsAt = atSameWallTime(this.startsAt, zone, this.timeZone);
      if (!values.endsAt) this.endsAt = atSameWallTime(this.endsAt, zone, this.timeZone);
    }
    if (cancelPolicy) this.cancelPolicy = { ...this.cancelPolicy, ...withoutUndefined(cancelPolicy) };
    this.checkSchedule();
  }

  /** False when it was published already: asking again is no mistake. */
  publish(now: Date): boolean {
    if (this.status === 'published') return false;
    if (this.endsAt <= now) {
      throw catalogErrors.badTransition({ from: 'past', to: 'published' }, 'The event is over already. Move it first.');
    }
    this.become('published');
    this.publishedAt = now;
    return true;
  }

  /** False when it was cancelled already. */
  cancel(now: Date): boolean {
    if (this.status === 'cancelled') return false;
    if (this.statusAt(now) === 'past') throw catalogErrors.badTransition({ from: 'past', to: 'cancelled' }, 'The event is over.');
    this.become('cancelled');
    this.cancelledAt = now;
    return true;
  }

  /** A draft of the same so many days later by the calendar of its zone. */
  copyShifted(id: string, createdAt: Date, days: number): Event {
    const startsAt = shiftedByDays(this.startsAt, this.timeZone, days);
    const endsAt = shiftedByDays(this.endsAt, this.timeZone, days);
    return Event.draft(this.orgId, id, createdAt, { ...this, cancelPolicy: this.cancelPolicy, startsAt, endsAt });
  }

  private become(status: StoredStatus): void {
    if (!next[this.status].includes(status)) throw catalogErrors.badTransition({ from: this.status, to: status });
    this.status = status;
  }

  private checkSchedule(): void {
    const problems = scheduleProblems(this);
    if (problems.length > 0) throw invalid(problems);
  }
}

type Needed = 'title' | 'startsAt' | 'endsAt' | 'timeZone' | 'currency';
export type Draft = Pick<EventValues, Needed> & Omit<EventChange, Needed>;

function withoutUndefined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
