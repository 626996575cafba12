// Verdict: what the contract lets Evently say to each request these scripts make. Pure: no k6 in it.

/** Refusals that every request may meet. */
const ANYWHERE = { rate_limited: 429, overloaded: 503 };

/**
 * What each call answers, and by which codes it may refuse a request that is right, to an event that is on sale and sets no limits.
 * Whatever else comes back (not_on_sale, invalid_request, not_found ...) would be untrue, however well documented.
 */
export const OPERATIONS = {
  search: { route: 'GET /v1/events', answers: [200, 304], refuses: {} },
  event: { route: 'GET /v1/events/{id}', answers: [200, 304], refuses: {} },
  availability: { route: 'GET /v1/events/{id}/availability', answers: [200, 304], refuses: {} },
  seats: { route: 'GET /v1/events/{id}/seats', answers: [200, 304], refuses: {} },
  book: { route: 'POST /v1/events/{id}/bookings', answers: [201], refuses: { sold_out: 409, seat_taken: 409, busy: 409 } },
  confirm: { route: 'POST /v1/bookings/{id}/confirm', answers: [200], refuses: { busy: 409, hold_expired: 410 } },
  cancel: { route: 'POST /v1/bookings/{id}/cancel', answers: [200], refuses: { busy: 409, bad_transition: 409 } },
  booking: { route: 'GET /v1/bookings/{id}', answers: [200], refuses: {}, otherwise: 'lost' },
  inventory: { route: 'GET /v1/organizations/{o}/events/{e}/inventory', answers: [200], refuses: {} },
  bookings: { route: 'GET /v1/organizations/{o}/events/{e}/bookings', answers: [200], refuses: {} },
};

/** Every code that can be a refusal, for counting. `unavailable` only where it was allowed. */
export const CODES = [
  'sold_out',
  'seat_taken',
  'busy',
  'hold_expired',
  'bad_transition',
  'rate_limited',
  'overloaded',
  'unavailable',
];

/** Refusals after which the same request, with the same key, may be answered. */
export const PASSING = ['busy', 'rate_limited', 'overloaded', 'unavailable'];

/** How a promise can break, in words. */
export const BROKEN = {
  oversold: 'more places were held and sold than there are, or one seat twice',
  lost: 'an acknowledged booking was not found again as it had been acknowledged',
  server_error: 'a server error other than 503 overloaded',
  undocumented: 'an answer that the contract does not have for this request',
  false_answer: 'an answer whose contents are not what was asked for',
  books: 'the counters, the list of bookings and the seat map disagree',
  unread: 'the books could not be read at the end, so nothing is shown',
};

/**
 * What a reply is: `answer`, `refused` by `code`, `unanswered` (nothing came back), or `wrong` for a `reason` of BROKEN.
 * @param reply { status, body (parsed, or undefined), retryAfter }
 */
export function judge(operation, reply, allowed = []) {
  const { answers, refuses, otherwise = 'undocumented' } = OPERATIONS[operation];
  const { status, body, retryAfter } = reply;
  if (status === 0) return { kind: 'unanswered' };
  if (answers.includes(status)) {
    const readable = status === 304 || (typeof body === 'object' && body !== null);
    return readable ? { kind: 'answer' } : { kind: 'wrong', reason: 'false_answer' };
  }
  const code = body?.code;
  const expected = refuses[code] ?? ANYWHERE[code] ?? (allowed.includes(code) ? 503 : undefined);
  if (expected !== status) return { kind: 'wrong', reason: status >= 500 ? 'server_error' : otherwise, code };
  const mustWait = status === 429 || status === 503;
  if (mustWait && !(Number(retryAfter) >= 0)) return { kind: 'wrong', reason: 'undocumented', code };
  return { kind: 'refused', code };
}

/** Why what was read is not the booking that was acknowledged; null where it is. `now` is the server's time, in milliseconds. */
export function differs(acknowledged, read, now) {
  if (read.id !== acknowledged.id) return `has the id ${read.id}`;
  const { status, maybe, expiresAt } = acknowledged;
  const ended =
    status === 'PENDING' && now >= expiresAt - 2_000 && read.status === 'CANCELLED' && read.cancelReason === 'expired';
  if (read.status !== status && read.status !== maybe && !ended) return `reads ${read.status} instead of ${status}`;
  if (itemsOf(read) !== acknowledged.items) return `has ${itemsOf(read)} instead of ${acknowledged.items}`;
  const tickets = read.tickets?.length ?? 0;
  if (read.status === 'CONFIRMED' && tickets !== unitsOf(read)) return `has ${tickets} tickets for ${unitsOf(read)} places`;
  return null;
}

/** What a booking is for, as a text that is the same for the same things. */
export const itemsOf = ({ items }) =>
  JSON.stringify(items.map((i) => [i.ticketTypeId, i.quantity, [...(i.seatIds ?? [])].sort()]).sort());

/** How many places a booking is for. */
export const unitsOf = ({ items }) => items.reduce((sum, i) => sum + i.quantity, 0);
