// Words: the summary of a run as a person would tell it. Pure: made of k6's figures, no k6 in it.
import { BROKEN, CODES } from './verdict.js';

/** One figure of k6's summary; 0 where nothing was counted. */
export const figure = (data, metric, of) => data.metrics[metric]?.values[of] ?? 0;
export const counted = (data, metric) => figure(data, metric, 'count');

/** `1 place`, `2 places`. */
export const some = (n, one, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;
export const percent = (share) => `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)} %`;

/** A sentence about those whose turn did not come; none where everybody had theirs. */
export function turns(data, wanted) {
  const late = wanted - counted(data, 'iterations{scenario:rush}');
  return late > 0 ? ` ${late} of them had no turn before time was up.` : '';
}

/**
 * What k6 calls at the end. `facts`: { script, tried(data) -> sentence, more(data) -> [[title, sentence]] }.
 * @returns k6's handleSummary, which prints the words
 */
export const summaryOf = (facts) => (data) => ({ stdout: tell(facts, data) });

export function tell({ script, tried, more = () => [] }, data) {
  const { setup_data: stage } = data;
  if (!stage) return `\nEvently k6 ${script}: nothing was tried, because the stage could not be set. The error above says why.\n`;
  const lines = [
    ['Tried', `${tried(data)} ${some(counted(data, 'http_reqs'), 'request')} in all.`],
    ['Sold', sold(data)],
    ['Refused', refusals(data)],
    ['Speed', speed(data, stage.base)],
    ...more(data),
    ['Limited', limits(data)],
    ['Promises', promises(data)],
    ['Verdict', verdict(data)],
  ];
  const told = lines
    .filter(([, text]) => text)
    .map(([title, text]) => `${title.padEnd(9)} ${text.replaceAll('\n', `\n${' '.repeat(10)}`)}`);
  return `\nEvently k6 ${script} at ${stage.url}, run ${stage.run}\n\n${told.join('\n')}\n`;
}

function sold(data) {
  const [booked, confirmed, cancelled] = ['held', 'confirmed', 'cancelled'].map((s) => counted(data, `places{state:${s}}`));
  const [capacity, onHold, gone] = ['capacity', 'held', 'sold'].map((of) => counted(data, `at_end{of:${of}}`));
  const bookings = some(counted(data, 'acknowledged'), 'booking');
  const end = capacity ? ` At the end ${gone} sold and ${onHold} held of ${some(capacity, 'place')}.` : '';
  return `${some(booked, 'place')} in ${bookings}; then ${some(confirmed, 'place')} confirmed, ${cancelled} cancelled.${end}`;
}

function refusals(data) {
  const list = CODES.map((code) => [code, counted(data, `refused{code:${code}}`)]).filter(([, n]) => n > 0);
  const silent = figure(data, 'unanswered', 'passes');
  const said = list.map(([code, n]) => `${n} by ${code}`).join(', ') || 'nothing';
  return `${said}.${silent > 0 ? ` ${some(silent, 'request')} had no answer at all.` : ''}`;
}

const KINDS = { read: 'reading the event', book: 'booking', confirm: 'confirming and cancelling' };

/** Per kind: one buyer alone, then the crowd as a multiple of it. */
function speed(data, base) {
  if (!base) return '';
  return Object.entries(KINDS)
    .filter(([kind]) => figure(data, `slower{kind:${kind}}`, 'max') > 0)
    .map(([kind, words]) => {
      const [median, p95] = ['med', 'p(95)'].map((of) => figure(data, `slower{kind:${kind}}`, of).toFixed(1));
      return `${words} took one buyer alone ${base[kind].toFixed(1)} ms, the crowd ${median} times that (median), ${p95} times (p95).`;
    })
    .join('\n');
}

function limits(data) {
  const n = figure(data, 'limited', 'passes');
  if (n === 0) return '';
  return (
    `${some(n, 'request')} (${percent(figure(data, 'limited', 'rate'))}) met the rate limiter (429): this machine is not allowed to make load there.\n` +
    'Set RATE_LIMIT_ALLOW to its address where Evently runs, or raise RATE_LIMITS (docs/operations.md), and run it again:\n' +
    'what the limiter turned away says nothing about how Evently sells.'
  );
}

function promises(data) {
  const broken = Object.entries(BROKEN)
    .map(([reason, words]) => [counted(data, `broken{reason:${reason}}`), words])
    .filter(([n]) => n > 0)
    .map(([n, words]) => `BROKEN ${n === 1 ? 'once' : `${n} times`}: ${words}.`);
  const given = counted(data, 'acknowledged');
  const missing = counted(data, 'unaccounted');
  if (missing > 0) broken.push(`NOT SHOWN: ${missing} of ${some(given, 'acknowledged booking')} could not be looked for again.`);
  const [promised, capacity, unlisted] = ['promised', 'at_end{of:capacity}', 'unlisted'].map((metric) => counted(data, metric));
  if (capacity > 0 && promised > capacity)
    broken.push(`OVERSOLD: buyers have bookings for ${promised} places, and there are ${capacity}.`);
  if (unlisted > 0) broken.push(`BROKEN: ${some(unlisted, 'confirmed place')} of buyers are not on the organizer's list.`);
  if (broken.length > 0) return broken.join('\n');
  const read = counted(data, 'readings');
  const found = given > 0 ? `each of ${some(given, 'acknowledged booking')} was found again as acknowledged; ` : '';
  const counters = read > 0 ? `no reading of the counters (${read}) had more taken than there is; ` : '';
  return `${counters}${found}every answer was one the contract has.`;
}

function verdict(data) {
  const crossed = Object.entries(data.metrics).flatMap(([name, { thresholds = {} }]) =>
    Object.entries(thresholds)
      .filter(([, { ok }]) => !ok)
      .map(([bound]) => `${name} ${bound}`),
  );
  if (crossed.length === 0) return 'every promise held, within every threshold.';
  const promise = /^(wrong|broken|unaccounted|promised|unlisted|checks)/;
  if (crossed.some((name) => promise.test(name)))
    return 'A PROMISE BROKE, or could not be shown to hold. The first cases are in the log above.';
  return `no promise broke, but outside of: ${crossed.join('; ')}.`;
}
