// The crowd, thinned before it reaches the inventory: one booking in flight per buyer and event, one request at a time for a seat.
// Only leases that help: with Redis away or emptied they keep nobody out, and the batch alone decides.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import type { IdempotencyClaim } from '../platform/http/idempotency.js';
import { Lock, type Lease } from '../platform/lock/lock.js';
import { bookingErrors } from './booking.errors.js';

/** Longer than any request waits for its verdict. */
const LEASE_MS = 15_000;

@Injectable()
export class Crowd {
  /** Keys being decided by this process: the same key twice in one batch could not both be kept. */
  private readonly inFlight = new Set<string>();

  constructor(private readonly lock: Lock) {}

  /**
   * Runs work as the only one of this buyer for the event (`buyer` null: a program, exempt), of this key, and for these seats.
   * Refuses at once with `busy`, or with `seat_taken` for a seat that somebody is just taking.
   */
  async through<T>(
    at: { eventId: string; buyer: string | null; claim: IdempotencyClaim; seatIds: string[] },
    work: () => Promise<T>,
  ): Promise<T> {
    const key = `${at.claim.scope.toString('base64')} ${at.claim.key}`;
    if (this.inFlight.has(key)) throw edgeErrors.busy();
    this.inFlight.add(key);
    const leases: Lease[] = [];
    try {
      if (at.buyer !== null) {
        const lease = await this.lock.take(`buyer:${at.eventId}:${at.buyer}`, LEASE_MS);
        if (!lease) throw edgeErrors.busy();
        leases.push(lease);
      }
      if (at.seatIds.length > 0) {
        const seats = await Promise.all(at.seatIds.map((seat) => this.lock.take(`seat:${at.eventId}:${seat}`, LEASE_MS)));
        leases.push(...seats.filter((lease) => lease !== null));
        if (seats.includes(null)) throw bookingErrors.seatTaken();
      }
      return await work();
    } finally {
      this.inFlight.delete(key);
      for (const lease of leases) void lease.release(); // Nobody waits for Redis to hear it.
    }
  }
}
