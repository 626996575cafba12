// What catalog announces to those above it.
import { domainEvent } from '../kernel/domain-event.js';

interface OfEvent {
  orgId: string;
  eventId: string;
}
interface OfVenue {
  orgId: string;
  venueId: string;
}

const event = (d: OfEvent) => `event:${d.eventId}`;
const venue = (d: OfVenue) => `venue:${d.venueId}`;

export const EventCreated = domainEvent<OfEvent>()('event.created', 1, event);
export const EventChanged = domainEvent<OfEvent>()('event.changed', 1, event);
export const EventPublished = domainEvent<OfEvent>()('event.published', 1, event);
/** Every live booking of it will be cancelled by booking, which hears this. */
export const EventCancelled = domainEvent<OfEvent>()('event.cancelled', 1, event);

export const PoolAdded = domainEvent<OfEvent & { poolId: string }>()('event.pool-added', 1, event);
export const PoolChanged = domainEvent<OfEvent & { poolId: string }>()('event.pool-changed', 1, event);
export const TicketTypeAdded = domainEvent<OfEvent & { ticketTypeId: string }>()('event.ticket-type-added', 1, event);
export const TicketTypeChanged = domainEvent<OfEvent & { ticketTypeId: string }>()('event.ticket-type-changed', 1, event);
export const CheckoutFieldAdded = domainEvent<OfEvent & { fieldId: string }>()('event.checkout-field-added', 1, event);
export const CheckoutFieldChanged = domainEvent<OfEvent & { fieldId: string }>()('event.checkout-field-changed', 1, event);

export const VenueCreated = domainEvent<OfVenue>()('venue.created', 1, venue);
export const VenueChanged = domainEvent<OfVenue>()('venue.changed', 1, venue);
export const SeatMapImported = domainEvent<OfVenue>()('venue.seat-map-imported', 1, venue);
