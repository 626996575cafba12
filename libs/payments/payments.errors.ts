// Every way payments says no.
import { errors } from '../kernel/errors.js';

export const paymentsErrors = errors({
  badTransition: ['conflict', 'The payment is not in a state that allows this.'],
});
