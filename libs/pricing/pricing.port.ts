// What pricing answers to the contexts above it: what a booking's lines cost now, with a promo code.
import type { EventForSale } from '../catalog/catalog.port.js';

export interface LineToPrice {
  ticketTypeId: string;
  quantity: number;
}

export interface PricedLine extends LineToPrice {
  /** List price of one, minor units. */
  unitPrice: number;
  /** Of the line, after its share of the discount. */
  total: number;
}

export interface PricedPromo {
  id: string;
  /** Booking counts uses under the lock of its own rows; null is unlimited. */
  maxUses: number | null;
  maxPerPerson: number | null;
}

export interface PriceList {
  lines: PricedLine[];
  total: number;
  promo: PricedPromo | null;
}

export abstract class PricingPort {
  /** Prices the lines of one booking of this event snapshot as its price list says, at once: nobody has to be asked. */
  abstract listPrice(event: EventForSale, lines: LineToPrice[]): PriceList;

  /**
   * Prices the lines with a promo code. Refuses with `invalid_request` at /promoCode when the code is unknown or outside its time
   * (`now` is the injected clock's).
   */
  abstract price(event: EventForSale, lines: LineToPrice[], promoCode: string, now: Date): Promise<PriceList>;
}
