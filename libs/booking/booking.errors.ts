// Every way booking says no: its public code, its kind, and what to do about it.
import { errors } from '../kernel/errors.js';

export const bookingErrors = errors({
  soldOut: ['conflict', 'There are not that many left. Ask for fewer, another ticket type, or join the waitlist.'],
  seatTaken: ['conflict', 'A seat you asked for is taken. Choose another.'],
  notOnSale: ['conflict', 'This is not on sale now.'],
  limitExceeded: ['conflict', 'That is more than one booking or one person may have of it.'],
  capacityBelowSold: ['conflict', 'More than that is held, sold or reserved already. Choose a capacity that covers it.'],
  badTransition: ['conflict', 'The booking is not in a state that allows this.'],
  holdExpired: ['gone', 'The hold has ended and its places may be gone. Book again.'],
  quoteExpired: ['gone', 'There is no such quote, or its time is over. Ask for a new one, or book without.'],
  paymentRequired: ['payment', 'This booking costs money: send a paymentMethod with one of the providers in methods.'],
  paymentDeclined: ['payment', 'The payment was declined. Try another card; the hold is still yours until it expires.'],
});
