// Catalog at work: how an event and what it sells is read and changed by everyone, here and above.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import { edgeErrors } from '../kernel/errors.js';
import { pageOf, type Page } from '../kernel/pages.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { SpiRegistry } from '../platform/spi/spi.registry.js';
import { CatalogPort, type EventForSale } from './catalog.port.js';
import { CatalogRepository, type EventPath, type EventSnapshot } from './catalog.repository.js';
import { StockSpi } from './catalog.spi.js';
import type { Event } from './event.entity.js';
import { ListingRepository, type ListingQuery } from './listing.repository.js';

@Injectable()
export class CatalogService extends CatalogPort {
  constructor(
    private readonly db: Database,
    private readonly access: Access,
    private readonly auth: AuthPort,
    private readonly spis: SpiRegistry,
    private readonly repository: CatalogRepository,
    private readonly listing: ListingRepository,
  ) {
    super();
    spis.asks(StockSpi);
  }

  /** Who keeps the stock. */
  get stock(): StockSpi {
    return this.spis.one(StockSpi);
  }

  eventForSale(orgId: string, eventId: string): Promise<EventForSale | null> {
    return this.repository.snapshot(orgId, eventId);
  }

  async revise(orgId: string, eventId: string): Promise<void> {
    const event = await this.repository.lock(orgId, eventId);
    if (!event) throw edgeErrors.notFound();
    event.demandAlive();
    await this.revised(event);
  }

  async demandEvent(action: 'read' | 'update', orgId: string, eventId: string): Promise<void> {
    await this.visible(action, { orgId, eventId });
  }

  async currencyOf(orgId: string, eventId: string): Promise<string> {
    const event = await this.repository.find(orgId, eventId);
    if (!event) throw edgeErrors.notFound();
    return event.currency;
  }

  capacities(orgId: string): Promise<{ poolId: string; eventId: string; capacity: number }[]> {
    return this.repository.capacities(orgId);
  }

  /** An event that the caller may do this with; refuses as Access.demand does. */
  async visible(action: string, { orgId, eventId }: EventPath): Promise<Event> {
    const event = await this.repository.find(orgId, eventId);
    this.access.demand(action, 'Event', event ?? {});
    if (!event) throw edgeErrors.notFound();
    return event;
  }

  /**
   * Changes an event or what it sells: one change of an event at a time, one transaction or nothing. After the work the
   * revision is raised and the stock is told, last of all.
   */
  change<T>(at: EventPath, action: string, work: (event: Event) => Promise<T>): Promise<T> {
    return this.db.transaction(async () => {
      await this.visible(action, at);
      const event = await this.repository.lock(at.orgId, at.eventId);
      if (!event) throw edgeErrors.notFound();
      const result = await work(event);
      await this.revised(event);
      return result;
    });
  }

  /** Says that anything of the event has changed, in the ambient transaction. */
  async revised(event: Event): Promise<void> {
    const { orgId, id: eventId, startsAt, endsAt, timeZone, currency } = event;
    const revision = await this.repository.raiseRevision(orgId, eventId);
    await this.listing.refresh(event);
    const onSale = event.status === 'published';
    await this.stock.eventRevised({ orgId, eventId, revision, onSale, startsAt, endsAt, timeZone, currency });
  }

  /** An event as everyone may see it, by its id alone. */
  async publicEvent(eventId: string): Promise<EventSnapshot> {
    const snapshot = await this.repository.snapshot(await this.auth.orgOf(eventId), eventId);
    if (!snapshot) throw edgeErrors.notFound();
    return snapshot;
  }

  /** What the public finds: published and not over, by start. */
  async search<V>(query: ListingQuery, view: (event: EventSnapshot) => V): Promise<Page<V>> {
    const found = await this.listing.search(query);
    const { items, nextCursor } = pageOf(found, query.limit, (l) => [l.startsAt.toISOString(), l.eventId], (l) => l); // prettier-ignore
    const events = await this.repository.snapshots(items);
    const shown = items.flatMap(({ eventId }) => events.get(eventId) ?? []).filter((event) => event.status === 'published');
    return { items: shown.map(view), nextCursor };
  }
}
