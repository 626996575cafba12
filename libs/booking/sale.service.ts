// What is for sale: snapshots of events, remembered. Never trusted: each booking names the revision it was prepared with, and the batch checks it.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { CatalogPort, type EventForSale } from '../catalog/catalog.port.js';
import { edgeErrors } from '../kernel/errors.js';
import { StockRepository } from './stock.repository.js';

@Injectable()
export class Sales {
  private readonly events: LRUCache<string, EventForSale, string>;
  /** Looks that this turn of the event loop has begun. */
  private readonly begun = new Map<string, Promise<EventForSale>>();

  constructor(
    catalog: CatalogPort,
    private readonly stock: StockRepository,
  ) {
    this.events = new LRUCache({
      max: 5000,
      ttl: 60_000,
      // Who waits for a look-up still gets what it found, though somebody asked for a newer one meanwhile.
      ignoreFetchAbort: true,
      // One look-up at a time for each event, however many ask.
      fetchMethod: async (eventId, _stale, { context: orgId }) => (await catalog.eventForSale(orgId, eventId)) ?? undefined,
    });
  }

  /** The event as it was at some recent moment, where it is in mind. */
  known(eventId: string): EventForSale | undefined {
    return this.events.get(eventId);
  }

  /** The same, looked up where it is not; `not_found` for one that is not there or was never published. */
  async event(orgId: string, eventId: string): Promise<EventForSale> {
    const event = this.known(eventId) ?? (await this.events.fetch(eventId, { context: orgId }));
    if (!event) throw edgeErrors.notFound();
    return event;
  }

  /** The event as it is now. However many ask in one turn of the event loop, it is looked up once. */
  eventNow(orgId: string, eventId: string): Promise<EventForSale> {
    const begun = this.begun.get(eventId);
    if (begun) return begun;
    this.events.delete(eventId);
    const looking = this.event(orgId, eventId);
    this.begun.set(eventId, looking);
    setImmediate(() => this.begun.delete(eventId));
    return looking;
  }

  /** The snapshot in mind where its revision is still the one for sale, else the event as it is now. Costs a look at one row. */
  async eventAsSold(orgId: string, eventId: string): Promise<EventForSale> {
    const [event, revision] = await Promise.all([this.event(orgId, eventId), this.stock.revision(orgId, eventId)]);
    return event.revision === revision ? event : this.eventNow(orgId, eventId);
  }
}
