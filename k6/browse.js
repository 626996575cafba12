// Browse: visitors at a steady rate who list, read the event with the ETags they know, see what is left; some book, confirm, cancel.
import { closeBooks, watch as watchCounters } from './lib/books.js';
import { lookAgain } from './lib/buyer.js';
import { noSlowerThan, promisesFor } from './lib/metrics.js';
import { plan, steady } from './lib/plan.js';
import { seconds, whole } from './lib/settings.js';
import { setTheStage } from './lib/stage.js';
import { visit } from './lib/visitor.js';
import { figure, percent, summaryOf, turns } from './lib/words.js';

const rate = whole('EVENTLY_RATE', 10);
const size = { seconds: seconds('EVENTLY_DURATION', 30), users: whole('EVENTLY_USERS', 50) };
const mix = { book: 0.4, confirm: 0.8, cancel: 0.2 };
const visitors = rate * size.seconds;
const places = whole('EVENTLY_PLACES', visitors);

export const options = plan(steady(rate, size), size, {
  ...promisesFor(places),
  // So few visitors hardly meet, so each must be served about as fast as one alone.
  ...noSlowerThan(10),
  overloaded: ['rate<0.01'],
  unchanged: ['rate>0.9'],
});

export const setup = () => setTheStage({ places, holdSeconds: 3600, duration: size.seconds });
export const rush = (stage) => visit(stage, mix);
export const watch = watchCounters;
export const look = lookAgain;
export const teardown = closeBooks;

export const handleSummary = summaryOf({
  script: 'browse',
  tried: (data) => `${visitors} visitors, ${rate} a second, of whom 4 in 10 book, for ${places} places.${turns(data, visitors)}`,
  more: (data) => [
    [
      'Caches',
      `${percent(figure(data, 'unchanged', 'rate'))} of the reads of the unchanged event with its ETag were answered 304.`,
    ],
  ],
});
