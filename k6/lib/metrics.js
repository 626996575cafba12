// Metrics: what is counted while a script runs, and the thresholds every script has. The words of the summary are made of these.
import { Counter, Gauge, Rate, Trend } from 'k6/metrics';
import { BROKEN, CODES, PASSING } from './verdict.js';

/** Of everything that was judged, the share that broke a promise, and how often by which. */
const wrong = new Rate('wrong');
const broken = new Counter('broken');
/** Requests refused by a documented code, by code; and the shares of all requests that decide whether a run says anything. */
const refused = new Counter('refused');
const limited = new Rate('limited');
const overloaded = new Rate('overloaded');
const unanswered = new Rate('unanswered');
/** How often it takes what the same request took one buyer alone, before. */
const slower = new Trend('slower');
/** Of reads that sent an ETag of something that did not change: the share answered 304. */
export const unchanged = new Rate('unchanged');

/** Bookings that were acknowledged, and those of them not found again yet: one more with each, one less with each found. */
export const acknowledged = new Counter('acknowledged');
export const unaccounted = new Counter('unaccounted');
/** Places of all bookings that buyers still have when they look: never more than there are, whatever the counters say. */
export const promised = new Counter('promised');
/** Of these the confirmed ones, less those on the organizer's list: none may be missing there. */
export const unlisted = new Counter('unlisted');
/** Places by what became of them, as buyers were told: held, confirmed, cancelled. */
export const places = new Counter('places');
/** Places as the books have them at the end: capacity, held, sold; and the share that is taken. */
export const atEnd = new Counter('at_end');
export const taken = new Gauge('taken');
export const readings = new Counter('readings');

let told = 0;

/** A promise broke: counted, and the first ones of each virtual user told with what shows it. */
export function broke(reason, detail) {
  wrong.add(true);
  broken.add(1, { reason });
  if (told++ < 3) console.error(`${reason}: ${detail}`);
}

/** Something was looked at and is right. */
export const held = () => wrong.add(false);

/** Counts one reply by its verdict. `tags` say of which step or part of the run it is. */
export function count(verdict, { times, kind, tags = {} }) {
  if (verdict.kind !== 'wrong') wrong.add(false);
  if (verdict.kind === 'refused') refused.add(1, { code: verdict.code });
  limited.add(verdict.code === 'rate_limited');
  overloaded.add(verdict.code === 'overloaded', tags);
  unanswered.add(verdict.kind === 'unanswered', tags);
  const decided = verdict.kind === 'answer' || (verdict.kind === 'refused' && !PASSING.includes(verdict.code));
  if (times !== undefined && decided) slower.add(times, { kind, ...tags }); // Being turned away is quick, and no service.
}

/** Thresholds of every script that sells so many places. A bound that always holds is there so that the summary has the figure of that tag. */
export const promisesFor = (capacity) => ({
  wrong: ['rate==0'],
  unaccounted: ['count==0'],
  promised: [`count<=${capacity}`],
  unlisted: ['count<=0'],
  limited: ['rate<0.01'],
  unanswered: ['rate<0.01'],
  ...Object.fromEntries(Object.keys(BROKEN).map((reason) => [`broken{reason:${reason}}`, ['count==0']])),
  ...Object.fromEntries(CODES.map((code) => [`refused{code:${code}}`, ['count>=0']])),
  ...Object.fromEntries(['held', 'confirmed', 'cancelled'].map((state) => [`places{state:${state}}`, ['count>=0']])),
  ...Object.fromEntries(['capacity', 'held', 'sold'].map((of) => [`at_end{of:${of}}`, ['count>=0']])),
  'iterations{scenario:rush}': ['count>=0'],
});

/** Bookings and reads may take so many times what they took one buyer alone, at the 95th percentile. */
export const noSlowerThan = (times) =>
  Object.fromEntries(['read', 'book', 'confirm'].map((kind) => [`slower{kind:${kind}}`, [`p(95)<${times}`]]));
