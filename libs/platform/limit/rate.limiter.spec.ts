// Limits over real HTTP and real Redis: tiers, headers, exempt addresses, two processes that share one sum, and Redis away.
import { Controller, Get, Injectable, Module, Param, Post, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, until } from '../../../test/harness.js';
import { newId, newOrgId } from '../../kernel/ids.js';
import { setPrincipal } from '../db/ambient.js';
import { CanAnyone } from '../http/route.decorators.js';
import { PlatformModule } from '../platform.module.js';
import { Redis } from '../redis/redis.js';
import { Buckets } from './limit.buckets.js';
import { RateLimiter } from './rate.limiter.js';

@Controller('v1')
class TurnstileController {
  @Post('auth/login') @CanAnyone('create', 'Session') login() {
    return {};
  }
  @Post('events/:e/bookings') @CanAnyone('create', 'Booking') book(@Param('e') e: string) {
    return { e };
  }
  @Get('events') @CanAnyone('read', 'Event') list() {
    return {};
  }
}

/** Believes who the caller says he is. */
@Injectable()
class NaiveGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const account = headers['x-account'] as string | undefined;
    const key = headers['x-key-of'] as string | undefined;
    if (account) setPrincipal({ kind: 'account', accountId: account, sessionId: 's', roles: {} });
    if (key) setPrincipal({ kind: 'apiKey', apiKeyId: 'k', orgId: key, scopes: ['*'] });
    return true;
  }
}

@Module({
  imports: [PlatformModule],
  controllers: [TurnstileController],
  providers: [{ provide: APP_GUARD, useClass: NaiveGuard }],
})
class TurnstileModule {}

const org = newOrgId();
const event = newId(org);
const limits = 'global=1000/60,address=40/60,login=12/60,booking=5/60,caller=8/60,organization=20/60,search=30/60';

describe('limits', () => {
  let evently: Harness;
  let n = 0;
  beforeAll(async () => {
    const environment = { RATE_LIMIT_ALLOW: '10.9.0.0/16', RATE_LIMITS: limits, TRUST_PROXY: '127.0.0.1' };
    evently = await Harness.start(TurnstileModule, undefined, environment);
  });
  afterAll(async () => {
    await evently.stop();
    for (const name of ['RATE_LIMIT_ALLOW', 'RATE_LIMITS', 'TRUST_PROXY']) delete process.env[name];
  });

  const from = (address: string, method = 'GET', path = '/v1/events', headers: Record<string, string> = {}) =>
    evently.call<{ code: string; limit: string }>(method, path, undefined, {
      headers: { 'x-forwarded-for': address, ...headers },
    });
  const fresh = () => `172.16.${n >> 8}.${n++ & 255}`;
  /** Calls until refused, at most 100 times; returns how many were let through, and the refusal. */
  async function exhaust(call: () => ReturnType<typeof from>) {
    for (let passed = 0; passed < 100; passed++) {
      const reply = await call();
      if (reply.status === 429) return { passed, reply };
    }
    throw new Error('Nobody was refused.');
  }

  it('tells the policies and what is left of the nearest', async () => {
    const { headers, status } = await from(fresh());
    expect(status).toBe(200);
    expect(headers.get('ratelimit-policy')).toBe(
      '"global";q=1000;w=60, "address";q=40;w=60, "search";q=30;w=60, "caller";q=8;w=60, "organization";q=20;w=60',
    );
    expect(headers.get('ratelimit')).toBe('"search";r=29;t=2');
  });

  it('limits an endpoint by address, with 429, Retry-After and a problem', async () => {
    const address = fresh();
    const { passed, reply } = await exhaust(() => from(address));
    expect(passed).toBe(30);
    expect(reply.body).toMatchObject({ code: 'rate_limited', limit: 'search' });
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(reply.headers.get('ratelimit')).toMatch(/^"search";r=0;t=\d+$/);
    expect((await from(fresh())).status).toBe(200); // Nobody else is held responsible.
  });

  it('limits an address over all endpoints, unknown ones too, but not health', async () => {
    const address = fresh();
    expect((await exhaust(() => from(address, 'GET', '/nothing'))).passed).toBe(40);
    expect((await from(address, 'POST', `/v1/events/${event}/bookings`)).status).toBe(429);
    expect((await from(address, 'GET', '/livez')).status).toBe(200);
  });

  it('takes a /64 of IPv6 for one address, and a mapped IPv4 for itself', async () => {
    await exhaust(() => from(`2001:db8:1:2:${(n++).toString(16)}::1`));
    expect((await from('2001:db8:1:2:ffff::9')).status).toBe(429);
    expect((await from('2001:db8:1:3::1')).status).toBe(200);
    const address = fresh();
    await exhaust(() => from(address));
    expect((await from(`::ffff:${address}`)).status).toBe(429);
  });

  it('limits a caller from many addresses, an operation sooner', async () => {
    const book = () => from(fresh(), 'POST', `/v1/events/${newId(newOrgId())}/bookings`, { 'x-account': 'ada' });
    const operation = await exhaust(book);
    expect(operation).toMatchObject({ passed: 5, reply: { body: { limit: 'booking' } } });
    const rest = await exhaust(() => from(fresh(), 'GET', '/v1/events', { 'x-account': 'ada' }));
    expect(rest).toMatchObject({ passed: 3, reply: { body: { limit: 'caller' } } });
    expect((await from(fresh(), 'GET', '/v1/events', { 'x-account': 'bob' })).status).toBe(200);
  });

  it('limits an organization by the ids in its paths and by its keys; programs may do more than people', async () => {
    const path = `/v1/events/${event}/bookings`;
    const { passed, reply } = await exhaust(() => from(fresh(), 'POST', path, { 'x-key-of': org }));
    expect([passed, reply.body.limit]).toEqual([20, 'organization']);
    expect(reply.headers.get('ratelimit-policy')).toContain('"booking";q=60000;w=60');
    expect((await from(fresh(), 'POST', path)).body.limit).toBe('organization');
  });

  it('never refuses an exempt address', async () => {
    for (let i = 0; i < 60; i++) expect((await from('10.9.8.7')).status).toBe(200);
    expect((await from('10.9.8.7')).headers.get('ratelimit')).toBe('"search";r=30;t=0');
  });

  it('adds up what two processes grant', async () => {
    const limiter = evently.api.get(RateLimiter);
    const other = new RateLimiter({ allowed: [], limits: limits.split(',') } as never, evently.api.get(Redis));
    const [here, there] = [limiter, other].map((l) => ({ l, policy: l.policies.find((p) => p.name === 'address')! }));
    const both = async () => {
      await here.l.exchange();
      await there.l.exchange();
      await here.l.exchange();
    };
    expect(here.l.take(here.policy, 'sum').remaining).toBe(39);
    expect(there.l.take(there.policy, 'sum').remaining).toBe(39);
    await both();
    for (let i = 0; i < 20; i++) expect(here.l.take(here.policy, 'sum').allowed).toBe(true);
    await both();
    there.l.take(there.policy, 'sum');
    await both();
    expect(there.l.take(there.policy, 'sum').remaining).toBeLessThan(20);
    for (let i = 0; i < 30; i++) there.l.take(there.policy, 'sum');
    await both();
    here.l.take(here.policy, 'sum');
    await both();
    expect(here.l.take(here.policy, 'sum').allowed).toBe(false);
  });

  it('costs microseconds', () => {
    const limiter = evently.api.get(RateLimiter);
    const policies = limiter.policies.slice(0, 3);
    const began = performance.now();
    const rounds = 100_000;
    for (let i = 0; i < rounds; i++) {
      const { key } = limiter.caller(`192.168.${i & 15}.${i & 255}`);
      for (const policy of policies) limiter.take(policy, key);
    }
    const each = ((performance.now() - began) * 1000) / rounds;
    console.log(`limiter: ${each.toFixed(2)} microseconds a request of three tiers`);
    expect(each).toBeLessThan(100);
  });
});

describe('without Redis', () => {
  let evently: Harness;
  beforeAll(async () => {
    const dead = 'redis://127.0.0.1:1';
    evently = await Harness.start(TurnstileModule, undefined, {
      RATE_LIMIT_ALLOW: '10.9.0.0/16',
      RATE_LIMITS: limits,
      REDIS_URL: dead,
    });
  });
  afterAll(async () => {
    await evently.stop();
    for (const name of ['RATE_LIMIT_ALLOW', 'RATE_LIMITS']) delete process.env[name];
    process.env.REDIS_URL = process.env.TEST_REDIS_URL;
  });

  it('stays open for bookings and closes down for logins', async () => {
    await until('Redis to be seen away', async () => !evently.api.get(Redis).up);
    const login = () => evently.call('POST', '/v1/auth/login');
    expect([(await login()).status, (await login()).status, (await login()).status, (await login()).status]).toEqual([
      201, 201, 201, 429,
    ]);
    for (let i = 0; i < 20; i++)
      expect((await evently.call('POST', `/v1/events/${newId(newOrgId())}/bookings`)).status).toBe(201);
  });
});

describe('memory', () => {
  it('is bounded, and a closed policy does not forget for it', () => {
    const open = new Buckets(60_000, false, 100);
    const closed = new Buckets(60_000, true, 100);
    for (let i = 0; i < 10_000; i++) for (const b of [open, closed]) b.count(b.at(`k${i}`, 1), 1);
    expect(open.size).toBeLessThanOrEqual(201);
    expect(closed.size).toBeLessThanOrEqual(201);
    expect(closed.at('another', 1)).toBe(closed.at('yet another', 1));
  });

  it('keeps what was touched within a window', () => {
    const buckets = new Buckets(1000, false);
    const bucket = buckets.at('a', 0);
    buckets.count(bucket, 1);
    expect(buckets.at('a', 1001)).toBe(bucket);
    expect(buckets.at('a', 5000)).not.toBe(bucket);
  });
});
