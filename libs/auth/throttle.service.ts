// Throttle: says who has tried often enough. Counts in Postgres and fails closed: without Postgres nobody logs in anyway.
import { Injectable } from '@nestjs/common';
import { RateLimiter } from '../platform/limit/rate.limiter.js';
import { throttled } from './auth.errors.js';
import { emailKey } from './account.repository.js';
import { ThrottleRepository } from './throttle.repository.js';
import { allowances, type Allowance, type Counted } from './throttle.rules.js';

@Injectable()
export class Throttle {
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(
    private readonly throttles: ThrottleRepository,
    private readonly limiter: RateLimiter,
  ) {}

  /**
   * Tries a secret of an account (known or not) from an address: refuses with `rate_limited` when there were too many wrong ones,
   * else runs the check and counts it when it says false. Tries at one account wait for one another, so that a hundred
   * guesses sent at once are not all made before the first one counts.
   */
  guess(email: string, ip: string, check: () => Promise<boolean>): Promise<boolean> {
    const key = emailKey(email);
    const counted: Counted[] = [
      { allowance: allowances.account, of: `${key} ${this.limiter.caller(ip).key}` },
      { allowance: allowances.accountAnywhere, of: key },
      ...this.network(allowances.network, ip),
    ];
    return this.inTurn(key, async () => {
      await this.refuse(counted);
      const right = await check();
      if (!right) await this.throttles.count(counted);
      return right;
    });
  }

  /** Counts a mail asked for at an address; refuses with `rate_limited` when there were too many. */
  async mail(email: string, ip: string): Promise<void> {
    const counted = [{ allowance: allowances.mail, of: emailKey(email) }, ...this.network(allowances.mailNetwork, ip)];
    await this.refuse(counted);
    await this.throttles.count(counted);
  }

  private async refuse(counted: Counted[]): Promise<void> {
    const wait = await this.throttles.secondsToWait(counted);
    if (wait > 0) throw throttled(wait);
  }

  /** Allowed networks (loopback unless production) share no count: behind them are many people, or our own tests. */
  private network(allowance: Allowance, ip: string): Counted[] {
    const { key, exempt } = this.limiter.caller(ip);
    return exempt ? [] : [{ allowance, of: key }];
  }

  private async inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.turns.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.turns.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.turns.get(key) === mine) this.turns.delete(key);
    }
  }
}
