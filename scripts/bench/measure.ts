// Measuring: rounds of two variants in turn, A B A B, and the ratio pair by pair, so that a machine whose speed drifts does not decide.
import type { Measured } from './house.js';
import { median } from './quantile.js';

export interface Row {
  name: string;
  figure: string;
  aim: string;
  values: number[];
  /** The values are ratios, one a round, to be shown against the aim. */
  ratio?: boolean;
}

/** Median and, in brackets, least and most. */
export const spread = (list: number[], digits = 1): string =>
  `${median(list).toFixed(digits)} [${Math.min(...list).toFixed(digits)}-${Math.max(...list).toFixed(digits)}]`;

/** Runs `once` on so many workers at a time for some seconds; how often a second it was done. */
export async function rate(workers: number, seconds: number, once: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1000;
  let n = 0;
  const work = async () => {
    while (performance.now() < end) {
      await once();
      n += 1;
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return n / ((performance.now() - began) / 1000);
}

/** A ratio within each round. */
export function ratio<R>(name: string, aim: string, rounds: R[], of: (round: R) => number): Row {
  const values = rounds.map(of);
  return { name, aim, figure: spread(values, 2), values, ratio: true };
}

/** What a variant came to in a round, in a line. */
export const said = (name: string, { rate, p50, p99, cpu }: Measured) =>
  `  ${name.padEnd(10)} ${rate.toFixed(0).padStart(6)}/s  p50 ${p50.toFixed(1).padStart(6)}  p99 ${p99.toFixed(1).padStart(6)} ms  ` +
  `cores: server ${cpu.server.toFixed(2)}, Postgres ${cpu.postgres.toFixed(2)}, generator ${cpu.generator.toFixed(2)}  ${microsOf({ rate, cpu })} us of the server each`;

/** Microseconds of the server's processor time a reply took: says more than the rate where the machine is shared. */
const microsOf = ({ rate, cpu }: Pick<Measured, 'rate' | 'cpu'>) => Math.round((cpu.server / rate) * 1e6);

/** Plain figures behind ratios: rate, latency, processor time. */
export function rates(where: string, rounds: Record<string, Measured>[]): Row[] {
  return Object.keys(rounds[0]).map((name) => {
    const all = rounds.map((r) => r[name]);
    const mid = (of: (m: Measured) => number) => median(all.map(of));
    const more = `p50 ${mid((m) => m.p50).toFixed(1)}, p99 ${mid((m) => m.p99).toFixed(1)} ms, ${mid(microsOf)} us of the server each`;
    const values = all.map((m) => m.rate);
    return { name: `  ${name}, ${where}: replies/s (${more})`, figure: spread(values, 0), aim: '', values };
  });
}
