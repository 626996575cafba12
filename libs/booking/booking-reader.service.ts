// Bookings as their buyers and organizers read them.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import { edgeErrors } from '../kernel/errors.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { bookingView, subjectOf, type BookingView } from './booking.dto.js';
import { BookingRepository } from './booking.repository.js';
import type { BookingState } from './booking.rules.js';

@Injectable()
export class BookingReader {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly access: Access,
    private readonly auth: AuthPort,
    private readonly clock: Clock,
  ) {}

  async get(id: string): Promise<BookingView> {
    return bookingView(await this.load('read', id), this.clock.now());
  }

  /** A booking that the caller may do this with; 404 for who may not even see it. */
  async load(action: string, id: string): Promise<BookingState> {
    const state = await this.find(await this.auth.orgOf(id), id);
    this.access.demand(action, 'Booking', subjectOf(state));
    return state;
  }

  /** A booking as it is now, for who has been let in; 404 where there is none. */
  async find(orgId: string, id: string): Promise<BookingState> {
    const state = await this.bookings.find(orgId, id);
    if (!state) throw edgeErrors.notFound();
    return state;
  }

  /** The caller's own bookings, newest first. */
  async mine(page: PageRequest): Promise<Page<BookingView>> {
    const who = this.access.who;
    if (who.kind !== 'account') throw edgeErrors.forbidden();
    const after = (decodeCursor(page.cursor, 1)?.[0] as string | undefined) ?? null;
    const rows = await this.bookings.ofAccount(who.accountId, after, page.limit + 1);
    const now = this.clock.now();
    return pageOf(rows, page.limit, (b) => [b.id], (b) => bookingView(b, now)); // prettier-ignore
  }
}
