// Booking's books: what it answers when verify asks whether its counters agree with its bookings, and its pools with catalog's.
import { Injectable } from '@nestjs/common';
import { CatalogPort } from '../catalog/catalog.port.js';
import { BooksSpi, MAX_LISTED, type Difference } from '../platform/eventstore/books.spi.js';
import { AnswersSpi } from '../platform/spi/spi.registry.js';
import { BooksRepository, type Capacity } from './books.repository.js';

@Injectable()
@AnswersSpi(BooksSpi)
export class BookingBooks extends BooksSpi {
  constructor(
    private readonly books: BooksRepository,
    private readonly catalog: CatalogPort,
  ) {
    super();
  }

  async differences(orgId: string): Promise<Difference[]> {
    return [...(await this.books.differences(orgId)), ...(await this.pools(orgId))];
  }

  private async pools(orgId: string): Promise<Difference[]> {
    const stored = byPool(await this.books.pools(orgId));
    const expected = byPool(await this.catalog.capacities(orgId));
    const found: Difference[] = [];
    for (const poolId of new Set([...stored.keys(), ...expected.keys()])) {
      const [is, ought] = [stored.get(poolId), expected.get(poolId)];
      const about = { orgId, table: 'booking.inventory', key: poolId };
      if (!is || !ought) found.push({ ...about, column: '*', stored: is ? 'a row' : null, expected: ought ? 'a row' : null });
      else {
        if (is.capacity !== ought.capacity)
          found.push({ ...about, column: 'capacity', stored: `${is.capacity}`, expected: `${ought.capacity}` });
        if (is.eventId !== ought.eventId)
          found.push({ ...about, column: 'event_id', stored: is.eventId, expected: ought.eventId });
      }
      if (found.length >= MAX_LISTED) break;
    }
    return found;
  }
}

const byPool = (pools: Capacity[]) => new Map(pools.map((p) => [p.poolId, p]));
