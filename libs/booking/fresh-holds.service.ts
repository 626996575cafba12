// Fresh holds: bookings as this process held them a moment ago. Most are confirmed right after, by whoever made them, and need not be read again for that.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { BookingState } from './booking.rules.js';

/** Some kilobytes each at most; who is not among the last so many is read. */
const MOST = 5000;

@Injectable()
export class FreshHolds {
  private readonly holds = new LRUCache<string, BookingState>({ max: MOST });

  made(hold: BookingState): BookingState {
    this.holds.set(hold.id, hold);
    return hold;
  }

  /**
   * The hold as it was made, once. It may have changed since, so it is good for one question, which the inventory answers by the version it names; whatever
   * else is to be said of it is said of what is read.
   */
  take(id: string): BookingState | undefined {
    const hold = this.holds.get(id);
    this.holds.delete(id);
    return hold;
  }
}
