// Locks: leases on Redis that thin a crowd. Correctness never rests on them: with Redis away they are granted, and say so.
import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Redis } from '../redis/redis.js';

/** Deletes only what its own holder wrote: a late holder must not free the next one's lock. */
const RELEASE = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`;
const EXTEND = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`;

type Script = ReturnType<Redis['script']>;

export interface Lease {
  readonly name: string;
  /** False when Redis was away: nobody is kept out. */
  readonly exclusive: boolean;
  /** Holds it for so many milliseconds from now; false when it is no longer ours. */
  extend(ms: number): Promise<boolean>;
  /** Gives it back, if it is still ours. Safe to call twice, and after the lease has ended. */
  release(): Promise<void>;
}

@Injectable()
export class Lock {
  /** With a number behind it, an owner's token that no other lease of any process has. */
  private readonly owner = randomBytes(16).toString('base64url');
  private taken = 0;
  private readonly releasing: Script;
  private readonly extending: Script;

  constructor(private readonly redis: Redis) {
    this.releasing = redis.script('eventlyLeaseRelease', RELEASE);
    this.extending = redis.script('eventlyLeaseExtend', EXTEND);
  }

  /** Takes a name for at most `leaseMs` milliseconds; null when somebody else has it. Never waits, never throws. */
  async take(name: string, leaseMs: number): Promise<Lease | null> {
    const key = `lock:${name}`;
    const token = `${this.owner}:${(this.taken += 1)}`;
    const answer = await this.redis.ask<'OK' | null | 'away'>((r) => r.set(key, token, 'PX', leaseMs, 'NX'), 'away');
    if (answer === null) return null;
    const exclusive = answer === 'OK';
    const ask = (script: Script, ...args: (string | number)[]) =>
      this.redis.ask(async (r) => (await script(r, key, token, ...args)) === 1, !exclusive);
    return {
      name,
      exclusive,
      extend: (ms) => ask(this.extending, ms),
      // Also where Redis seemed away: a command that timed out here may have been carried out there.
      release: async () => void (await ask(this.releasing)),
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
