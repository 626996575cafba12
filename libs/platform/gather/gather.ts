// Gathering: what is asked one by one in a turn of the event loop is answered together, by one question.
import DataLoader from 'dataloader';

export interface GatherOptions {
  /** Where they fail together each is asked alone, so that a poisoned one fails nobody but itself: for what writes. */
  apart?: boolean;
  /** Asked as soon as what runs now has run, and not at the end of the turn: where those who ask come in rounds, nobody else would come until then. */
  soon?: boolean;
}

/** Asks for one, together with whoever else asks in the same turn, at most so many at once. `all` gives an answer for each, in order. */
export function gather<Q, A>(
  most: number,
  all: (asked: readonly Q[]) => Promise<A[]>,
  { apart = false, soon = false }: GatherOptions = {},
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
    batchScheduleFn: soon ? undefined : (send) => setImmediate(send), // By itself it asks once promises that are settled have been heard.
  });
  return (one) => loader.load(one);
}
