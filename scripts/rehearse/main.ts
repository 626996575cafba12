// Main: reads the command line, finds the server, runs the rush or the replay, reports, and returns the exit status.
import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { arrivalsOf } from './arrivals.js';
import { Client, now } from './client.js';
import { judge, passed, remarksOn } from './judge.js';
import { Measure } from './measure.js';
import { parseOptions, usage, UsageError, type Options } from './options.js';
import { reportPage } from './page.js';
import { Progress, rushLine, type Screen } from './progress.js';
import { Replay } from './replay.js';
import { replayPage, replayPassed, replayText } from './replay.report.js';
import { reportText } from './report.js';
import { arrivalDates, readReservations, type Reservation } from './reservations.js';
import { Rush } from './rush.js';
import { findServer, homeOf, type Server } from './server.js';

export interface Terminal {
  argv: string[];
  env: Readonly<Record<string, string | undefined>>;
  out: Screen;
  err: Screen;
}

interface Stage {
  server: Server;
  options: Options;
  client: Client;
  measure: Measure;
  terminal: Terminal;
}

/** 0: every invariant held, 1: one broke or could not be shown to hold, 2: the run could not be made. */
export async function main(terminal: Terminal): Promise<number> {
  let server: Server | undefined;
  const interrupted = () => {
    terminal.err.write('\nInterrupted.\n');
    void (server?.stop() ?? Promise.resolve()).then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    const options = parseOptions(terminal.argv, () => randomInt(2 ** 32));
    if (!options) {
      terminal.out.write(`${usage}\n`);
      return 0;
    }
    const { url, rush } = options;
    // A mistake in a file should be told before a server is started for it.
    const reservations = options.replay === undefined ? undefined : readReservations(options.replay);
    const arrivals = arrivalsOf(rush);
    server = await findServer({ url, kill: rush.kill, env: terminal.env, say: (line) => terminal.out.write(`${line}\n`) });
    const measure = new Measure();
    const client = new Client(server.base, options.connections, measure.record);
    try {
      const stage = { server, options, client, measure, terminal };
      return await (reservations ? rehearseReplay(stage, reservations) : rehearseRush(stage, arrivals));
    } finally {
      client.close();
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err.write(`rehearse: ${error.message}\n`);
    return 2;
  } finally {
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    await server?.stop();
  }
}

async function rehearseRush(stage: Stage, arrivals: readonly number[]): Promise<number> {
  const { options, client, measure, server, terminal } = stage;
  const progress = new Progress(terminal.out, () => rushLine(rush.view, measure));
  const rush = new Rush({ server, client, measure, options, arrivals, say: progress.say });
  progress.say(
    `Seed ${options.seed}${rush.plan.length > 0 ? `, kills: ${rush.plan.map(({ role, at }) => `${role} at ${at.toFixed(2)} s`).join(', ')}` : ''}`,
  );
  progress.start();
  const record = await rush.run().finally(() => progress.stop());
  const verdicts = judge(record, rush.kills);
  const report = {
    options,
    base: server.base,
    record,
    measure,
    verdicts,
    remarks: remarksOn(record),
    kills: rush.kills,
    endedAt: now(),
  };
  terminal.out.write(`${reportText(report)}\n`);
  writePage(stage, reportPage(report));
  return passed(verdicts) ? 0 : 1;
}

async function rehearseReplay(stage: Stage, reservations: readonly Reservation[]): Promise<number> {
  const { options, client, measure, server, terminal } = stage;
  const { dates, weeks } = arrivalDates(reservations, new Date().toISOString().slice(0, 10));
  const progress = new Progress(terminal.out, () => {
    const { dates: set, booked, confirmed, cancelled } = replay.done;
    if (set < dates.length)
      return `setting the stage: ${set} of ${dates.length} events, ${Math.round(measure.recent('setup', 2_000).rate)} requests/s`;
    const { rate, p50, p99 } = measure.recent('book', 2_000);
    const latency = `${Math.round(rate)}/s p50 ${p50.toFixed(0)} p99 ${p99.toFixed(0)} ms`;
    return `booked ${booked} of ${reservations.length} (${latency}), confirmed ${confirmed}, cancelled ${cancelled}`;
  });
  const replay = new Replay(
    { client, measure, seed: options.seed, patienceMs: options.patience * 1000, atATime: options.connections, say: progress.say },
    dates,
    reservations,
  );
  progress.say(`${reservations.length} reservations of ${dates.length} arrival dates, moved ${weeks} weeks ahead.`);
  progress.start();
  const result = await replay.run().finally(() => progress.stop());
  const report = { file: options.replay!, base: server.base, weeks, events: dates.length, result, measure };
  terminal.out.write(`${replayText(report)}\n`);
  writePage(stage, replayPage(report));
  return replayPassed(result) ? 0 : 1;
}

function writePage({ options, terminal }: Stage, html: string): void {
  const file = resolve(options.report ?? join(homeOf(terminal.env), 'rehearsal.html'));
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, html);
    terminal.out.write(`The report with plots: ${file}\n`);
  } catch (error) {
    // The verdict stands even where its page cannot be written.
    terminal.err.write(
      `The page could not be written to ${file} (${(error as Error).message}); give another place with --report.\n`,
    );
  }
}
