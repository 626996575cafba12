// Booking: from a buyer's wish to a hold. Everything that needs no stock is checked first; the inventory decides the rest.
import { Injectable } from '@nestjs/common';
import { AuthPort } from '../auth/auth.port.js';
import { edgeErrors, invalid, Refusal } from '../kernel/errors.js';
import { principalKey } from '../kernel/principal.js';
import { Access } from '../platform/access/access.js';
import type { IdempotencyClaim } from '../platform/http/idempotency.js';
import { bookingView, type BookDto, type BookingView } from './booking.dto.js';
import { bookingErrors } from './booking.errors.js';
import type { BookingState } from './booking.rules.js';
import { Crowd } from './crowd.service.js';
import { History } from './history.service.js';
import { Holder } from './holder.service.js';
import type { HoldVerdict } from './inventory.rules.js';
import { Requests } from './request.service.js';
import { VerdictRepository } from './verdict.repository.js';

/** What a first request and its replays both answer with. */
export interface BookedReply {
  status: number;
  body: BookingView;
  replayed: boolean;
}

/** What the inventory said, and the booking where it was held by this request. */
interface Decided {
  verdict: HoldVerdict;
  state: BookingState | null;
}

/** One request to book: where, what, and the claim on its one effect. */
interface Attempt {
  orgId: string;
  eventId: string;
  dto: BookDto;
  claim: IdempotencyClaim;
  requestId: string;
}

/** An event may change while a booking is prepared; after so many times the buyer is asked to come again. */
const STALE_TRIES = 5;

@Injectable()
export class Bookings {
  constructor(
    private readonly requests: Requests,
    private readonly crowd: Crowd,
    private readonly holder: Holder,
    private readonly verdicts: VerdictRepository,
    private readonly history: History,
    private readonly access: Access,
    private readonly auth: AuthPort,
  ) {}

  /** Holds what is asked for, all or nothing. The claim's key makes asking again the same booking, with the same bytes. */
  async book(eventId: string, dto: BookDto, claim: IdempotencyClaim, requestId: string): Promise<BookedReply> {
    this.holder.admit();
    const org = this.auth.orgOf(eventId);
    const attempt = { orgId: typeof org === 'string' ? org : await org, eventId, dto, claim, requestId };
    const who = this.access.who;
    const guest = dto.contact?.email.toLowerCase() ?? null;
    const buyer = who.kind === 'apiKey' ? null : who.kind === 'anonymous' ? guest : principalKey(who);
    const seatIds = dto.items.flatMap((i) => i.seatIds ?? []);
    let decided: Decided;
    try {
      decided = await this.crowd.through({ eventId, buyer, claim, seatIds }, () => this.decide(attempt));
    } catch (e) {
      decided = await this.refusedBefore(attempt, e);
    }
    return decided.state ? this.reply(decided.state, false) : this.unheld(attempt.orgId, decided.verdict);
  }

  /** Prepared against a snapshot of the event, decided by the inventory; prepared again when the event had changed. */
  private async decide({ claim, requestId, dto, ...at }: Attempt): Promise<Decided> {
    for (let attempt = 1; ; attempt++) {
      const wish = await this.requests.prepare(at, dto, attempt > 1);
      const decided = await this.holder.hold(wish, claim, requestId);
      if (decided.verdict.said !== 'stale' || attempt === STALE_TRIES) return decided;
    }
  }

  /**
   * Something said no before the batch was asked, which alone looks keys up: a key that was answered before is answered the same,
   * whatever has changed since; and a verdict that others will be told under this key is kept like the batch's own.
   */
  private async refusedBefore({ orgId, claim, requestId }: Attempt, e: unknown): Promise<Decided> {
    if (!(e instanceof Refusal) || e.kind === 'unavailable' || e.code === 'busy') throw e;
    const before = await this.verdicts.find(orgId, claim);
    if (before) return { verdict: before, state: null };
    if (refusals[e.code] && !(await this.verdicts.keep(orgId, claim, e.code, requestId))) throw edgeErrors.busy();
    throw e;
  }

  /** The reply where nothing was held by this request: that of the one that had its key before, or a refusal. */
  private async unheld(orgId: string, verdict: HoldVerdict): Promise<BookedReply> {
    switch (verdict.said) {
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
