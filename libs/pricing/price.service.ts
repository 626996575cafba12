// Prices at work: what a booking's lines cost now, with the promo code it was given.
import { Injectable } from '@nestjs/common';
import type { EventForSale } from '../catalog/catalog.port.js';
import { invalid } from '../kernel/errors.js';
import { lineTotals, sum } from './price.rules.js';
import { PricingPort, type LineToPrice, type PriceList } from './pricing.port.js';
import type { PromoCode } from './promo-code.entity.js';
import { PromoCodeRepository } from './promo-code.repository.js';

@Injectable()
export class PriceService extends PricingPort {
  constructor(private readonly promos: PromoCodeRepository) {
    super();
  }

  listPrice(event: EventForSale, lines: LineToPrice[]): PriceList {
    return this.priced(event, lines, null);
  }

  async price(event: EventForSale, lines: LineToPrice[], promoCode: string, now: Date): Promise<PriceList> {
    return this.priced(event, lines, await this.promo(event, promoCode, now));
  }

  private priced(event: EventForSale, lines: LineToPrice[], promo: PromoCode | null): PriceList {
    const unitPrices = new Map(event.ticketTypes.map((type) => [type.id, type.price]));
    const priced = lines.map((line, i) => {
      const unitPrice = unitPrices.get(line.ticketTypeId);
      if (unitPrice === undefined) {
        throw invalid([{ pointer: `/items/${i}/ticketTypeId`, detail: 'The event has no ticket type with this id.' }]);
      }
      return { ticketTypeId: line.ticketTypeId, quantity: line.quantity, unitPrice };
    });
    const totals = lineTotals(priced, promo && promo.discount);
    if (totals === null)
      throw invalid([{ pointer: '/items', detail: 'The total is more than money can be. Book fewer at once.' }]);
    return {
      lines: priced.map(({ ticketTypeId, quantity, unitPrice }, i) => ({ ticketTypeId, quantity, unitPrice, total: totals[i] })),
      total: sum(totals),
      promo: promo && { id: promo.id, maxUses: promo.maxUses, maxPerPerson: promo.maxPerPerson },
    };
  }

  private async promo(event: EventForSale, code: string, now: Date): Promise<PromoCode> {
    const promo = await this.promos.byCode(event.orgId, event.id, code);
    const refusal = promo ? promo.refusalAt(now, event.currency) : 'This event has no such promo code.';
    if (!promo || refusal) throw invalid([{ pointer: '/promoCode', detail: refusal ?? '' }]);
    return promo;
  }
}
