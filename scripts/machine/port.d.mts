// Port, as TypeScript sees it: what tests, benchmarks and rehearsals may use of it.

/** A free port that no client will be given. */
export function freePort(): Promise<number>;
