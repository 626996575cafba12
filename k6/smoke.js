// Smoke: one buyer after the other through everything these scripts rely on, in seconds; what is not as the contract says is named.
import { check } from 'k6';
import { closeBooks } from './lib/books.js';
import { book, cancel, confirm, lookAgain, person } from './lib/buyer.js';
import { call, send } from './lib/client.js';
import { promisesFor } from './lib/metrics.js';
import { setTheStage } from './lib/stage.js';
import { summaryOf } from './lib/words.js';

const PLACES = 4;
const SEATS = 8;

export const options = {
  scenarios: { smoke: { executor: 'per-vu-iterations', vus: 1, iterations: 1, maxDuration: '2m', exec: 'smoke' } },
  thresholds: {
    ...promisesFor(PLACES + SEATS),
    checks: ['rate==1'],
    acknowledged: ['count>=3'],
    unanswered: ['rate==0'],
    limited: ['rate==0'],
  },
};

export const setup = () => {
  const wish = { holdSeconds: 600, duration: 120 };
  const stage = setTheStage({ ...wish, places: PLACES });
  return { ...stage, hall: setTheStage({ ...wish, seats: SEATS }) };
};

const holds = (name, fine) => check(null, { [name]: () => Boolean(fine) });
const available = (stage) => call('availability', { at: { id: stage.sale.eventId } }).body?.ticketTypes?.[0];

export function smoke(stage) {
  readsAreRight(stage);
  keysHold(stage);
  placesAreCounted(stage);
  seatsAreOnes(stage.hall);
  lookAgain();
}

function readsAreRight(stage) {
  const at = { id: stage.sale.eventId };
  const event = call('event', { at });
  holds('the event is read as it was published', event.body?.status === 'published' && event.body.ticketTypes?.length === 2);
  holds('an ETag makes the next read a 304', event.etag && call('event', { at, etag: event.etag }).status === 304);
  const found = call('search', { at, query: `?q=${stage.run}` });
  holds(
    'search finds it',
    found.body?.items?.some(({ id }) => id === at.id),
  );
  holds('all places are available', available(stage)?.available === PLACES);
}

function keysHold(stage) {
  const at = { id: stage.sale.eventId };
  const buyer = person(stage, 'keys');
  const body = { items: [{ ticketTypeId: stage.sale.types[0], quantity: 1 }], contact: { email: buyer.email } };
  const { status, body: problem } = send('book', { at, body });
  holds('a booking needs an Idempotency-Key', status === 400 && problem?.code === 'idempotency_key_required');
  const { promise } = book(buyer, body.items);
  if (!promise) return;
  const again = send('book', { at, key: `${buyer.key}-book`, body });
  holds('the same key again is the same booking', again.status === 201 && again.body?.id === promise.id);
  const other = { ...body, items: [{ ...body.items[0], quantity: 2 }] };
  const reused = send('book', { at, key: `${buyer.key}-book`, body: other });
  holds('the same key with another body is refused', reused.status === 422 && reused.body?.code === 'idempotency_key_reused');
  confirm(buyer, promise);
  const read = send('booking', { at: { id: promise.id }, token: promise.token });
  holds('a confirmed booking has a signed ticket', read.body?.tickets?.[0]?.code?.split('.').length === 3);
  const stranger = send('booking', { at: { id: promise.id }, token: 'nobody' });
  holds('a stranger does not see it', [401, 404].includes(stranger.status));
}

/** One place is sold by now. */
function placesAreCounted(stage) {
  const [ticketTypeId, sister] = stage.sale.types;
  const taker = person(stage, 'taker');
  const { promise } = book(taker, [
    { ticketTypeId, quantity: 2 },
    { ticketTypeId: sister, quantity: 1 },
  ]);
  holds('the places that are left can be booked', promise);
  holds('nothing is left then', available(stage)?.available === 0 && available(stage).state === 'sold_out');
  holds('more is sold_out', book(person(stage, 'late'), [{ ticketTypeId, quantity: 1 }]).code === 'sold_out');
  if (!promise) return;
  cancel(taker, promise);
  const { promise: later } = book(person(stage, 'later'), [{ ticketTypeId, quantity: 3 }]);
  holds('cancelled places can be booked again', later);
  holds(
    'more than there are at once is sold_out',
    book(person(stage, 'greedy'), [{ ticketTypeId, quantity: 2 }]).code === 'sold_out',
  );
}

function seatsAreOnes(hall) {
  const at = { id: hall.sale.eventId };
  const [ticketTypeId] = hall.sale.types;
  const map = call('seats', { at }).body?.seats ?? [];
  const mine = map.filter((seat) => seat.ticketTypeId === ticketTypeId).slice(0, 2);
  const seatIds = mine.map(({ id }) => id);
  holds('the seat map shows free seats of the zone', mine.length === 2 && mine.every(({ state }) => state === 'free'));
  if (mine.length < 2) return;
  const first = person(hall, 'first');
  const { promise } = book(first, [{ ticketTypeId, seatIds }]);
  holds('seats can be booked by name', promise);
  holds(
    'a taken seat is seat_taken',
    book(person(hall, 'second'), [{ ticketTypeId, seatIds: [seatIds[1]] }]).code === 'seat_taken',
  );
  const best = book(person(hall, 'best'), [{ ticketTypeId, quantity: 2 }]);
  const given = best.body?.items?.[0]?.seatIds ?? [];
  holds('the best available seats are others', given.length === 2 && !given.some((id) => seatIds.includes(id)));
  if (promise) confirm(first, promise);
}

export function teardown(stage) {
  closeBooks(stage);
  closeBooks(stage.hall);
}

export const handleSummary = summaryOf({
  script: 'smoke',
  tried: () => 'one buyer after the other: reading, keys, places, seats, cancelling.',
  more: (data) => {
    const failed = data.root_group.checks.filter(({ fails }) => fails > 0);
    const words = failed.map(({ name }) => `NOT TRUE: ${name}`).join('\n');
    return [['Checks', words || `${data.root_group.checks.length} of ${data.root_group.checks.length} hold.`]];
  },
});
