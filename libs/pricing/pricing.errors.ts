// Every way pricing says no beyond what the edges say.
import { errors } from '../kernel/errors.js';

export const pricingErrors = errors({
  slugTaken: ['conflict', 'This event has that promo code already. Choose another, or archive the first.'],
  limitExceeded: ['conflict', 'The event has as many promo codes as it can have. Archive some.'],
});
