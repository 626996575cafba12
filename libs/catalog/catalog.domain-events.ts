// What catalog announces to those above it.
import { domainEvent } from '../kernel/domain-event.js';

interface OfEvent {
  orgId: string;
  eventId: string;
}

const event = (d: OfEvent) => `event:${d.eventId}`;

export const EventCreated = domainEvent<OfEvent>()('event.created', 1, event);
export const EventChanged = domainEvent<OfEvent>()('event.changed', 1, event);
export const EventPublished = domainEvent<OfEvent>()('event.published', 1, event);
/** Every live booking of it will be cancelled by booking, which hears this. */
export const EventCancelled = domainEvent<OfEvent>()('event.cancelled', 1, event);
