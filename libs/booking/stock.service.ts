// The stock: what catalog asks of it inside its own transaction, and what is left for everyone to see.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import { CatalogPort, type EventForSale, type TicketTypeForSale } from '../catalog/catalog.port.js';
import { StockSpi, type StockSeat } from '../catalog/catalog.spi.js';
import { Clock } from '../kernel/time.js';
import { AnswersSpi } from '../platform/spi/spi.registry.js';
import { bookingErrors } from './booking.errors.js';
import { InventoryRepository } from './inventory.repository.js';
import { Sales } from './sale.service.js';
import { SeatRepository } from './seat.repository.js';
import type { AvailabilityView, InventoryView, SeatsView } from './stock.dto.js';
import { StockRepository, type PoolState, type SaleTold } from './stock.repository.js';

@Injectable()
@AnswersSpi(StockSpi)
export class StockAnswers extends StockSpi {
  constructor(
    private readonly stock: StockRepository,
    private readonly inventory: InventoryRepository,
    private readonly seats: SeatRepository,
  ) {
    super();
  }

  poolCreated(pool: { orgId: string; eventId: string; poolId: string; capacity: number }): Promise<void> {
    return this.stock.createPool(pool);
  }

  async capacityChanged(pool: { orgId: string; poolId: string; capacity: number }): Promise<void> {
    if (!(await this.stock.setCapacity(pool.orgId, pool.poolId, pool.capacity))) throw bookingErrors.capacityBelowSold();
  }

  seatsPlaced(at: { orgId: string; eventId: string; ticketTypeId: string; seats: StockSeat[] }): Promise<void> {
    return this.seats.place(at.orgId, at.eventId, at.ticketTypeId, at.seats);
  }

  async eventRevised(sale: SaleTold): Promise<void> {
    if (!sale.onSale) {
      // Bookings under way hold these locks: after them, none is made any more.
      const pools = await this.stock.pools(sale.orgId, sale.eventId);
      await this.inventory.lockPools(sale.orgId, pools.map((p) => p.poolId)); // prettier-ignore
    }
    await this.stock.tellSale(sale);
  }
}

@Injectable()
export class Stock {
  constructor(
    private readonly stock: StockRepository,
    private readonly seats: SeatRepository,
    private readonly sales: Sales,
    private readonly catalog: CatalogPort,
    private readonly auth: AuthPort,
    private readonly clock: Clock,
  ) {}

  /** What of each ticket type can be had now; hidden types only with their access code. */
  async availability(eventId: string, accessCode?: string): Promise<AvailabilityView> {
    const orgId = await this.auth.orgOf(eventId);
    const event = await this.sales.eventAsSold(orgId, eventId);
    const pools = new Map((await this.stock.pools(orgId, eventId)).map((p) => [p.poolId, p]));
    const now = this.clock.now();
    const shown = event.ticketTypes.filter(
      (t) => t.accessCode === null || t.accessCode.toLowerCase() === accessCode?.toLowerCase(),
    );
    return {
      eventId,
      asOf: now,
      seq: [...pools.values()].reduce((n, p) => n + p.changes, event.revision),
      ticketTypes: shown.map((t) => {
        const available = freeIn(pools.get(t.poolId));
        return { id: t.id, available, state: stateOf(event, t, available, now) };
      }),
    };
  }

  async seatsOf(eventId: string, onlyStates: boolean): Promise<SeatsView> {
    const orgId = await this.auth.orgOf(eventId);
    const event = await this.sales.eventAsSold(orgId, eventId);
    const pools = await this.stock.pools(orgId, eventId);
    const seq = pools.reduce((n, p) => n + p.changes, event.revision);
    if (onlyStates) return { seq, seats: await this.seats.states(orgId, eventId) };
    const rows = await this.seats.ofEvent(orgId, eventId);
    return {
      seq,
      seats: rows.map(({ ordinal: _o, sectionName: _n, companionOf, ...s }) => ({ ...s, ...(companionOf && { companionOf }) })),
    };
  }

  /** The counters of an event's pools, for its organizer. */
  async inventory(orgId: string, eventId: string): Promise<InventoryView[]> {
    await this.catalog.demandEvent('read', orgId, eventId);
    const pools = await this.stock.pools(orgId, eventId);
    return pools.map(({ changes: _c, ...counters }) => counters);
  }
}

const freeIn = (p: PoolState | undefined) => (p ? Math.max(0, p.capacity - p.held - p.sold - p.reserved) : 0);

function stateOf(
  event: EventForSale,
  type: TicketTypeForSale,
  available: number,
  now: Date,
): AvailabilityView['ticketTypes'][number]['state'] {
  if (event.status !== 'published' || event.endsAt <= now || (type.salesEndAt && type.salesEndAt <= now)) return 'ended';
  if (type.salesStartAt && type.salesStartAt > now) return 'not_yet';
  return available > 0 ? 'on_sale' : 'sold_out';
}
