// Measuring: rounds of two variants in turn, A B A B, and the ratio pair by pair, so that a machine whose speed drifts does not decide.
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
