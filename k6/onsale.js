// On-sale: a burst of buyers, all at once, for few places; then nothing may be sold twice and nothing acknowledged may be lost.
import exec from 'k6/execution';
import { closeBooks, watch as watchCounters } from './lib/books.js';
import { book, confirm, lookAgain, person } from './lib/buyer.js';
import { noSlowerThan, promisesFor } from './lib/metrics.js';
import { burst, plan } from './lib/plan.js';
import { seconds, whole } from './lib/settings.js';
import { setTheStage } from './lib/stage.js';
import { percent, figure, summaryOf, turns } from './lib/words.js';

const buyers = whole('EVENTLY_BUYERS', 200);
const places = whole('EVENTLY_PLACES', Math.ceil(buyers / 4));
const users = Math.min(buyers, whole('EVENTLY_USERS', 300));
const size = { seconds: seconds('EVENTLY_DURATION', 10 + Math.ceil(buyers / 100)), users };

export const options = plan(burst(buyers, size), size, {
  ...promisesFor(places),
  // A crowd of n that were served one by one would make the last wait n times as long as one alone. Deciding together must beat that.
  ...noSlowerThan(users),
  overloaded: ['rate<0.05'],
  // With twice as many buyers as places, (almost) all places are taken in the end.
  taken: [`value>=${buyers >= 2 * places ? 0.95 : 0}`],
});

export const setup = () => setTheStage({ places, holdSeconds: 3600, duration: size.seconds });

export function rush(stage) {
  const n = exec.scenario.iterationInTest;
  const buyer = person(stage, n);
  const { promise } = book(buyer, [{ ticketTypeId: stage.sale.types[n % 2], quantity: n % 4 === 3 ? 2 : 1 }]);
  if (promise && n % 5 !== 4) confirm(buyer, promise);
}

export const watch = watchCounters;
export const look = lookAgain;
export const teardown = closeBooks;

export const handleSummary = summaryOf({
  script: 'onsale',
  tried: (data) => `${buyers} buyers for ${places} places, ${users} of them at a time.${turns(data, buyers)}`,
  more: (data) => [['Taken', `${percent(figure(data, 'taken', 'value'))} of the places at the end.`]],
});
