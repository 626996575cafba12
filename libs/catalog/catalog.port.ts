// What catalog answers to the contexts above it: everything about an event that selling it needs, as one snapshot with its revision.

export type EventStatus = 'draft' | 'published' | 'cancelled' | 'past';

export interface TicketTypeForSale {
  id: string;
  name: string;
  kind: 'general' | 'seated';
  /** Minor units in the event's currency. */
  price: number;
  poolId: string;
  /** Seat map zone of a seated type. */
  zone: string | null;
  maxPerBooking: number | null;
  maxPerPerson: number | null;
  salesStartAt: Date | null;
  salesEndAt: Date | null;
  /** A type with an access code is hidden, and sold only with it. Compared without case. */
  accessCode: string | null;
  position: number;
}

export interface CheckoutField {
  id: string;
  label: string;
  kind: 'text' | 'choice' | 'boolean';
  required: boolean;
  choices: string[] | null;
  per: 'booking' | 'ticket';
}

/** What an organizer lets buyers do after they booked. */
export interface CancelPolicy {
  /** Buyers may cancel until so many hours before the start; null never; 0 until the start. */
  untilHours: number | null;
  /** Kept of what was paid, in percent (0-100), rounded half up, and as a fixed amount per ticket in minor units. */
  feePercent: number;
  feeAmount: number;
}

export interface EventForSale {
  orgId: string;
  id: string;
  /** Rises with every change of the event, its ticket types, pools, fields or promo codes. Bookings are decided against one revision. */
  revision: number;
  status: EventStatus;
  title: string;
  startsAt: Date;
  endsAt: Date;
  timeZone: string;
  currency: string;
  holdSeconds: number;
  venue: { id: string; name: string; address: string | null; timeZone: string } | null;
  cancelPolicy: CancelPolicy;
  fields: CheckoutField[];
  /** All of them, hidden ones too, by position. */
  ticketTypes: TicketTypeForSale[];
}

export abstract class CatalogPort {
  /** The snapshot of an event that may be sold or was; null for drafts nobody published and for events that are not there. Not cached here. */
  abstract eventForSale(orgId: string, eventId: string): Promise<EventForSale | null>;

  /** Something above that a booking is decided by has changed (a promo code): raises the revision, in the ambient transaction. */
  abstract revise(orgId: string, eventId: string): Promise<void>;

  /** Demands the ability on the event itself, for routes above that work on an organizer's event; refuses as Access.demand does. */
  abstract demandEvent(action: 'read' | 'update', orgId: string, eventId: string): Promise<void>;

  /** The currency of an event, drafts included; refuses with `not_found` when there is none. */
  abstract currencyOf(orgId: string, eventId: string): Promise<string>;

  /** The pools of all of an organization's events with the capacity their organizer gave them, for comparing with the stock. */
  abstract capacities(orgId: string): Promise<{ poolId: string; eventId: string; capacity: number }[]>;
}
