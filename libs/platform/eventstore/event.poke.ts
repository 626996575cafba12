// The poke: tells through Redis which domain events were committed: to consumers that wait, to caches that know older things. Only a hint;
// polling is the truth.
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

const CHANNEL = 'committed';

/** One commit's news: the type of a domain event and its stream; no stream where a batch wrote many. */
export interface Committed {
  type: string;
  stream: string;
}

type Listener = (told: Committed[]) => void;

@Injectable()
export class EventPoke {
  private readonly news = new Map<string, Committed>();
  private readonly here = new Set<Listener>();

  constructor(private readonly redis: Redis) {}

  /** Coalesced: however many commits in one turn of the event loop, one message leaves. This process hears it at once. */
  tell(type: string, stream = ''): void {
    const told = { type, stream };
    for (const listener of this.here) listener([told]);
    if (this.news.size === 0) setImmediate(() => this.send());
    this.news.set(`${type} ${stream}`, told);
  }

  private send(): void {
    this.redis.publish(CHANNEL, JSON.stringify([...this.news.values()]));
    this.news.clear();
  }

  /** Calls back on each poke, from any process; returns how to stop. */
  async listen(heard: Listener): Promise<() => Promise<void>> {
    this.here.add(heard);
    const stop = await this.redis.subscribe(CHANNEL, (message) => heard(JSON.parse(message) as Committed[]));
    return () => {
      this.here.delete(heard);
      return stop();
    };
  }
}
