// Locks: leases on Redis that thin a crowd. Correctness never rests on them: with Redis away they are granted, and say so.
import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { gather } from '../gather/gather.js';
import { Redis } from '../redis/redis.js';

/** A script over many leases: for each a key, and two arguments of its own, an owner's token and milliseconds. 1 for each that was done. */
const forEach = (lua: (token: string, ms: string) => string) => `local done = {}
for i, key in ipairs(KEYS) do
  done[i] = ${lua('ARGV[2 * i - 1]', 'ARGV[2 * i]')} or 0
end
return done`;
const TAKE = forEach((token, ms) => `redis.call('SET', key, ${token}, 'PX', ${ms}, 'NX') and 1`);
/** Deletes only what its own holder wrote: a late holder must not free the next one's lock. */
const RELEASE = forEach((token) => `redis.call('GET', key) == ${token} and redis.call('DEL', key)`);
const EXTEND = forEach((token, ms) => `redis.call('GET', key) == ${token} and redis.call('PEXPIRE', key, ${ms})`);

interface Wish {
  key: string;
  token: string;
  ms: number;
}

type Answer = boolean | 'away';

export interface Lease {
  readonly name: string;
  /** False when Redis was away: nobody is kept out. */
  readonly exclusive: boolean;
  /** Holds it for so many milliseconds from now; false when it is no longer ours. */
  extend(ms: number): Promise<boolean>;
  /** Gives it back, if it is still ours; resolves when that is done. Safe to call twice, and after the lease has ended. */
  release(): Promise<unknown>;
}

@Injectable()
export class Lock {
  /** With a number behind it, an owner's token that no other lease of any process has. */
  private readonly owner = randomBytes(16).toString('base64url');
  private taken = 0;
  private readonly taking: (wish: Wish) => Promise<Answer>;
  private readonly releasing: (wish: Wish) => Promise<Answer>;
  private readonly extending: (wish: Wish) => Promise<Answer>;

  constructor(redis: Redis) {
    this.taking = gathered(redis, 'eventlyLeaseTake', TAKE);
    this.releasing = gathered(redis, 'eventlyLeaseRelease', RELEASE);
    this.extending = gathered(redis, 'eventlyLeaseExtend', EXTEND);
  }

  /** Takes a name for at most `leaseMs` milliseconds; null when somebody else has it. Never waits, never throws. */
  async take(name: string, leaseMs: number): Promise<Lease | null> {
    const wish = { key: `lock:${name}`, token: `${this.owner}:${(this.taken += 1)}`, ms: leaseMs };
    const answer = await this.taking(wish);
    if (answer === false) return null;
    const exclusive = answer === true;
    return {
      name,
      exclusive,
      extend: async (ms) => {
        const extended = await this.extending({ ...wish, ms });
        return extended === 'away' ? !exclusive : extended;
      },
      // Also where Redis seemed away: a command that timed out here may have been carried out there.
      release: () => this.releasing(wish),
    };
  }

  /** Runs work while holding a name; gives `busy()` when somebody else has it. */
  async hold<T>(name: string, leaseMs: number, work: () => Promise<T>, busy: () => T | Promise<T>): Promise<T> {
    const lease = await this.take(name, leaseMs);
    if (!lease) return busy();
    try {
      return await work();
    } finally {
      await lease.release();
    }
  }
}

/** Wishes of one round, or of one batch's replies, go to Redis together: a crowd costs one command each time, not one a head. */
function gathered(redis: Redis, name: string, lua: string): (wish: Wish) => Promise<Answer> {
  const script = redis.script<number[]>(name, lua);
  const ask = async (wishes: readonly Wish[]): Promise<Answer[]> => {
    const keys = wishes.map((w) => w.key);
    const args = wishes.flatMap((w) => [w.token, w.ms]);
    const done = await redis.ask<number[] | null>((r) => script(r, keys, args), null);
    return wishes.map((_, i) => (done ? done[i] === 1 : 'away'));
  };
  return gather(1000, ask, { soon: true });
}
