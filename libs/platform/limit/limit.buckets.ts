// Buckets: the counts of one policy in this process, in bounded memory.
import type { Bucket } from './limit.rules.js';

export interface CountedBucket extends Bucket {
  key: string;
  /** Taken here since Redis was last told. */
  untold: number;
  /** The sum over all processes when Redis last told; -1 before it did. */
  sum: number;
}

/**
 * Two generations: a count not touched for a whole window says nothing any more, so dropping the older generation once a window
 * loses nothing. When too many keys come within one window, the older goes early, unless `shared` says that newcomers then share
 * one count: an attacker with very many addresses must not make it forget.
 */
export class Buckets {
  private young = new Map<string, CountedBucket>();
  private old = new Map<string, CountedBucket>();
  private turnedAt = -Infinity;
  private touched: CountedBucket[] = [];

  constructor(
    private readonly windowMs: number,
    private readonly shared: boolean,
    private readonly most = 50_000,
  ) {}

  at(key: string, now: number): CountedBucket {
    if (now - this.turnedAt > this.windowMs) this.turn(now);
    const found = this.young.get(key) ?? this.old.get(key);
    if (found) return found;
    if (this.young.size >= this.most) {
      if (this.shared) return this.young.get('') ?? this.add('');
      this.turn(now);
    }
    return this.add(key);
  }

  /** Notes that one was taken, to be told to Redis. */
  count(bucket: CountedBucket, n: number): void {
    if (bucket.untold === 0) this.touched.push(bucket);
    bucket.untold += n;
    if (!this.young.has(bucket.key)) this.young.set(bucket.key, bucket);
  }

  /** What was taken since it was last asked, `limit` counts at most; the rest waits. */
  takeTouched(limit: number): CountedBucket[] {
    return this.touched.splice(0, limit);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  private add(key: string): CountedBucket {
    const bucket = { key, tat: 0, untold: 0, sum: -1 };
    this.young.set(key, bucket);
    return bucket;
  }

  private turn(now: number): void {
    this.old = this.young;
    this.young = new Map();
    this.turnedAt = now;
  }
}
