// The poke: tells waiting consumers through Redis which types of domain events were committed. Only a hint; polling is the truth.
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

const CHANNEL = 'committed';

@Injectable()
export class EventPoke {
  private readonly types = new Set<string>();

  constructor(private readonly redis: Redis) {}

  /** Coalesced: however many commits in one turn of the event loop, one message leaves. */
  tell(type: string): void {
    if (this.types.size === 0) setImmediate(() => this.send());
    this.types.add(type);
  }

  private send(): void {
    this.redis.publish(CHANNEL, [...this.types].join(' '));
    this.types.clear();
  }

  /** Calls back on each poke, from any process, with the types committed; returns how to stop. */
  listen(heard: (types: string[]) => void): Promise<() => Promise<void>> {
    return this.redis.subscribe(CHANNEL, (message) => heard(message.split(' ')));
  }
}
