// Booking: from a buyer's wish to a hold. Everything that needs no stock is checked first; the inventory decides the rest.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import type { EventForSale } from '../catalog/catalog.port.js';
import { edgeErrors, invalid, Refusal } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { PricingPort } from '../pricing/pricing.port.js';
import { Access } from '../platform/access/access.js';
import type { IdempotencyClaim } from '../platform/http/idempotency.js';
import { bookingView, subjectOf, type BookDto, type BookingView } from './booking.dto.js';
import { bookingErrors } from './booking.errors.js';
import { BookingRepository } from './booking.repository.js';
import type { BookingState } from './booking.rules.js';
import { Crowd } from './crowd.service.js';
import { History } from './history.service.js';
import { Holder } from './holder.service.js';
import type { HoldVerdict } from './inventory.rules.js';
import { readAnswers, readLines, type PreparedHold } from './request.rules.js';
import { Sales } from './sale.service.js';

/** What a first request and its replays both answer with. */
export interface BookedReply {
  status: number;
  body: BookingView;
  replayed: boolean;
}

/** An event may change while a booking is prepared; after so many times the buyer is asked to come again. */
const STALE_TRIES = 5;

@Injectable()
export class Bookings {
  constructor(
    private readonly sales: Sales,
    private readonly pricing: PricingPort,
    private readonly holder: Holder,
    private readonly crowd: Crowd,
    private readonly bookings: BookingRepository,
    private readonly history: History,
    private readonly access: Access,
    private readonly auth: AuthPort,
    private readonly clock: Clock,
  ) {}

  /** Holds what is asked for, all or nothing. The claim's key makes asking again the same booking, with the same bytes. */
  async book(eventId: string, dto: BookDto, claim: IdempotencyClaim, requestId: string): Promise<BookedReply> {
    const orgId = await this.auth.orgOf(eventId);
    if (dto.quoteId !== undefined) throw bookingErrors.quoteExpired();
    const who = this.access.who;
    const buyer =
      who.kind === 'apiKey' ? null : who.kind === 'anonymous' ? (dto.contact?.email.toLowerCase() ?? null) : principalKey(who);
    const seatIds = dto.items.flatMap((i) => i.seatIds ?? []);
    return this.crowd.through({ eventId, buyer, claim, seatIds }, () => this.decide({ orgId, eventId }, dto, claim, requestId));
  }

  /** Prepared against a snapshot of the event, decided by the inventory; prepared again when the event had changed. */
  private async decide(
    at: { orgId: string; eventId: string },
    dto: BookDto,
    claim: IdempotencyClaim,
    requestId: string,
  ): Promise<BookedReply> {
    let event = await this.sales.event(at.orgId, at.eventId);
    for (let attempt = 1; ; attempt++) {
      const wish = await this.prepare(event, dto);
      const { verdict, state } = await this.holder.hold({ ...wish, claim, requestId });
      if (verdict.said === 'stale' && attempt < STALE_TRIES) {
        event = await this.sales.eventNow(at.orgId, at.eventId);
        continue;
      }
      return this.replyOf(at.orgId, verdict, state);
    }
  }

  async get(id: string): Promise<BookingView> {
    return bookingView(await this.load('read', id), this.clock.now());
  }

  /** A booking that the caller may do this with; 404 for who may not even see it. */
  async load(action: string, id: string): Promise<BookingState> {
    const state = await this.bookings.find(await this.auth.orgOf(id), id);
    if (!state) throw edgeErrors.notFound();
    this.access.demand(action, 'Booking', subjectOf(state));
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

  private async prepare(event: EventForSale, dto: BookDto): Promise<PreparedHold> {
    const who = this.access.who;
    const lines = readLines(event, dto);
    const tickets = lines.reduce((n, l) => n + l.quantity, 0);
    const answers = readAnswers(event, dto.answers, tickets);
    if (who.kind !== 'account' && who.kind !== 'apiKey' && !dto.contact) {
      throw invalid([{ pointer: '/contact', detail: 'Without a token, say whom the booking is for: {email, name?, locale?}.' }]);
    }
    const wanted = lines.map((l) => ({ ticketTypeId: l.type.id, quantity: l.quantity }));
    const prices = await this.pricing.price(event, wanted, dto.promoCode, this.clock.now());
    return {
      event,
      lines,
      prices,
      answers,
      who,
      contact: dto.contact ?? null,
      bookingId: newId(event.orgId),
      actor: principalKey(who),
    };
  }

  private async replyOf(orgId: string, verdict: HoldVerdict, state: BookingState | null): Promise<BookedReply> {
    switch (verdict.said) {
      case 'held':
        return this.reply(state!, false);
      case 'replay':
        if (verdict.bookingId) return this.reply(await this.history.atFirst(orgId, verdict.bookingId), true);
        throw new ReplayedRefusal(refusalOf(verdict.code ?? ''), verdict.requestId);
      case 'reused':
        throw edgeErrors.idempotencyKeyReused();
      case 'seat_unknown':
        throw invalid([{ pointer: '/items', detail: 'A seat you named is not one of this ticket type.' }]);
      case 'stale':
      case 'skipped':
        throw edgeErrors.unavailable();
      default:
        throw refusalOf(verdict.said);
    }
  }

  /** `now` is the moment it was made: the first reply and a replay an hour later say the same. */
  private reply(state: BookingState, replayed: boolean): BookedReply {
    const accessToken = state.accountId === null ? this.auth.guestToken(state.id) : undefined;
    return { status: 201, body: bookingView(state, state.createdAt, { accessToken }), replayed };
  }
}

/** A refusal decided earlier under the same key: answered with the bytes of then, request id included. */
export class ReplayedRefusal extends Error {
  constructor(
    readonly refusal: Refusal,
    readonly requestId: string,
  ) {
    super(refusal.message);
  }
}

const refusals: Record<string, () => Refusal> = {
  sold_out: bookingErrors.soldOut,
  seat_taken: bookingErrors.seatTaken,
  not_on_sale: bookingErrors.notOnSale,
  limit_exceeded: bookingErrors.limitExceeded,
};
const refusalOf = (code: string): Refusal => (refusals[code] ?? edgeErrors.unavailable)();
