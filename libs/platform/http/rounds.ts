// Rounds: what a turn of the event loop brings in is begun in one go, once all sockets that were ready are read.
//
// Done as each request arrives, its work starts with cold caches every time: between two of them the processor reads and writes a socket, parses
// HTTP and matches a route, and has forgotten how a body is checked. One after the other, the second request takes half of what the first took.

/** So many in one go; then the event loop turns, so that others are heard. */
export const MOST = 64;

export class Rounds {
  private waiting: (() => void)[] = [];

  /** Runs work in the next round. It must not throw, and is surrounded by what surrounded the first of the round: `carried` says otherwise. */
  join(work: () => void): void {
    if (this.waiting.push(work) === 1) setImmediate(this.run);
  }

  private readonly run = (): void => {
    const round = this.waiting;
    this.waiting = round.length > MOST ? round.splice(MOST) : [];
    if (this.waiting.length > 0) setImmediate(this.run);
    for (const work of round) work();
  };
}
