// The rate limiter: decides in process memory, and learns from Redis a moment later what other processes granted.
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import ipaddr from 'ipaddr.js';
import { Redis } from '../redis/redis.js';
import { Buckets, type CountedBucket } from './limit.buckets.js';
import { LimitConfig, parseRange } from './limit.config.js';
import { overridden, parseOverride, POLICIES, take, takenElsewhere, type LimitPolicy, type Verdict } from './limit.rules.js';

/** How often the counts are exchanged. Between two exchanges each process may grant what another has granted already. */
const EXCHANGE_MS = 200;
/** Counts told in one exchange: bounds the work, the rest goes with the next. */
const MOST_TOLD = 500;
/** Without Redis, a request under a closed policy counts as if so many processes had let one through. */
const CLOSED_COST = 4;
const MOST_ADDRESSES = 50_000;

const EXCHANGE = `
local sums = {}
for i, key in ipairs(KEYS) do
  sums[i] = redis.call('INCRBY', key, ARGV[2 * i - 1])
  redis.call('PEXPIRE', key, ARGV[2 * i])
end
return sums`;

interface Caller {
  /** What the address is counted as: itself, or its /64 for IPv6. */
  key: string;
  exempt: boolean;
}

@Injectable()
export class RateLimiter implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly policies: readonly LimitPolicy[];
  private readonly buckets = new Map<LimitPolicy, Buckets>();
  private readonly ranges: [ipaddr.IPv4 | ipaddr.IPv6, number][];
  private readonly addresses = new Map<string, Caller>();
  private timer?: NodeJS.Timeout;
  private exchanging = false;

  constructor(
    config: LimitConfig,
    private readonly redis: Redis,
  ) {
    const changed = config.limits.map((text) => parseOverride(text)!);
    this.policies = POLICIES.map((p) => {
      const change = changed.find((c) => c.name === p.name);
      return change ? overridden(p, change) : p;
    });
    for (const p of this.policies) this.buckets.set(p, new Buckets(p.windowSeconds * 1000, p.without === 'closed'));
    this.ranges = config.allowed.map((text) => parseRange(text)!);
  }

  /** Takes one request of `key` under a policy; `quota` may differ for programs. */
  take(policy: LimitPolicy, key: string, quota = policy.quota): Verdict {
    const now = performance.now();
    const buckets = this.buckets.get(policy)!;
    const bucket = buckets.at(key, now);
    const cost = policy.without === 'closed' && !this.redis.up ? Math.min(CLOSED_COST, quota) : 1;
    const limit = quota === policy.quota ? policy : { quota, windowSeconds: policy.windowSeconds };
    const verdict = take(bucket, now, limit, cost);
    if (verdict.allowed) buckets.count(bucket, 1);
    return verdict;
  }

  /** What an address is counted as, and whether it is exempt. Remembered, since reading an address takes longer than all the rest. */
  caller(address: string): Caller {
    let caller = this.addresses.get(address);
    if (!caller) {
      if (this.addresses.size >= MOST_ADDRESSES) this.addresses.clear();
      this.addresses.set(address, (caller = this.read(address)));
    }
    return caller;
  }

  private read(text: string): Caller {
    if (!ipaddr.isValid(text)) return { key: text, exempt: false };
    const address = ipaddr.process(text); // ::ffff:1.2.3.4 is 1.2.3.4.
    const exempt = this.ranges.some(([range, bits]) => range.kind() === address.kind() && address.match([range, bits] as never));
    if (address.kind() === 'ipv4') return { key: address.toString(), exempt };
    const parts = (address as ipaddr.IPv6).parts.slice(0, 4).map((p) => p.toString(16));
    return { key: `${parts.join(':')}::/64`, exempt };
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.exchange(), EXCHANGE_MS);
    this.timer.unref();
  }

  /** Tells Redis what was granted here, and counts what was granted elsewhere. Counts of a failed exchange are told with the next. */
  async exchange(): Promise<void> {
    if (this.exchanging || !this.redis.up) return;
    this.exchanging = true;
    try {
      const told = [...this.buckets].flatMap(([policy, b]) =>
        b.takeTouched(MOST_TOLD).map((bucket) => ({ policy, bucket, n: bucket.untold })),
      );
      if (told.length === 0) return;
      for (const { bucket } of told) bucket.untold = 0;
      const keys = told.map(({ policy, bucket }) => `limit:${policy.name}:${bucket.key}`);
      const values = told.flatMap(({ policy, n }) => [n, policy.windowSeconds * 2000]);
      const sums = await this.redis.ask<number[] | null>(
        (r) => r.eval(EXCHANGE, keys.length, ...keys, ...values) as Promise<number[]>,
        null,
      );
      told.forEach(({ policy, bucket, n }, i) =>
        sums ? this.learn(policy, bucket, n, sums[i]) : this.untold(policy, bucket, n),
      );
    } finally {
      this.exchanging = false;
    }
  }

  private learn(policy: LimitPolicy, bucket: CountedBucket, own: number, sum: number): void {
    const before = bucket.sum;
    bucket.sum = sum;
    if (before < 0) return; // First told: what the sum already held may be long past.
    const others = sum >= before + own ? sum - before - own : Math.max(0, sum - own); // Smaller: the key had expired.
    if (others > 0) takenElsewhere(bucket, performance.now(), policy, others);
  }

  private untold(policy: LimitPolicy, bucket: CountedBucket, n: number): void {
    this.buckets.get(policy)!.count(bucket, n);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }
}
