// Shared reads: what one process has loaded, in Redis for the others, so that many of them ask Postgres no more often than one. Second to memory, and only a help.
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

/** What was read, as its reply's body. */
export interface Loaded {
  text: string;
  etag: string;
}

/** Larger ones cost Redis more than they spare Postgres. */
const MOST_CHARS = 4 * 1024 * 1024;
const keyOf = (url: string) => `read:${url}`;

@Injectable()
export class SharedReads {
  constructor(private readonly redis: Redis) {}

  /** What another process has loaded, and how many milliseconds ago it began to; null where there is nothing that young. */
  async find(url: string, freshMs: number): Promise<(Loaded & { ageMs: number }) | null> {
    const [kept, left] = await this.redis.ask<[string | null, number]>(
      (r) => Promise.all([r.get(keyOf(url)), r.pttl(keyOf(url))]),
      [null, 0],
    );
    const end = kept?.indexOf('\n') ?? -1;
    if (!kept || end < 0 || left <= 0) return null;
    return { etag: kept.slice(0, end), text: kept.slice(end + 1), ageMs: freshMs - left };
  }

  /** Offers what was loaded for as long as it is fresh. Redis measures that, so that no two machines' clocks are compared. */
  offer(url: string, { text, etag }: Loaded, freshMs: number): void {
    if (freshMs < 1 || text.length > MOST_CHARS) return;
    this.redis.hint((r) => r.set(keyOf(url), `${etag}\n${text}`, 'PX', Math.floor(freshMs)));
  }
}
