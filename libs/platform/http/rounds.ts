// Rounds: what a turn of the event loop brings in is begun in one go, once all sockets that were ready are read.
//
// Done as each request arrives, its work starts with cold caches every time: between two of them the processor reads and writes a socket, parses
// HTTP and matches a route, and has forgotten how a body is checked. One after the other, the second request takes half of what the first took.

//
// And a round waits while connections come. Node takes one from the kernel each time the event loop turns (libuv since 1.45), so a turn that does a round's
// work keeps everybody else of a crowd at the door: buyers who connect while others are busy buying would wait for one turn each, seconds in all.

import type { EventEmitter } from 'node:events';

/** So many in one go; then the event loop turns, so that others are heard. And for so many connections in a row a round waits. */
export const MOST = 64;

export class Rounds {
  private waiting: (() => void)[] = [];
  private connected = false;
  private waited = 0;

  /** Lets those in first who connect to a server. */
  heed(server: EventEmitter): void {
    server.on('connection', () => (this.connected = true));
  }

  /** Runs work in the next round. It must not throw, and is surrounded by what surrounded the first of the round: `carried` says otherwise. */
  join(work: () => void): void {
    if (this.waiting.push(work) === 1) setImmediate(this.run);
  }

  private readonly run = (): void => {
    const more = this.connected && this.waited < MOST;
    this.waited = more ? this.waited + 1 : 0;
    this.connected = false;
    if (more) return void setImmediate(this.run);
    const round = this.waiting;
    this.waiting = round.length > MOST ? round.splice(MOST) : [];
    if (this.waiting.length > 0) setImmediate(this.run);
    for (const work of round) work();
  };
}
