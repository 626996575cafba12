// Supervisor: starts again what dies, slower each time it dies soon, and stops everything in order.
import { setTimeout as wait } from 'node:timers/promises';
import { copyFileSync, existsSync, statSync, truncateSync } from 'node:fs';
import { children } from './child.mjs';
import { note } from './progress.mjs';

const firstDelayMs = 200;
const longestDelayMs = 10_000;
/** Whoever lived this long may be restarted at once again. */
const steadyMs = 5_000;
const logBytes = 50 * 2 ** 20;

export class Supervisor {
  #ending = new AbortController();

  /** Watches a started child until stop(). */
  keep(child) {
    void this.#watch(child);
  }

  /** Stops all that runs: apps at the same time, so that they drain together, then the servers below them, Redis before Postgres. */
  async stop() {
    this.#ending.abort();
    const { apps, servers } = inStoppingOrder();
    await Promise.all(apps.map((child) => child.stop(25_000)));
    for (const server of servers) await server.stop(60_000);
  }

  /** Ends all at once. */
  async abort() {
    this.#ending.abort();
    await Promise.all([...children].map((child) => child.abort()));
  }

  async #watch(child) {
    let delayMs = firstDelayMs;
    let failures = 0;
    while (!this.#ending.signal.aborted) {
      const since = performance.now();
      await this.#alive(child);
      if (this.#ending.signal.aborted) return;
      if (child.restarting) {
        await child.restarting.done;
        continue;
      }
      if (!child.wanted) return;
      if (performance.now() - since > steadyMs) delayMs = firstDelayMs;
      const { signal, code } = child.ended;
      note(`${child.name} ended (${signal ?? `exit code ${code}`}); starting it again in ${delayMs / 1000} s`);
      await wait(delayMs, undefined, { signal: this.#ending.signal }).catch(() => {});
      if (this.#ending.signal.aborted) return;
      delayMs = Math.min(delayMs * 2, longestDelayMs);
      const began = performance.now();
      try {
        await child.start();
        failures = 0;
        note(`${child.name} is back (${((performance.now() - began) / 1000).toFixed(1)} s)`);
      } catch (error) {
        if (!this.#ending.signal.aborted) note(failures++ === 0 ? error.message : `${child.name} still does not start`);
      }
    }
  }

  /** Resolves when the child has ended; meanwhile keeps its log from filling the disk. */
  async #alive(child) {
    const timer = setInterval(() => shorten(child.options.log), 60_000);
    await child.exited;
    clearInterval(timer);
  }
}

/** Those that run: { apps, servers }. */
export function inStoppingOrder() {
  const running = [...children].filter((child) => child.running).toReversed();
  return { apps: running.filter((child) => child.options.app), servers: running.filter((child) => !child.options.app) };
}

/** Moves a log that grew too long to NAME.1. The child appends, so it goes on in the emptied file. */
function shorten(log) {
  if (!existsSync(log) || statSync(log).size < logBytes) return;
  copyFileSync(log, `${log}.1`);
  truncateSync(log);
}
