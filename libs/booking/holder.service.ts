// The holder: turns a prepared wish into a request to the inventory, choosing best available seats where none were named.
import { Injectable } from '@nestjs/common';
import { ambient } from '../platform/db/ambient.js';
import type { IdempotencyClaim } from '../platform/http/idempotency.js';
import { Seal } from '../platform/config/seal.js';
import { BestSeats } from './best-seats.service.js';
import { bookingErrors } from './booking.errors.js';
import type { BookingState } from './booking.rules.js';
import { FreshHolds } from './fresh-holds.service.js';
import type { HoldLine, HoldRequest, HoldVerdict } from './inventory.rules.js';
import { Inventory } from './inventory.service.js';
import type { PreparedHold } from './request.rules.js';

/** Another process may take proposed seats first; after so many times the buyer is told they are gone. */
const PROPOSALS = 6;

@Injectable()
export class Holder {
  constructor(
    private readonly inventory: Inventory,
    private readonly best: BestSeats,
    private readonly fresh: FreshHolds,
    private readonly seal: Seal,
  ) {}

  /** Refuses with `overloaded` who would wait too long. */
  admit(): void {
    this.inventory.admit();
  }

  async hold(
    wish: PreparedHold,
    claim: IdempotencyClaim,
    requestId: string,
  ): Promise<{ verdict: HoldVerdict; state: BookingState | null }> {
    const request = this.requestOf(wish, claim, requestId);
    const at = { orgId: request.orgId, eventId: request.eventId };
    const open = wish.lines
      .map((l, i) => ({ line: request.lines[i], zone: l.type.kind === 'seated' && !l.seatIds ? l.type.zone : null }))
      .filter((l) => l.zone !== null);
    for (let attempt = 1; ; attempt++) {
      const proposals = [];
      try {
        for (const { line, zone } of open) {
          const proposal = await this.best.propose({ ...at, zone: zone!, quantity: line.quantity, attempt });
          proposals.push(proposal);
          line.seatIds = proposal.seatIds;
        }
        const verdict = await this.inventory.hold(request);
        if (verdict.said === 'held') {
          for (const line of request.lines) if (line.seatIds) this.best.took(request.eventId, line.seatIds);
          return { verdict, state: this.fresh.made(stateOf(request, verdict)) };
        }
        if (verdict.said !== 'seat_taken' || open.length === 0) return { verdict, state: null };
        if (attempt === PROPOSALS) throw bookingErrors.soldOut();
      } finally {
        for (const p of proposals) p.done();
      }
      await this.best.misled(request.orgId, request.eventId);
    }
  }

  private requestOf(wish: PreparedHold, claim: IdempotencyClaim, requestId: string): HoldRequest {
    const { event, prices, contact, who } = wish;
    const accountId = who.kind === 'account' ? who.accountId : null;
    const limited = wish.lines.some((l) => l.type.maxPerPerson !== null) || (prices.promo?.maxPerPerson ?? null) !== null;
    return {
      kind: 'hold',
      orgId: event.orgId,
      bookingId: wish.bookingId,
      eventId: event.id,
      revision: event.revision,
      holdSeconds: event.holdSeconds,
      currency: event.currency,
      total: prices.total,
      promo: prices.promo,
      accountId,
      person: limited ? this.personOf(event.orgId, accountId ?? contact?.email ?? wish.actor) : null,
      email: contact?.email ?? null,
      name: contact?.name ?? null,
      locale: contact?.locale ?? 'en',
      answers: wish.answers,
      claim,
      open: wish.lines.some((l) => l.type.kind === 'seated' && !l.seatIds),
      actor: wish.actor,
      requestId,
      traceId: ambient().traceId ?? null,
      lines: wish.lines.map((l, i): HoldLine => ({
        ticketTypeId: l.type.id,
        poolId: l.type.poolId,
        quantity: l.quantity,
        unitPrice: prices.lines[i].unitPrice,
        total: prices.lines[i].total,
        seatIds: l.seatIds,
        salesStartAt: l.type.salesStartAt,
        salesEndAt: l.type.salesEndAt,
        maxPerPerson: l.type.maxPerPerson,
      })),
    };
  }

  /** Whom limits count: the account, else the mail address, written the same way each time; kept only as an HMAC. */
  private personOf(orgId: string, who: string): Buffer {
    return Buffer.from(this.seal.make('person', `${orgId} ${who.trim().toLowerCase()}`), 'base64url');
  }
}

/** The booking as the batch wrote it, without reading it back. */
function stateOf(r: HoldRequest, { expiresAt, at }: Extract<HoldVerdict, { said: 'held' }>): BookingState {
  return {
    orgId: r.orgId, id: r.bookingId, eventId: r.eventId, status: 'PENDING', expiresAt, extended: false, paying: false, currency: r.currency,
    total: r.total, refunded: 0, promoId: r.promo?.id ?? null, accountId: r.accountId, cancelReason: null, cancelNote: null, contactEmail: r.email,
    contactName: r.name, locale: r.locale, answers: r.answers, createdAt: at, confirmedAt: null, cancelledAt: null, version: 1,
    items: r.lines.map((l, i) => ({
      line: i + 1, ticketTypeId: l.ticketTypeId, poolId: l.poolId, quantity: l.quantity, unitPrice: l.unitPrice, total: l.total, seatIds: l.seatIds,
    })),
    tickets: [],
  }; // prettier-ignore
}
