// Stress: more and more buyers a second, step by step, until Evently no longer serves them in time; names that step, and what stayed right beyond it.
import { Counter, Rate } from 'k6/metrics';
import exec from 'k6/execution';
import { closeBooks, watch as watchCounters } from './lib/books.js';
import { book, confirm, lookAgain, person } from './lib/buyer.js';
import { noSlowerThan, promisesFor } from './lib/metrics.js';
import { plan } from './lib/plan.js';
import { seconds, whole } from './lib/settings.js';
import { setTheStage } from './lib/stage.js';
import { summaryOf } from './lib/words.js';
import { breakingPoint, stepsOf, tellSteps } from './lib/steps.js';

const users = whole('EVENTLY_USERS', 300);
const steps = stepsOf({
  first: whole('EVENTLY_RATE', 20),
  count: whole('EVENTLY_STEPS', 7, { high: 12 }),
  seconds: seconds('EVENTLY_DURATION', 5),
});
const size = { seconds: steps.at(-1).until, users };
const places = steps.reduce((sum, { wanted }) => sum + wanted, 0);

const begun = new Counter('begun');
/** Of the buyers of a step, the share that was served: told yes or no by the sale itself, not that there is no time for them. */
const served = new Rate('served');

export const options = plan(
  {
    executor: 'ramping-arrival-rate',
    startRate: steps[0].rate,
    timeUnit: '1s',
    preAllocatedVUs: users,
    maxVUs: users,
    stages: steps.flatMap(({ rate, seconds: length }) => [
      { target: rate, duration: '0s' },
      { target: rate, duration: `${length}s` },
    ]),
  },
  size,
  {
    ...promisesFor(places),
    // Beyond the breaking point requests may wait in vain; below it the first step must not be slow, or the rest says nothing.
    unanswered: ['rate<1'],
    ...noSlowerThan(1_000_000),
    'served{step:1}': ['rate>0.95'],
    ...Object.fromEntries(
      steps.flatMap(({ n }) => [
        [`begun{step:${n}}`, ['count>=0']],
        [`slower{kind:book,step:${n}}`, ['p(95)>=0']],
        ...(n > 1 ? [[`served{step:${n}}`, ['rate>=0']]] : []),
      ]),
    ),
  },
);

export const setup = () => setTheStage({ places, holdSeconds: 3600, duration: size.seconds });

export function rush(stage) {
  const passed = (Date.now() - exec.scenario.startTime) / 1000;
  const { n } = steps.find(({ until }) => passed < until) ?? steps.at(-1);
  const tags = { step: String(n) };
  begun.add(1, tags);
  const how = { tries: 1, tags };
  const buyer = person(stage, exec.scenario.iterationInTest);
  const reply = book(buyer, [{ ticketTypeId: stage.sale.types[n % 2], quantity: 1 }], how);
  const confirmed = reply.promise && confirm(buyer, reply.promise, how);
  served.add((confirmed ?? reply).kind === 'answer', tags);
}

export const watch = watchCounters;
export const look = lookAgain;
export const teardown = closeBooks;

export const handleSummary = summaryOf({
  script: 'stress',
  tried: () =>
    `${steps.map(({ rate }) => rate).join(', ')} buyers a second, each step for ${steps[0].seconds} s, at most ${users} at a time.`,
  more: (data) => [
    ['Steps', tellSteps(data, steps)],
    ['Breaks', breakingPoint(data, steps)],
  ],
});
