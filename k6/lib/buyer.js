// Buyer: a guest who books, confirms, cancels, and remembers what was acknowledged to come back and look for it.
import { insist } from './client.js';
import { acknowledged, broke, held, places, promised, unaccounted, unlisted } from './metrics.js';
import { differs, itemsOf, unitsOf } from './verdict.js';

/** What this virtual user's buyers were promised. k6 keeps it from one scenario to the next, so whoever buys can look afterwards. */
const memory = [];

/** The n-th buyer of a run: a mail address and keys of their own. */
export const person = (stage, n) => ({ email: `buyer-${n}@${stage.run}.k6.example`, key: `${stage.run}-${n}`, stage });

const timed = ({ stage }, kind, how) => ({ base: stage.base, kind, ...how });

/** Books as a guest. @returns the reply, with `promise` where it was acknowledged */
export function book(buyer, items, how = {}) {
  const { email, key, stage } = buyer;
  const at = { id: stage.sale.eventId };
  const request = { at, key: `${key}-book${how.again ?? ''}`, body: { items, contact: { email } } };
  const reply = insist('book', request, timed(buyer, 'book', how));
  if (reply.kind !== 'answer') return reply;
  const { body } = reply;
  const fault = faultOf(body, items, at.id);
  if (fault) broke('false_answer', `${fault}: ${reply.what}`);
  if (!Array.isArray(body.items)) return reply;
  const promise = { id: body.id, token: body.accessToken, status: body.status, items: itemsOf(body), units: unitsOf(body) };
  promise.expiresAt = Date.parse(body.expiresAt);
  memory.push(promise);
  acknowledged.add(1);
  unaccounted.add(1);
  places.add(promise.units, { state: 'held' });
  return { ...reply, promise };
}

/** Confirms without paying: these scripts sell free places. */
export function confirm(buyer, promise, how = {}) {
  return change(buyer, promise, { operation: 'confirm', becomes: 'CONFIRMED', state: 'confirmed' }, how);
}

export function cancel(buyer, promise, how = {}) {
  return change(buyer, promise, { operation: 'cancel', becomes: 'CANCELLED', state: 'cancelled' }, how);
}

function change(buyer, promise, { operation, becomes, state }, how) {
  const request = { at: { id: promise.id }, key: `${buyer.key}-${operation}`, token: promise.token, body: {} };
  const before = promise.maybe;
  promise.maybe = becomes; // Until it is answered nobody knows whether it was done: the answer may be lost, and this user be stopped when time is up.
  const reply = insist(operation, request, timed(buyer, 'confirm', how));
  if (reply.kind === 'refused') promise.maybe = before;
  if (reply.kind !== 'answer') return reply;
  if (reply.body.status !== becomes) broke('false_answer', `the booking is not ${becomes}: ${reply.what}`);
  promise.maybe = undefined;
  promise.status = becomes;
  places.add(promise.units, { state });
  return reply;
}

/** Every promise made to this virtual user's buyers, looked for with the buyer's own token. */
export function lookAgain() {
  for (const promise of memory.splice(0)) {
    const reply = insist('booking', { at: { id: promise.id }, token: promise.token }, { tries: 10 });
    if (reply.kind === 'answer') lookAt(promise, reply);
    if (reply.kind === 'answer' || reply.reason === 'lost') unaccounted.add(-1);
  }
}

function lookAt(promise, reply) {
  const { body } = reply;
  const difference = Array.isArray(body.items) ? differs(promise, body, reply.now) : 'is no booking';
  if (difference) return broke('lost', `booking ${promise.id} ${difference}: ${reply.what}`);
  held();
  if (body.status === 'CANCELLED') return;
  promised.add(promise.units);
  if (body.status === 'CONFIRMED') unlisted.add(promise.units);
}

/** What an acknowledgement says that was not asked for; null where it is right. */
function faultOf(body, wanted, eventId) {
  if (!Array.isArray(body.items) || !body.id || !body.accessToken) return 'it is no booking of a guest';
  if (body.eventId !== eventId || body.status !== 'PENDING' || !(Date.parse(body.expiresAt) > 0))
    return 'it is no hold of this event';
  const units = ({ quantity, seatIds }) => quantity ?? seatIds.length;
  for (const [i, { ticketTypeId, seatIds, ...rest }] of wanted.entries()) {
    const got = body.items[i];
    if (got?.ticketTypeId !== ticketTypeId || got.quantity !== units({ ...rest, seatIds })) return 'other places than asked for';
    if (seatIds && [...seatIds].sort().join() !== [...(got.seatIds ?? [])].sort().join()) return 'other seats than asked for';
  }
  return body.total?.amount === 0 ? null : 'a price for what is free';
}
