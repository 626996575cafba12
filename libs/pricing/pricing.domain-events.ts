// What pricing announces to those above it.
import { domainEvent } from '../kernel/domain-event.js';

interface OfPromoCode {
  orgId: string;
  eventId: string;
  promoCodeId: string;
}

const stream = (d: OfPromoCode) => `promo-code:${d.promoCodeId}`;

export const PromoCodeAdded = domainEvent<OfPromoCode>()('promo-code.added', 1, stream);
export const PromoCodeChanged = domainEvent<OfPromoCode>()('promo-code.changed', 1, stream);
export const PromoCodeArchived = domainEvent<OfPromoCode>()('promo-code.archived', 1, stream);
