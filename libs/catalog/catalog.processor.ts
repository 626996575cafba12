// What catalog does by itself: the listing forgets events that are over.
import { Injectable } from '@nestjs/common';
import { Every } from '../platform/queue/processor.decorators.js';
import { auditOnlyEvents } from '../platform/queue/worker.engine.js';
import {
  CheckoutFieldAdded,
  CheckoutFieldChanged,
  EventChanged,
  EventCreated,
  EventPublished,
  PoolAdded,
  PoolChanged,
  SeatMapImported,
  TicketTypeAdded,
  TicketTypeChanged,
  VenueChanged,
  VenueCreated,
} from './catalog.domain-events.js';
import { ListingRepository } from './listing.repository.js';

auditOnlyEvents(EventCreated, EventChanged, EventPublished, VenueCreated, VenueChanged, SeatMapImported);
auditOnlyEvents(PoolAdded, PoolChanged, TicketTypeAdded, TicketTypeChanged, CheckoutFieldAdded, CheckoutFieldChanged);

@Injectable()
export class CatalogProcessor {
  constructor(private readonly listing: ListingRepository) {}

  @Every(30_000)
  forgetPast(): Promise<number> {
    return this.listing.forgetPast();
  }
}
