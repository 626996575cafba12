// The poke: tells through Redis which domain events were committed: to consumers that wait, to caches that know older things. Only a hint;
// polling is the truth. Two channels: a cache waits for streams, and need not hear of batches, of which a sale commits hundreds a second.
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

/** One commit's news: the type of a domain event and its stream; no stream where a batch wrote many. */
export interface Committed {
  type: string;
  stream: string;
}

type Listener = (told: Committed[]) => void;

@Injectable()
export class EventPoke {
  private readonly streams: Channel;
  private readonly batches: Channel;

  constructor(redis: Redis) {
    this.streams = new Channel(redis, 'committed');
    this.batches = new Channel(redis, 'committed-batches');
  }

  tell(type: string, stream: string): void {
    this.streams.tell({ type, stream });
  }

  tellOfBatch(type: string): void {
    this.batches.tell({ type, stream: '' });
  }

  /** Calls back on each poke about a stream, from any process; returns how to stop. */
  listenToStreams(heard: Listener): Promise<() => Promise<void>> {
    return this.streams.listen(heard);
  }

  /** Calls back on each poke, from any process. */
  async listen(heard: Listener): Promise<void> {
    await Promise.all([this.streams.listen(heard), this.batches.listen(heard)]);
  }
}

class Channel {
  private readonly news = new Map<string, Committed>();
  private readonly here = new Set<Listener>();

  constructor(
    private readonly redis: Redis,
    private readonly name: string,
  ) {}

  /** Coalesced: however many commits in one turn of the event loop, one message leaves. This process hears it at once. */
  tell(told: Committed): void {
    for (const listener of this.here) listener([told]);
    if (this.news.size === 0) setImmediate(() => this.send());
    this.news.set(`${told.type} ${told.stream}`, told);
  }

  private send(): void {
    this.redis.publish(this.name, JSON.stringify([...this.news.values()]));
    this.news.clear();
  }

  async listen(heard: Listener): Promise<() => Promise<void>> {
    this.here.add(heard);
    const stop = await this.redis.subscribe(this.name, (message) => heard(JSON.parse(message) as Committed[]));
    return () => {
      this.here.delete(heard);
      return stop();
    };
  }
}
