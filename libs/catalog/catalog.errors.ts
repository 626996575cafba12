// Every way catalog says no beyond what the edges say.
import { errors } from '../kernel/errors.js';

export const catalogErrors = errors({
  badTransition: ['conflict', 'The event is in a state in which this cannot be done.'],
  capacityBelowSold: ['conflict', 'More than that is held, sold or reserved already. Choose a larger capacity.'],
  limitExceeded: ['conflict', 'The event has as many of these as it can have.'],
});
