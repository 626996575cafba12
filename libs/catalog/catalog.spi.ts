// What catalog asks of who keeps the stock, inside its own transaction: pools and seats made, capacity changed, sales opened and closed.
import { Spi } from '../platform/spi/spi.registry.js';

/** For who answers: how to refuse. */
export { catalogErrors } from './catalog.errors.js';

export interface StockSeat {
  seatId: string;
  /** Id of the section; names may repeat. */
  section: string;
  sectionName: string;
  row: string;
  number: string;
  x: number;
  y: number;
  zone: string;
  accessible: boolean;
  companionOf: string | null;
  /** Place within its row, from 0. */
  ordinal: number;
}

@Spi('one')
export abstract class StockSpi {
  /** A pool was made: its inventory begins. */
  abstract poolCreated(pool: { orgId: string; eventId: string; poolId: string; capacity: number }): Promise<void>;

  /** A pool's capacity shall change; refuses with `capacity_below_sold` when more is held, sold or reserved. */
  abstract capacityChanged(pool: { orgId: string; poolId: string; capacity: number }): Promise<void>;

  /** The seats of a seated ticket type, for this event. */
  abstract seatsPlaced(seats: { orgId: string; eventId: string; ticketTypeId: string; seats: StockSeat[] }): Promise<void>;

  /**
   * Anything of the event changed. Bookings decided against another revision are decided again. `onSale` is true while published;
   * turning it off waits for bookings under way, so that none is made after.
   */
  abstract eventRevised(event: {
    orgId: string;
    eventId: string;
    revision: number;
    onSale: boolean;
    startsAt: Date;
    endsAt: Date;
    timeZone: string;
    currency: string;
  }): Promise<void>;
}
