// Consumers: hear domain events at least once, take effect once, in order per stream. How far each has heard is in event.place.ts.
import { Injectable } from '@nestjs/common';
import type { RecordedEvent } from '../../kernel/domain-event.js';
import { runAs } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { EventPlaces, type Hearing } from './event.place.js';
import { EventTrouble } from './event.trouble.js';

export type Consumer = Hearing &
  (
    | { handle(event: RecordedEvent<never>): Promise<void> }
    /** Takes events of one organization together, in their order: all or none. */
    | { handleAll(events: RecordedEvent<never>[]): Promise<void> }
  );

/** Domain events taken in one transaction. They all belong to one organization. */
const BATCH = 200;

@Injectable()
export class EventConsumers {
  constructor(
    private readonly db: Database,
    private readonly places: EventPlaces,
    private readonly trouble: EventTrouble,
  ) {}

  /** Throws on a database that came as a dump and was not carried over: its consumers would be deaf, and later hear everything again. */
  async refuseForeignPlaces(): Promise<void> {
    if (await this.places.foreign())
      throw new Error('This database was loaded from a dump. Run `npm run restored` once, then start again.');
  }

  /** Makes sure a consumer has a place. A new one starts at the beginning of the store. */
  enrol(name: string): Promise<void> {
    return this.places.enrol(name);
  }

  /** Takes what is waiting for one consumer, batch by batch; returns how many. Skips at once when another process is at it. */
  async advance(consumer: Consumer): Promise<number> {
    let taken = 0;
    let singly = 0; // After a batch failed its events are taken one by one, so that only the bad one is set aside.
    while (await this.places.hasNews(consumer)) {
      try {
        const n = await this.step(consumer, singly > 0 ? 1 : BATCH);
        if (n === null) return taken;
        taken += n;
        if (singly > 0) singly -= 1;
      } catch (error) {
        if (singly > 0) taken += await this.setAside(consumer, error);
        else singly = BATCH;
      }
    }
    return taken;
  }

  /** One batch, its effects and the new place in one transaction. Null when there is nothing, or another process is at it. */
  private step(consumer: Consumer, limit: number): Promise<number | null> {
    return this.db.transaction(async () => {
      const place = await this.places.lock(consumer.name);
      if (!place) return null;
      const { events, last } = await this.places.read(consumer, place, limit);
      if (events.length === 0) {
        await this.places.close(consumer.name, place.to);
        return place.open ? 0 : null;
      }
      await this.take(consumer, place.troubled ? await this.notBehindFailed(consumer, events) : events);
      await this.places.moveTo(place, events[events.length - 1], last);
      return events.length;
    });
  }

  private async notBehindFailed({ name }: Consumer, events: RecordedEvent[]): Promise<RecordedEvent[]> {
    const free: RecordedEvent[] = [];
    for (const event of events) if (!(await this.trouble.waitsBehindFailed(name, event))) free.push(event);
    return free;
  }

  private async take(consumer: Consumer, events: RecordedEvent[]): Promise<void> {
    const parts = 'handleAll' in consumer && events.length > 0 ? [events] : events.map((event) => [event]);
    for (const part of parts) {
      await this.handOver(consumer, part).catch((error: unknown) => {
        throw new NotTaken(part[0], error);
      });
    }
  }

  private handOver(consumer: Consumer, events: RecordedEvent[]): Promise<void> {
    const principal = { kind: 'system', name: consumer.name } as const;
    if ('handleAll' in consumer) return runAs({ principal }, () => consumer.handleAll(events as never));
    const [event] = events;
    const { requestId, traceId } = event;
    return runAs({ requestId, traceId: traceId ?? undefined, principal }, () => consumer.handle(event as never));
  }

  /** The event that was taken alone and failed is set aside, and the place moves past it. Throws what was no event's fault. */
  private setAside(consumer: Consumer, failure: unknown): Promise<number> {
    if (!(failure instanceof NotTaken)) throw failure;
    return this.db.transaction(async () => {
      const place = await this.places.lock(consumer.name);
      if (!place) return 0;
      const { events, last } = await this.places.read(consumer, place, 1);
      const [event] = events;
      if (event?.orgId !== failure.event.orgId || event.seq !== failure.event.seq) return 0; // Another process took it.
      await this.trouble.setAside(consumer.name, event, failure.cause);
      await this.places.moveTo(place, event, last);
      return 1;
    });
  }

  /** Tries what was set aside and is due again. */
  async retry(consumers: readonly Consumer[]): Promise<void> {
    const due = await this.trouble.dueConsumers();
    for (const consumer of consumers) if (due.has(consumer.name)) await this.retryOf(consumer);
  }

  private async retryOf(consumer: Consumer): Promise<void> {
    for (const event of await this.trouble.due(consumer.name)) {
      try {
        await this.db.transaction(async () => {
          if (!(await this.trouble.claim(consumer.name, event))) return;
          await this.handOver(consumer, [event]);
          await this.trouble.settle(consumer.name, event);
        });
      } catch (error) {
        await this.trouble.failedAgain(consumer.name, event, error);
      }
    }
  }
}

/** Says which event a handler failed on, since a batch holds many; the first of those taken together. */
class NotTaken extends Error {
  constructor(
    readonly event: RecordedEvent,
    cause: unknown,
  ) {
    super(`${event.type} of ${event.stream} was not taken`, { cause });
  }
}
