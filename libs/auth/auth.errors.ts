// Every way auth says no, beyond what every edge says.
import { edgeErrors, errors, invalid, type Refusal } from '../kernel/errors.js';

export const authErrors = errors({
  emailTaken: ['conflict', 'There is an account with this mail address already. Log in, or ask for a password reset.'],
  slugTaken: ['conflict', 'Another organization has this slug. Choose another.'],
  badTransition: ['conflict', 'An organization keeps at least one owner. Make somebody else an owner first.'],
});

/** The same words for an unknown address and for a wrong password: nobody learns here who has an account. */
export const wrongLogin = (): Refusal => edgeErrors.unauthenticated({}, 'The mail address or the password is wrong.');

/** A mailed link that is used up, replaced by a newer one, too old, or not ours. */
export const deadLink = (): Refusal =>
  invalid([{ pointer: '/token', detail: 'This link is not valid any more. Ask for a new one.' }]);

/** 429 with the whole seconds to wait. */
export const throttled = (retryAfter: number): Refusal =>
  edgeErrors.rateLimited({ retryAfter }, `Too many tries. Wait ${retryAfter} seconds.`);
