// Ticket types and pools at work: made for an event, changed while it sells, and told to who keeps the stock.
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import type { Money } from '../kernel/money.js';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { PoolAdded, PoolChanged, TicketTypeAdded, TicketTypeChanged } from './catalog.domain-events.js';
import { catalogErrors } from './catalog.errors.js';
import { CatalogRepository, type EventPath } from './catalog.repository.js';
import { CatalogService } from './catalog.service.js';
import type { StockSeat } from './catalog.spi.js';
import type { Event } from './event.entity.js';
import { lastPosition } from './event.rules.js';
import { flatSeats, zoneSizes, type SeatMap } from './seat-map.rules.js';
import { Pool, TicketType, type TicketTypeValues } from './ticket-type.entity.js';
import { Venue } from './venue.entity.js';

/** Bounds of what one event's snapshot carries. */
const POOLS_MAX = 500;
const TYPES_MAX = 500;

export type TypePath = EventPath & { ticketTypeId: string };
export type PoolPath = EventPath & { poolId: string };

type Optional = Omit<TicketTypeValues, 'name' | 'price'>;
/** What a ticket type is changed by: `capacity` only where it has a pool of its own. */
export type TypeChange = Partial<Optional> & { name?: string; price?: Money; capacity?: number };
/** What a ticket type is made of: exactly one of capacity, poolId and zone. */
export type NewType = Partial<Optional> & { name: string; price: Money; capacity?: number; poolId?: string; zone?: string };

/** A ticket type and, where it has one to itself, its pool. */
export interface TypeWithPool {
  type: TicketType;
  pool: Pool;
  currency: string;
}

/** Where a new type's places come from. */
interface Source {
  pool: Pool;
  isNew: boolean;
  zone: string | null;
  seatMapVersion: number | null;
  seats: StockSeat[];
}

@Injectable()
export class TicketTypeService {
  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly clock: Clock,
    private readonly catalog: CatalogService,
    private readonly repository: CatalogRepository,
  ) {}

  async get(at: TypePath): Promise<TypeWithPool> {
    const event = await this.catalog.visible('read', at);
    return this.withPool(event, await this.typeOf(at));
  }

  async list(at: EventPath): Promise<TypeWithPool[]> {
    const { currency } = await this.catalog.visible('read', at);
    const pools = new Map((await this.repository.allOf(Pool, at)).map((pool) => [pool.id, pool]));
    const types = await this.repository.allOf(TicketType, at);
    return types.map((type) => ({ type, currency, pool: pools.get(type.poolId)! }));
  }

  create(at: EventPath, wanted: NewType): Promise<TypeWithPool> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      demandCurrency(event, wanted.price);
      const types = await this.repository.allOf(TicketType, at);
      if (types.length >= TYPES_MAX) throw catalogErrors.limitExceeded({ limit: TYPES_MAX });
      const source = await this.sourceOf(event, wanted, types);
      const { pool, zone, seatMapVersion } = source;
      const stock = { orgId: at.orgId, id: newId(at.orgId), eventId: at.eventId, poolId: pool.id, zone, seatMapVersion };
      const type = TicketType.of({ ...stock, createdAt: this.clock.now() }, valuesOf(wanted, lastPosition(types)));
      await this.place(type, source);
      return { type, pool, currency: event.currency };
    });
  }

  change(at: TypePath, version: number, { price, capacity, ...values }: TypeChange): Promise<TypeWithPool> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      const type = await this.typeOf(at);
      type.demandVersion(version);
      if (price) demandCurrency(event, price);
      type.change({ ...values, price: price?.amount });
      const { pool } = await this.withPool(event, type);
      const resized = capacity !== undefined && (await this.resize(type, pool, capacity));
      await this.db.saveVersioned(type);
      const { orgId, eventId, ticketTypeId } = at;
      await this.events.announce(TicketTypeChanged({ orgId, eventId, ticketTypeId }), type, ...(resized ? [pool] : []));
      return { type, pool, currency: event.currency };
    });
  }

  async pool(at: PoolPath): Promise<Pool> {
    await this.catalog.visible('read', at);
    return this.poolOf(at);
  }

  async pools(at: EventPath): Promise<Pool[]> {
    await this.catalog.visible('read', at);
    return this.repository.allOf(Pool, at);
  }

  createPool(at: EventPath, { name, capacity }: { name: string; capacity: number }): Promise<Pool> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      if ((await this.repository.allOf(Pool, at)).length >= POOLS_MAX) throw catalogErrors.limitExceeded({ limit: POOLS_MAX });
      const pool = this.newPool(event, name, capacity, true);
      await this.db.insert(pool);
      await this.catalog.stock.poolCreated({ ...at, poolId: pool.id, capacity });
      await this.events.announce(PoolAdded({ ...at, poolId: pool.id }), pool);
      return pool;
    });
  }

  changePool(at: PoolPath, version: number, { name, capacity }: { name?: string; capacity?: number }): Promise<Pool> {
    return this.catalog.change(at, 'update', async (event) => {
      event.demandAlive();
      const pool = await this.poolOf(at);
      pool.demandVersion(version);
      if (!pool.shared) throw catalogErrors.badTransition({}, 'This pool belongs to one ticket type. Change it through that.');
      if (name !== undefined) pool.name = name;
      if (capacity !== undefined) await this.setCapacity(pool, capacity);
      await this.db.saveVersioned(pool);
      await this.events.announce(PoolChanged({ orgId: at.orgId, eventId: at.eventId, poolId: pool.id }), pool);
      return pool;
    });
  }

  /** Gives a copied event the same pools and ticket types, its sales moved by days. */
  async copy(source: Event, target: Event, days: number): Promise<void> {
    const from = { orgId: source.orgId, eventId: source.id };
    const at = { orgId: target.orgId, eventId: target.id };
    const pools = new Map<string, Pool>();
    for (const { id, name, capacity, shared } of await this.repository.allOf(Pool, from)) {
      const pool = this.newPool(target, name, capacity, shared);
      pools.set(id, pool);
      if (!shared) continue;
      await this.db.insert(pool);
      await this.catalog.stock.poolCreated({ ...at, poolId: pool.id, capacity });
      await this.events.announce(PoolAdded({ ...at, poolId: pool.id }), pool);
    }
    for (const type of await this.repository.allOf(TicketType, from)) {
      const pool = pools.get(type.poolId)!;
      const { zone, seatMapVersion } = type;
      const stock = { ...at, id: newId(at.orgId), poolId: pool.id, zone, seatMapVersion, createdAt: this.clock.now() };
      const seats = zone && seatMapVersion ? await this.seatsOf(source, zone, seatMapVersion) : [];
      const copied = type.copyShifted(stock, target.timeZone, days);
      await this.place(copied, { pool, isNew: !pool.shared, zone, seatMapVersion, seats });
    }
  }

  /** Writes a new type, and its pool where that is new, and tells the stock. */
  private async place(type: TicketType, { pool, isNew, seats }: Source): Promise<void> {
    const { orgId, eventId, id: ticketTypeId } = type;
    if (isNew) await this.db.insert(pool);
    await this.db.insert(type);
    if (isNew) await this.catalog.stock.poolCreated({ orgId, eventId, poolId: pool.id, capacity: pool.capacity });
    if (type.kind === 'seated') await this.catalog.stock.seatsPlaced({ orgId, eventId, ticketTypeId, seats });
    await this.events.announce(TicketTypeAdded({ orgId, eventId, ticketTypeId }), type, ...(isNew ? [pool] : []));
  }

  private async sourceOf(event: Event, wanted: NewType, types: TicketType[]): Promise<Source> {
    const given = [wanted.capacity, wanted.poolId, wanted.zone].filter((one) => one !== undefined).length;
    if (given !== 1) throw invalid([{ pointer: '', detail: 'Send exactly one of capacity, poolId and zone.' }]);
    const general = { zone: null, seatMapVersion: null, seats: [] };
    if (wanted.capacity !== undefined) {
      return { pool: this.newPool(event, wanted.name, wanted.capacity, false), isNew: true, ...general };
    }
    if (wanted.poolId !== undefined) {
      const pool = await this.poolOf({ orgId: event.orgId, eventId: event.id, poolId: wanted.poolId });
      if (!pool.shared)
        throw invalid([{ pointer: '/poolId', detail: 'This pool belongs to one ticket type. Make one to share.' }]);
      return { pool, isNew: false, ...general };
    }
    return this.zoneSource(event, wanted.zone!, types);
  }

  /** The seats of one zone: of the map that the event's other seats are from, else of the venue's newest. */
  private async zoneSource(event: Event, zone: string, types: TicketType[]): Promise<Source> {
    const no = (detail: string) => invalid([{ pointer: '/zone', detail }]);
    if (!event.venueId) throw no('The event has no venue, so it has no seats. Give it one first.');
    if (types.some((type) => type.zone === zone)) throw no('Another ticket type of this event sells that zone.');
    const venue = await this.db.find(Venue, { orgId: event.orgId, id: event.venueId });
    const version = types.find((type) => type.seatMapVersion !== null)?.seatMapVersion ?? venue?.seatMapVersion;
    if (!version) throw no('The venue has no seat map. Import one first.');
    const map = await this.mapOf(event, version);
    const size = zoneSizes(map).get(zone);
    if (size === undefined) throw no(`The seat map has no such zone. It has ${namesOf(map)}.`);
    if (size === 0) throw no('That zone of the seat map has no seats.');
    const name = map.zones.find(({ id }) => id === zone)!.name;
    return {
      pool: this.newPool(event, name, size, false),
      isNew: true,
      zone,
      seatMapVersion: version,
      seats: seatsIn(map, zone),
    };
  }

  private async mapOf(event: Event, version: number): Promise<SeatMap> {
    const map = await this.repository.seatMap({ orgId: event.orgId, venueId: event.venueId! }, version);
    return JSON.parse(map!) as SeatMap;
  }

  private async seatsOf(event: Event, zone: string, version: number): Promise<StockSeat[]> {
    return seatsIn(await this.mapOf(event, version), zone);
  }

  /** A type's own pool takes a new capacity. */
  private async resize(type: TicketType, pool: Pool, capacity: number): Promise<boolean> {
    const why = type.kind === 'seated' ? 'Its seats are its capacity.' : 'It draws from a shared pool. Change that.';
    if (pool.shared || type.kind === 'seated') throw invalid([{ pointer: '/capacity', detail: why }]);
    if (capacity === pool.capacity) return false;
    await this.setCapacity(pool, capacity);
    await this.db.saveVersioned(pool);
    return true;
  }

  private async setCapacity(pool: Pool, capacity: number): Promise<void> {
    await this.catalog.stock.capacityChanged({ orgId: pool.orgId, poolId: pool.id, capacity });
    pool.capacity = capacity;
  }

  private newPool(event: Event, name: string, capacity: number, shared: boolean): Pool {
    const { orgId, id: eventId } = event;
    return Pool.of({ orgId, id: newId(orgId), eventId, name, capacity, shared, createdAt: this.clock.now() });
  }

  private async typeOf({ ticketTypeId, ...at }: TypePath): Promise<TicketType> {
    const type = await this.repository.findOf(TicketType, at, ticketTypeId);
    if (!type) throw edgeErrors.notFound();
    return type;
  }

  private async poolOf({ poolId, ...at }: PoolPath): Promise<Pool> {
    const pool = await this.repository.findOf(Pool, at, poolId);
    if (!pool) throw edgeErrors.notFound({}, 'This event has no pool with this id.');
    return pool;
  }

  private async withPool({ currency }: Event, type: TicketType): Promise<TypeWithPool> {
    const { orgId, eventId, poolId } = type;
    return { type, currency, pool: await this.poolOf({ orgId, eventId, poolId }) };
  }
}

function valuesOf(wanted: NewType, position: number): TicketTypeValues {
  const {
    name,
    price,
    maxPerBooking = null,
    maxPerPerson = null,
    salesStartAt = null,
    salesEndAt = null,
    accessCode = null,
  } = wanted;
  return {
    name,
    price: price.amount,
    maxPerBooking,
    maxPerPerson,
    salesStartAt,
    salesEndAt,
    accessCode,
    position: wanted.position ?? position,
  };
}

function demandCurrency(event: Event, { currency }: Money): void {
  if (currency !== event.currency) {
    throw invalid([{ pointer: '/price/currency', detail: `Send a price in the event's currency, ${event.currency}.` }]);
  }
}

const namesOf = (map: SeatMap) => map.zones.slice(0, 20).map(({ id }) => id).join(', ') || 'none'; // prettier-ignore

const seatsIn = (map: SeatMap, zone: string): StockSeat[] => flatSeats(map).filter((seat) => seat.zone === zone);
