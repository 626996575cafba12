// Leases: one holder at a time, freed only by their holder, and granted to all when Redis is away.
import { randomUUID } from 'node:crypto';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { Redis } from '../redis/redis.js';
import { Lock } from './lock.js';

const prefix = `lock-spec-${process.pid}:`;
const open = (redisUrl: string) => new Redis({ redisUrl, redisPrefix: prefix } as never);

describe('locks', () => {
  let redis: Redis;
  let lock: Lock;
  let look: Client;
  beforeAll(async () => {
    redis = open(process.env.TEST_REDIS_URL!);
    lock = new Lock(redis);
    look = new Client(process.env.TEST_REDIS_URL!, { keyPrefix: prefix });
    await until('Redis', async () => redis.up);
  });
  afterAll(() => {
    redis.onApplicationShutdown();
    look.disconnect();
  });

  it('are held by one, and free again when given back', async () => {
    const name = randomUUID();
    const lease = await lock.take(name, 10_000);
    expect(lease).toMatchObject({ name, exclusive: true });
    expect(await lock.take(name, 10_000)).toBeNull();
    expect(await lock.take(randomUUID(), 10_000)).not.toBeNull();
    await lease!.release();
    const next = await lock.take(name, 10_000);
    expect(next).not.toBeNull();
    await lease!.release(); // Again, too late: the next holder keeps it.
    expect(await lock.take(name, 10_000)).toBeNull();
  });

  it('go to exactly one of a hundred who ask at once', async () => {
    const name = randomUUID();
    const leases = await Promise.all(Array.from({ length: 100 }, () => lock.take(name, 10_000)));
    expect(leases.filter(Boolean)).toHaveLength(1);
  });

  it('end by themselves; a holder who slept past his lease can neither extend nor free the next one’s', async () => {
    const name = randomUUID();
    const sleeper = await lock.take(name, 30);
    await until('the lease to end', async () => (await look.get(`lock:${name}`)) === null);
    const next = await lock.take(name, 10_000);
    expect(next).not.toBeNull();
    expect(await sleeper!.extend(60_000)).toBe(false);
    await sleeper!.release();
    expect(await look.pttl(`lock:${name}`)).toBeGreaterThan(5000);
    expect(await lock.take(name, 1000)).toBeNull();
  });

  it('are extended by their holder', async () => {
    const name = randomUUID();
    const lease = await lock.take(name, 5000);
    expect(await lease!.extend(60_000)).toBe(true);
    expect(await look.pttl(`lock:${name}`)).toBeGreaterThan(50_000);
  });

  it('are given back when the work fails, and say who is busy', async () => {
    const name = randomUUID();
    await expect(
      lock.hold(
        name,
        5000,
        async () => Promise.reject(new Error('no')),
        () => 'busy',
      ),
    ).rejects.toThrow('no');
    const outer = await lock.hold(
      name,
      5000,
      () =>
        lock.hold(
          name,
          5000,
          async () => 'twice',
          () => 'busy',
        ),
      () => 'never',
    );
    expect(outer).toBe('busy');
    expect(
      await lock.hold(
        name,
        5000,
        async () => 'done',
        () => 'busy',
      ),
    ).toBe('done');
  });

  it('are granted to all, not exclusively, while Redis is away', async () => {
    const away = open('redis://127.0.0.1:1');
    const without = new Lock(away);
    const [a, b] = await Promise.all([without.take('x', 1000), without.take('x', 1000)]);
    expect([a?.exclusive, b?.exclusive]).toEqual([false, false]);
    expect(await a!.extend(1000)).toBe(true);
    await a!.release();
    away.onApplicationShutdown();
  });
});
