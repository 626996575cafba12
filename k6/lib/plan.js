// Plan: the three scenarios of a run under load: the rush, somebody who watches the counters, and everybody looking again afterwards.

/** Who is in the middle of something when the rush ends may finish it for so long. */
const GRACE = 5;

/**
 * The scenarios and the other options every script shares. The last scenario takes exactly the virtual users of the first two, so that
 * each looks for what it was promised; what was not looked for stays unaccounted, and that is a threshold.
 * @param rush the executor and its options; @param size { seconds, users } of it
 */
export function plan(rush, { seconds, users }, thresholds) {
  const graceful = { gracefulStop: `${GRACE}s` };
  return {
    scenarios: {
      rush: { ...rush, ...graceful, exec: 'rush' },
      watch: { executor: 'constant-vus', vus: 1, duration: `${seconds}s`, ...graceful, exec: 'watch' },
      look: {
        executor: 'per-vu-iterations',
        vus: users + 1,
        iterations: 1,
        startTime: `${seconds + GRACE}s`,
        maxDuration: '30m',
        exec: 'look',
      },
    },
    thresholds,
    setupTimeout: '5m',
    teardownTimeout: '10m',
  };
}

/** Everybody at once: each virtual user is one buyer after the other until all have had a turn. */
export const burst = (buyers, { seconds, users }) => ({
  executor: 'shared-iterations',
  vus: users,
  iterations: buyers,
  maxDuration: `${seconds}s`,
});

/** So many a second, whether or not those before have been answered. */
export const steady = (rate, { seconds, users }) => ({
  executor: 'constant-arrival-rate',
  rate,
  timeUnit: '1s',
  duration: `${seconds}s`,
  preAllocatedVUs: users,
  maxVUs: users,
});
