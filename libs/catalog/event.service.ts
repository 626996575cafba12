// Events at work: drafted, changed, published, cancelled, copied to another day.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { pageOf, type Page } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { EventCancelled, EventChanged, EventCreated, EventPublished } from './catalog.domain-events.js';
import { catalogErrors } from './catalog.errors.js';
import { CatalogRepository, type EventFilter, type EventPath } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import { CheckoutFieldService } from './checkout-field.service.js';
import { Event, type Draft, type EventChange } from './event.entity.js';
import { TicketType } from './ticket-type.entity.js';
import { TicketTypeService } from './ticket-type.service.js';
import { Venue } from './venue.entity.js';

/** An event with the status that the clock gives it. */
export interface EventNow {
  event: Event;
  now: Date;
}

/** What belongs to an event, for copying it. */
@Injectable()
export class EventParts {
  constructor(
    private readonly types: TicketTypeService,
    private readonly fields: CheckoutFieldService,
  ) {}

  async copy(source: Event, target: Event, days: number): Promise<void> {
    await this.types.copy(source, target, days);
    await this.fields.copy(source, target);
  }
}

@Injectable()
export class EventService {
  constructor(
    private readonly db: Database,
    private readonly access: Access,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly catalog: CatalogService,
    private readonly repository: CatalogRepository,
    private readonly parts: EventParts,
  ) {}

  async create(orgId: string, draft: Draft): Promise<EventNow> {
    this.access.demand('create', 'Event', { orgId });
    return this.db.transaction(async () => {
      await this.demandVenue(orgId, draft.venueId);
      const event = Event.draft(orgId, newId(orgId), this.clock.now(), draft);
      await this.begin(event);
      await this.catalog.revised(event);
      return this.now(event);
    });
  }

  async get(at: EventPath): Promise<EventNow> {
    return this.now(await this.catalog.visible('read', at));
  }

  async list(orgId: string, filter: EventFilter): Promise<Page<EventNow>> {
    this.access.demand('read', 'Event', { orgId });
    const events = await this.repository.events(orgId, filter);
    return pageOf(events, filter.limit, (event) => [event.startsAt.toISOString(), event.id], (event) => this.now(event)); // prettier-ignore
  }

  /** Changes what is given. A new zone without new times keeps what the clock on the wall shows. */
  change(at: EventPath, version: number, change: EventChange): Promise<EventNow> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandVersion(version);
      await this.demandChangeable(event, change);
      event.change(change);
      await this.db.saveVersioned(event);
      await this.events.announce(EventChanged(at), event);
      return this.now(event);
    });
  }

  publish(at: EventPath): Promise<EventNow> {
    return this.catalog.change(at, 'publish', async (event) => {
      if (event.publish(this.clock.now())) {
        await this.db.saveVersioned(event);
        await this.events.announce(EventPublished(at), event);
      }
      return this.now(event);
    });
  }

  /** Ends its sale for good; booking hears of it and cancels every live booking. */
  cancel(at: EventPath): Promise<EventNow> {
    return this.catalog.change(at, 'cancel', async (event) => {
      if (event.cancel(this.clock.now())) {
        await this.db.saveVersioned(event);
        await this.events.announce(EventCancelled(at), event);
      }
      return this.now(event);
    });
  }

  /** A draft of the same event on another day, with its pools, ticket types, seats and checkout fields; all wall times are kept. */
  duplicate(at: EventPath, shiftDays: number): Promise<EventNow> {
    return this.db.transaction(async () => {
      const source = await this.catalog.visible('read', at);
      this.access.demand('create', 'Event', { orgId: at.orgId });
      const copy = source.copyShifted(newId(at.orgId), this.clock.now(), shiftDays);
      await this.begin(copy);
      await this.parts.copy(source, copy, shiftDays);
      await this.catalog.revised(copy);
      return this.now(copy);
    });
  }

  private async begin(event: Event): Promise<void> {
    await this.db.insert(event);
    await this.repository.beginRevision(event.orgId, event.id);
    await this.events.announce(EventCreated({ orgId: event.orgId, eventId: event.id }), event);
  }

  private async demandVenue(orgId: string, venueId: string | null | undefined): Promise<void> {
    if (venueId && !(await this.db.find(Venue, { orgId, id: venueId }))) {
      throw edgeErrors.notFound({ pointer: '/venueId' }, 'Your organization has no venue with this id.');
    }
  }

  /** Prices are in the event's currency, and seats are places of its venue: both stay while something is sold by them. */
  private async demandChangeable(event: Event, { currency, venueId }: EventChange): Promise<void> {
    const otherVenue = venueId !== undefined && venueId !== event.venueId;
    const otherCurrency = currency !== undefined && currency !== event.currency;
    if (!otherVenue && !otherCurrency) return;
    const types = await this.repository.allOf(TicketType, { orgId: event.orgId, eventId: event.id });
    if (otherCurrency && types.length > 0) {
      throw catalogErrors.badTransition({}, 'The event has prices in its currency, which therefore stays.');
    }
    if (otherVenue && types.some((type) => type.kind === 'seated')) {
      throw catalogErrors.badTransition({}, 'The event sells seats of its venue, which therefore stays.');
    }
    if (otherVenue) await this.demandVenue(event.orgId, venueId);
  }

  private now(event: Event): EventNow {
    return { event, now: this.clock.now() };
  }
}
