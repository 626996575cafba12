// Soak: the same visitors for a long time, with short holds that many walk away from; it must be as fast and as right at the end as at the start.
import exec from 'k6/execution';
import { closeBooks, watch as watchCounters } from './lib/books.js';
import { lookAgain } from './lib/buyer.js';
import { noSlowerThan, promisesFor } from './lib/metrics.js';
import { plan, steady } from './lib/plan.js';
import { seconds, whole } from './lib/settings.js';
import { setTheStage } from './lib/stage.js';
import { visit } from './lib/visitor.js';
import { figure, summaryOf, turns } from './lib/words.js';

const rate = whole('EVENTLY_RATE', 5);
const size = { seconds: seconds('EVENTLY_DURATION', 600), users: whole('EVENTLY_USERS', 50) };
const mix = { book: 0.8, confirm: 0.5, cancel: 0.5 };
const visitors = rate * size.seconds;
/** A little less than is kept in the end, a quarter of what is wanted: without places that come back it would sell out early. */
const places = whole('EVENTLY_PLACES', Math.ceil(visitors * 0.28));
const parts = ['first', 'middle', 'last'];

export const options = plan(steady(rate, size), size, {
  ...promisesFor(places),
  ...noSlowerThan(10),
  overloaded: ['rate<0.01'],
  unchanged: ['rate>0.9'],
  ...Object.fromEntries(parts.map((part) => [`slower{kind:book,part:${part}}`, ['p(95)<10']])),
});

export const setup = () => setTheStage({ places, holdSeconds: 10, duration: size.seconds });

export function rush(stage) {
  const passed = (Date.now() - exec.scenario.startTime) / 1000 / size.seconds;
  visit(stage, mix, { part: parts[Math.min(2, Math.floor(passed * 3))] });
}

export const watch = watchCounters;
export const look = lookAgain;
export const teardown = closeBooks;

export const handleSummary = summaryOf({
  script: 'soak',
  tried: (data) =>
    `${visitors} visitors, ${rate} a second for ${size.seconds} s, for ${places} places held for 10 s at most.${turns(data, visitors)}`,
  more: (data) => {
    const times = parts.map(
      (part) => `${figure(data, `slower{kind:book,part:${part}}`, 'p(95)').toFixed(1)} in the ${part} third`,
    );
    return [['Drift', `booking p95, in times of one buyer alone: ${times.join(', ')}.`]];
  },
});
