// Requests: a buyer's wish, checked and priced against a snapshot of the event; everything that needs no stock.
import { Injectable } from '@nestjs/common';
import type { EventForSale } from '../catalog/catalog.port.js';
import { invalid } from '../kernel/errors.js';
import { newId } from '../kernel/ids.js';
import { principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { PricingPort } from '../pricing/pricing.port.js';
import { Access } from '../platform/access/access.js';
import type { BookDto } from './booking.dto.js';
import { bookingErrors } from './booking.errors.js';
import { readAnswers, readLines, type PreparedHold } from './request.rules.js';
import { Sales } from './sale.service.js';

@Injectable()
export class Requests {
  constructor(
    private readonly sales: Sales,
    private readonly pricing: PricingPort,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** `fresh`: against the event as it is now, because a snapshot turned out to be old. What an old snapshot refuses is looked at again too. */
  async prepare(at: { orgId: string; eventId: string }, dto: BookDto, fresh: boolean): Promise<PreparedHold> {
    if (dto.quoteId !== undefined) throw bookingErrors.quoteExpired();
    const { orgId, eventId } = at;
    const event = fresh
      ? await this.sales.eventNow(orgId, eventId)
      : (this.sales.known(eventId) ?? (await this.sales.event(orgId, eventId)));
    try {
      return await this.read(event, dto);
    } catch (e) {
      const now = await this.sales.eventAsSold(orgId, eventId);
      if (now === event) throw e;
      return this.read(now, dto);
    }
  }

  private async read(event: EventForSale, dto: BookDto): Promise<PreparedHold> {
    const who = this.access.who;
    const lines = readLines(event, dto);
    const answers = readAnswers(event, dto.answers, lines.reduce((n, l) => n + l.quantity, 0)); // prettier-ignore
    if (who.kind !== 'account' && who.kind !== 'apiKey' && !dto.contact) {
      throw invalid([{ pointer: '/contact', detail: 'Without a token, say whom the booking is for: {email, name?, locale?}.' }]);
    }
    const wanted = lines.map((l) => ({ ticketTypeId: l.type.id, quantity: l.quantity }));
    const { promoCode } = dto;
    const prices =
      promoCode === undefined
        ? this.pricing.listPrice(event, wanted)
        : await this.pricing.price(event, wanted, promoCode, this.clock.now());
    const contact = dto.contact ?? null;
    return { event, lines, prices, answers, who, contact, bookingId: newId(event.orgId), actor: principalKey(who) };
  }
}
