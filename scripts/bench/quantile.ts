// Quantiles: below which value a share of what was measured stayed.

/**
 * Of an ascending list, `share` from 0 to 1; 0 of an empty list. Between two values it is the upper one: a rehearsal's `percentile`,
 * by nearest rank, is the lower one.
 */
export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

export const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

export const median = (list: readonly number[]): number => quantile(ascending(list), 0.5);

/** The value that 99 of 100 stayed below. */
export const p99 = (list: readonly number[]): number => quantile(ascending(list), 0.99);
