// Domain events: something that happened, past tense, immutable; declared once, announced below, heard above.

/** Data holds ids and amounts only: never names, mail addresses, phone numbers or free text. */
export interface DomainEventData {
  orgId: string;
}

export interface DomainEvent<D extends DomainEventData = DomainEventData> {
  readonly type: string;
  /** Version of the data's shape. */
  readonly shape: number;
  /** What it is a change of, `booking:{id}`; order is kept within a stream. */
  readonly stream: string;
  readonly data: D;
}

export interface DomainEventType<D extends DomainEventData = DomainEventData> {
  (data: D): DomainEvent<D>;
  readonly type: string;
  readonly shape: number;
}

const declared = new Set<string>();

/** `domainEvent<Data>()('booking.confirmed', 1, (d) => `booking:${d.bookingId}`)`. A type is declared once in a program. */
export const domainEvent =
  <D extends DomainEventData>() =>
  (type: string, shape: number, streamOf: (data: D) => string): DomainEventType<D> => {
    if (declared.has(type)) throw new Error(`The domain event ${type} is declared twice.`);
    const make = (data: D): DomainEvent<D> => ({ type, shape, stream: streamOf(data), data });
    const eventType = Object.assign(make, { type, shape });
    declared.add(type);
    return eventType;
  };

export const declaredDomainEvents = (): string[] => [...declared].sort();

/** A domain event as consumers get it: with its place in the store. */
export interface RecordedEvent<D extends DomainEventData = DomainEventData> extends DomainEvent<D> {
  readonly orgId: string;
  readonly seq: string;
  readonly streamVersion: number;
  readonly actor: string;
  readonly requestId: string;
  /** W3C trace id of what caused it; null where none was sent. */
  readonly traceId: string | null;
  readonly occurredAt: Date;
  readonly recordedAt: Date;
}
