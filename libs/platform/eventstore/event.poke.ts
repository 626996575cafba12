// The poke: tells waiting consumers through Redis that something was committed. Only a hint; polling is the truth.
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

const CHANNEL = 'committed';

@Injectable()
export class EventPoke {
  private planned = false;

  constructor(private readonly redis: Redis) {}

  /** Coalesced: however many commits in one turn of the event loop, one message leaves. */
  tell(): void {
    if (this.planned) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.redis.publish(CHANNEL, '1');
    });
  }

  /** Calls back on each poke, from any process; returns how to stop. */
  listen(heard: () => void): Promise<() => Promise<void>> {
    return this.redis.subscribe(CHANNEL, heard);
  }
}
