// Gathering: what is asked one by one in a turn of the event loop is answered together, by one question.
import DataLoader from 'dataloader';

/** Asks for one, together with whoever else asks in the same turn, at most so many at once. `all` gives an answer for each, in order. */
export function gather<Q, A>(most: number, all: (asked: readonly Q[]) => Promise<A[]>): (one: Q) => Promise<A> {
  const loader = new DataLoader<Q, A>(all, { cache: false, maxBatchSize: most, batchScheduleFn: (send) => setImmediate(send) });
  return (one) => loader.load(one);
}
