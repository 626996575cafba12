// Options: what the command line may say, with bounds, and a sentence for whoever says something else.
import { parseArgs } from 'node:util';

/** A mistake of the caller, or a server that cannot be reached: one sentence that says what to do, exit status 2. */
export class UsageError extends Error {}

export const roles = ['api', 'worker', 'postgres', 'redis'] as const;
export type Role = (typeof roles)[number];

export interface RushOptions {
  buyers: number;
  /** General admission places. */
  capacity: number;
  /** Numbered seats, besides the places. */
  seats: number;
  /** `burst`, `ramp`, or a file with one arrival a line, in seconds after the opening. */
  arrivals: string;
  /** How long buyers come and come back, in seconds. */
  duration: number;
  holdSeconds: number;
  kill: Role[];
}

export interface Options {
  rush: RushOptions;
  /** A CSV file of reservations to replay instead of a rush. */
  replay?: string;
  url?: URL;
  seed: number;
  connections: number;
  /** How long one request is repeated before it counts as never answered, in seconds. */
  patience: number;
  report?: string;
}

export const usage = `Usage: npm run rehearse -- [options]

Runs an on-sale against a running Evently and judges it from outside, by API replies alone.
Exit status: 0 every invariant held, 1 one broke (with the requests that show it), 2 the run could not be made.

  --buyers N          how many buyers come (default 500)
  --capacity N        general admission places (default 100)
  --seats N           numbered seats, sold besides the places (default 0)
  --arrivals HOW      burst: all at once (default); ramp: more and more of them over the duration;
                      FILE: one number a line, seconds after the opening
  --duration SECONDS  how long buyers come and come back (default 10; with --kill 15 for each role)
  --hold-seconds N    how long a hold lasts, 5 to 3600 (default 10; with --kill 20)
  --kill ROLES        SIGKILL these at random moments: api,worker,postgres,redis (own server only)
  --seed N            the seed of every random choice (default: drawn, and printed)
  --url URL           the Evently to rehearse on (default: this clone's running one, else one of its own
                      that is started for the run with an empty data folder, and stopped after it)
  --replay FILE       replay real reservations instead: CSV with arrival_date, booked_on, price, cancelled
  --connections N     most connections at a time (default 256; with --replay 64)
  --patience SECONDS  how long a request is repeated before it counts as unanswered (default 120)
  --report FILE.html  where the page with plots goes (default: rehearsal.html in the data folder)
  --help              this text`;

const flags = [
  'buyers',
  'capacity',
  'seats',
  'arrivals',
  'duration',
  'hold-seconds',
  'kill',
  'seed',
  'url',
  'replay',
  'connections',
  'patience',
  'report',
] as const;

/** Undefined where help was asked for. Throws UsageError. */
export function parseOptions(argv: string[], drawSeed: () => number): Options | undefined {
  const values = parse(argv);
  if (values.help) return undefined;
  const given = values as Record<string, string | undefined>;
  if (given.replay !== undefined) refuseWithReplay(given);
  const number = (name: string, fallback: number, low: number, high: number) => integer(name, given[name], fallback, low, high);
  const kill = killRoles(given.kill);
  const rush: RushOptions = {
    buyers: number('buyers', 500, 1, 100_000),
    capacity: number('capacity', 100, 0, 1_000_000),
    seats: number('seats', 0, 0, 50_000),
    arrivals: given.arrivals ?? 'burst',
    duration: number('duration', kill.length > 0 ? 15 * kill.length : 10, 1, 3_600),
    holdSeconds: number('hold-seconds', kill.length > 0 ? 20 : 10, 5, 3_600),
    kill,
  };
  if (rush.capacity + rush.seats === 0) throw new UsageError('Nothing is for sale: give --capacity or --seats a number above 0.');
  return {
    rush,
    replay: given.replay,
    url: given.url === undefined ? undefined : address(given.url),
    seed: number('seed', drawSeed(), 0, 2 ** 32 - 1),
    connections: number('connections', given.replay === undefined ? 256 : 64, 1, 4_096),
    patience: number('patience', 120, 1, 3_600),
    report: given.report,
  };
}

function parse(argv: string[]): Record<string, string | boolean | undefined> {
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }]));
  try {
    return parseArgs({ args: argv, options: { ...options, help: { type: 'boolean', short: 'h' } } }).values;
  } catch (error) {
    const reason = (error as Error).message.split('. ')[0];
    throw new UsageError(`${reason}. Known options: ${flags.map((flag) => `--${flag}`).join(' ')} --help.`);
  }
}

function integer(name: string, text: string | undefined, fallback: number, low: number, high: number): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high))
    throw new UsageError(`--${name} must be a whole number from ${low} to ${high}, not "${text}".`);
  return value;
}

function killRoles(text: string | undefined): Role[] {
  if (text === undefined) return [];
  const named = text.split(',').map((name) => name.trim());
  const wrong = named.find((name) => !roles.includes(name as Role));
  if (wrong !== undefined) throw new UsageError(`--kill knows ${roles.join(', ')}, not "${wrong}"; separate several by commas.`);
  return [...new Set(named as Role[])];
}

function address(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    throw new UsageError(`--url must be an address such as http://127.0.0.1:3000, not "${text}".`);
  }
  return url;
}

function refuseWithReplay(given: Record<string, string | undefined>): void {
  const idle = ['buyers', 'capacity', 'seats', 'arrivals', 'duration', 'hold-seconds', 'kill'].filter(
    (name) => given[name] !== undefined,
  );
  if (idle.length === 0) return;
  throw new UsageError(
    `--replay takes buyers and capacity from its file: leave out ${idle.map((name) => `--${name}`).join(', ')}.`,
  );
}
