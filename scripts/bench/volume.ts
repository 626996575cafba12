// Volume: how much slower reading and booking are with much data than with little, in one run, turn by turn.
import type { Row } from './measure.js';
import { median, p99 } from './quantile.js';
import { READS, bookAndConfirm, times } from './volume.asks.js';
import { House, demandRoom } from './volume.house.js';
import type { Size } from './volume.rows.js';

const LITTLE: Size = { events: 10_000, bookings: 5_000 };
const MUCH: Size = { events: 10_000_000, bookings: 5_000_000 };
const AT_ONCE = 2;
/** Different things asked for in a round, of each kind: for the first time, and then again and again, as what is popular is. */
const DRAWS = 200;
const ASKS = 600;
const BOOKINGS = 300;
const ROUNDS = 5;

/** What a command line may say of how much is loaded; without a word ten million events and five million bookings. */
export const volumeOptions = { events: { type: 'string' }, bookings: { type: 'string' } } as const;

export async function benchVolume(asked: { events?: string; bookings?: string }): Promise<Row[]> {
  const size = { events: Number(asked.events ?? MUCH.events), bookings: Number(asked.bookings ?? MUCH.bookings) };
  if (!Object.values(size).every((n) => Number.isSafeInteger(n) && n >= 1000))
    throw new Error('--events and --bookings: whole numbers from 1000 on.');
  demandRoom(size);
  const stopping = new AbortController();
  const stop = () => stopping.abort(new Error('Stopped. What was loaded is removed.'));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  const houses: House[] = [];
  try {
    console.log(`volume: loading ${LITTLE.events} events, then ${size.events}`);
    for (const each of [LITTLE, size]) houses.push(await House.open(each, stopping.signal));
    return await compare(houses[0], houses[1], stopping.signal);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
    for (const house of houses) await house.close();
  }
}

/** What was measured in one round, by name: milliseconds each. */
type Times = Record<string, number[]>;
type Measure = (house: House, round: number) => Promise<Times>;

async function compare(little: House, much: House, signal: AbortSignal): Promise<Row[]> {
  const rows: Row[] = [];
  const reads = Object.keys(READS).map((name): Measure => (house, round) => reading(house, name, round)); // prettier-ignore
  const measures: Measure[] = [...reads, booking];
  for (const house of [little, much]) await house.adaLogsIn();
  for (const measure of measures) {
    const rounds: [Times, Times][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      signal.throwIfAborted();
      // Every other round the other way round, so that neither always comes first.
      const order = round % 2 === 0 ? [little, much] : [much, little];
      const told = new Map<House, Times>();
      for (const house of order) told.set(house, await measure(house, round));
      rounds.push([told.get(little)!, told.get(much)!]);
    }
    const names = Object.keys(rounds[0][0]);
    const found = names.map((name) => ratioOf(name, rounds.map(([few, many]) => [few[name], many[name]]))); // prettier-ignore
    for (const row of found) console.log(`  ${row.name.padEnd(68)} ${row.figure}`);
    rows.push(...found);
  }
  return rows;
}

/** The ratio over all rounds together; in brackets those of single rounds, whose p99 is a handful of asks and so swings. */
function ratioOf(name: string, rounds: [number[], number[]][]): Row {
  const [few, many] = [0, 1].map((side) => p99(rounds.flatMap((r) => r[side])));
  const [middle, middles] = [0, 1].map((side) => median(rounds.flatMap((r) => r[side])));
  const values = rounds.map(([a, b]) => p99(b) / p99(a));
  const bounds = `[${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)}]`;
  const ms = `${many.toFixed(1)} / ${few.toFixed(1)} ms, median ${middles.toFixed(1)} / ${middle.toFixed(1)}`;
  return {
    name: `p99 of ${name}, much data / little`,
    figure: `${(many / few).toFixed(2)} ${bounds} (${ms})`,
    aim: 'at most 1.5',
    values,
    ratio: true,
  };
}

async function reading(house: House, name: string, round: number): Promise<Times> {
  const once = async (i: number) => {
    const began = performance.now();
    await house.must(200, READS[name](house, round * DRAWS + (i % DRAWS)));
    return performance.now() - began;
  };
  const first = await times(DRAWS, AT_ONCE, once);
  return { [`${name}, asked before`]: await times(ASKS, AT_ONCE, once), [`${name}, the first time`]: first };
}

async function booking(house: House, round: number): Promise<Times> {
  const holds: number[] = [];
  const confirms: number[] = [];
  const once = async (i: number) => {
    const took = await bookAndConfirm(house, round * DRAWS + (i % DRAWS));
    holds.push(took.hold);
    confirms.push(took.confirm);
    return took.hold;
  };
  await times(DRAWS, AT_ONCE, once);
  holds.length = confirms.length = 0;
  await times(BOOKINGS, AT_ONCE, once);
  return { hold: holds, confirm: confirms };
}
