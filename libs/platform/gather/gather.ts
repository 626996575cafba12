// Gathering: what is asked one by one in a turn of the event loop is answered together, by one question.
import DataLoader from 'dataloader';

export interface GatherOptions {
  /** Where they fail together each is asked alone, so that a poisoned one fails nobody but itself: for what writes. */
  apart?: boolean;
}

/** Asks for one, together with whoever else asks in the same turn, at most so many at once. `all` gives an answer for each, in order. */
export function gather<Q, A>(
  most: number,
  all: (asked: readonly Q[]) => Promise<A[]>,
  { apart = false }: GatherOptions = {},
): (one: Q) => Promise<A> {
  const alone = (one: Q): Promise<A | Error> => all([one]).then(
    ([answer]) => answer,
    (e: Error) => e,
  ); // prettier-ignore
  const answers = (asked: readonly Q[]): Promise<(A | Error)[]> =>
    all(asked).catch((e: unknown) => {
      if (!apart || asked.length === 1) throw e;
      return Promise.all(asked.map(alone));
    });
  const loader = new DataLoader<Q, A>(answers, {
    cache: false,
    maxBatchSize: most,
    batchScheduleFn: (send) => setImmediate(send),
  });
  return (one) => loader.load(one);
}
