// Redis that is away, or there and silent: nobody waits for it, and it is used again when it is back.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { Proxy } from '../../../test/proxy.js';
import type { PlatformConfig } from '../config/platform.config.js';
import { Redis } from './redis.js';

describe('redis', () => {
  let proxy: Proxy;
  let redis: Redis;
  beforeEach(async () => {
    proxy = await Proxy.before(process.env.TEST_REDIS_URL!);
    const redisUrl = proxy.through(process.env.TEST_REDIS_URL!);
    redis = new Redis({ redisUrl, redisPrefix: 'redis-spec:' } as PlatformConfig);
    await until('it is up', async () => redis.up);
  });
  afterEach(async () => {
    redis.onApplicationShutdown();
    await proxy.down();
  });

  const ping = () => redis.ask<string>((r) => r.ping(), 'otherwise');

  it.each([
    ['gone', () => proxy.down(), () => proxy.up()],
    ['silent', () => proxy.standStill(true), () => proxy.standStill(false)],
  ])('is done without while it is %s, asked no more, and used again when it is back', async (_, leave, comeBack) => {
    expect(await ping()).toBe('PONG');
    await leave();
    expect(await ping()).toBe('otherwise');
    await until('it is known to be away', async () => !redis.up);
    let asked = false;
    expect(await redis.ask(() => Promise.resolve((asked = true)), false)).toBe(false);
    expect(asked).toBe(false);
    await comeBack();
    await until('it is up', async () => redis.up);
    expect(await ping()).toBe('PONG');
  });
});
