// Seats: many buyers who want overlapping seats, half of them by name and half the best available; each seat has one winner.
import exec from 'k6/execution';
import { closeBooks, watch as watchCounters } from './lib/books.js';
import { book, confirm, lookAgain, person } from './lib/buyer.js';
import { insist } from './lib/client.js';
import { noSlowerThan, promisesFor } from './lib/metrics.js';
import { burst, plan } from './lib/plan.js';
import { seconds, whole } from './lib/settings.js';
import { setTheStage } from './lib/stage.js';
import { summaryOf, turns } from './lib/words.js';

const buyers = whole('EVENTLY_BUYERS', 200);
const places = whole('EVENTLY_PLACES', Math.max(40, buyers), { low: 4, high: 20_000 });
const users = Math.min(buyers, whole('EVENTLY_USERS', 300));
const size = { seconds: seconds('EVENTLY_DURATION', 10 + Math.ceil(buyers / 50)), users };
/** A buyer whose seats were taken looks at the map again and chooses others, so often. */
const CHOICES = 3;

export const options = plan(burst(buyers, size), size, {
  ...promisesFor(places),
  // As in onsale, and twice that, because the same crowd reads the seat map at the same time.
  ...noSlowerThan(2 * users),
  overloaded: ['rate<0.05'],
});

export const setup = () => setTheStage({ seats: places, holdSeconds: 3600, duration: size.seconds });

export function rush(stage) {
  const n = exec.scenario.iterationInTest;
  const buyer = person(stage, n);
  const together = 1 + (n % 4);
  const type = n % 3; // Two thirds want the front, where they meet.
  const ticketTypeId = stage.sale.types[type === 2 ? 1 : 0];
  for (let choice = 0; choice < CHOICES; choice++) {
    const seatIds = n % 2 ? choose(stage, ticketTypeId, together) : null;
    if (seatIds?.length === 0) return; // The zone is full.
    const { promise, code } = book(buyer, [seatIds ? { ticketTypeId, seatIds } : { ticketTypeId, quantity: together }], {
      again: choice,
    });
    if (promise && n % 5 !== 4) confirm(buyer, promise);
    if (code !== 'seat_taken') return;
  }
}

/** By ticket type, its seats: an app draws the map once, and then asks for what changes. */
let seatsOf;
/** Read by k6 itself: thousands of seats parsed for each buyer would keep this machine busier than the server. */
const ids = (reply, where) => reply.json(`seats.#(${where})#.id`);

/** Seats side by side in the list, near the first free one of the zone: where everybody else looks too. */
function choose(stage, ticketTypeId, together) {
  const pick = (map) => {
    seatsOf ??= Object.fromEntries(stage.sale.types.map((type) => [type, new Set(ids(map, `ticketTypeId=="${type}"`))]));
    return ids(map, 'state=="free"');
  };
  const reply = insist('seats', { at: { id: stage.sale.eventId }, query: seatsOf ? '?fields=id,state' : '', pick });
  if (reply.kind !== 'answer') return [];
  const free = reply.body.filter((id) => seatsOf[ticketTypeId].has(id));
  const from = Math.floor(Math.random() * Math.min(5, free.length));
  return free.slice(from, from + together);
}

export const watch = watchCounters;
export const look = lookAgain;
export const teardown = closeBooks;

export const handleSummary = summaryOf({
  script: 'seats',
  tried: (data) =>
    `${buyers} buyers for ${places} seats, ${users} of them at a time, 1 to 4 seats each, every other one by name.${turns(data, buyers)}`,
});
