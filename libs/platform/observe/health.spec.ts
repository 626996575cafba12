// Health and figures: what readiness needs and what it only tells, and that /metrics has what an operator looks for.
import { Controller, Get, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Harness, until } from '../../../test/harness.js';
import { newOrgId } from '../../kernel/ids.js';
import { CanAnyone } from '../http/route.decorators.js';
import { PlatformModule } from '../platform.module.js';
import { QueueMeter } from '../queue/queue.meter.js';
import { WorkerEngine } from '../queue/worker.engine.js';
import { Health } from './health.js';
import { Log } from './log.js';
import { Meter } from './meter.js';

@Controller('v1/hum')
class HumController {
  @Get(':loud') @CanAnyone('read', 'Hum') hum() {
    return {};
  }
}

/** Stands for the engine: it knows the consumers, and runs nothing. */
const engine = { consumers: [{ name: 'spec.hear-humming', type: { type: 'spec.hummed' }, handle: async () => undefined }] };

@Module({
  imports: [PlatformModule, DiscoveryModule],
  controllers: [HumController],
  providers: [QueueMeter, { provide: WorkerEngine, useValue: engine }],
})
class HumModule {}

let evently: Harness;
const ready = () => evently.call<Record<string, string>>('GET', '/readyz');
const metrics = async () => (await evently.call<string>('GET', '/metrics')).text;
/** The value of a sample; undefined when there is none. */
const value = (text: string, sample: string) => {
  const line = text.split('\n').find((l) => l.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
};

describe('health', () => {
  beforeAll(async () => void (evently = await Harness.start(HumModule)));
  afterAll(() => evently.stop());

  it('lives, and is ready with everything there', async () => {
    expect((await evently.call('GET', '/livez')).body).toEqual({ status: 'alive' });
    await until('Redis', async () => (await ready()).body.redis === 'up');
    expect(await ready()).toMatchObject({ status: 200, body: { state: 'ready', postgres: 'up', migrations: 'applied' } });
  });

  it('is not ready while it drains, but lives', async () => {
    evently.api.get(Health).draining = true;
    const reply = await ready();
    expect([reply.status, reply.body.state, reply.body.code, reply.headers.get('connection')]).toEqual([
      503,
      'draining',
      'unavailable',
      'close',
    ]);
    expect((await evently.call('GET', '/livez')).status).toBe(200);
    evently.api.get(Health).draining = false;
  });

  it('has figures of requests, by pattern and never by address', async () => {
    for (const loud of ['a', 'b', 'c']) await evently.call('GET', `/v1/hum/${loud}`);
    const text = await metrics();
    const labels = '{method="GET",route="/v1/hum/:loud",status="200"';
    expect(value(text, `evently_http_request_duration_seconds_count${labels}}`)).toBe(3);
    expect(value(text, `evently_http_request_duration_seconds_bucket${labels},le="+Inf"}`)).toBe(3);
    expect(value(text, `evently_http_request_duration_seconds_bucket${labels},le="10"}`)).toBe(3);
    expect(text).not.toContain('/v1/hum/a');
    expect(text).not.toContain('route="/livez"');
  });

  it('has figures of the process, its pool and its connections', async () => {
    const text = await metrics();
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'nodejs_heap_size_used_bytes', 'process_cpu_seconds_total'])
      expect(value(text, name)).toBeDefined();
    expect(text).toMatch(/nodejs_gc_duration_seconds/);
    expect(value(text, 'evently_database_connections{state="idle"}')).toBeGreaterThanOrEqual(1);
    expect(value(text, 'evently_http_connections')).toBeGreaterThanOrEqual(1);
  });

  it('has figures of jobs and consumers', async () => {
    const org = newOrgId();
    const event = `INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id, recorded_at)
      SELECT $1, 'hum', n, 'spec.hummed', 1, '{}', 'x', 'x', platform.now() - interval '90 seconds' FROM generate_series(1, 7) n`;
    await evently.sql.query(`INSERT INTO platform.consumer (name, done) VALUES ('spec.hear-humming', '1:1:')`);
    await evently.sql.query(event, [org]);
    await evently.sql.query(
      `INSERT INTO platform.job (org_id, id, type, data, request_id, run_at) SELECT $1, gen_random_uuid(), 'spec.hum', '{}', 'x', platform.now() + at
       FROM unnest(ARRAY[interval '-60 seconds', interval '-1 second', interval '1 hour']) at`,
      [org],
    );
    await evently.sql.query(
      `INSERT INTO platform.dead_letter (org_id, consumer, stream, stream_version, attempts, error) VALUES ($1, 'spec.hear-humming', 'hum', 1, 1, 'x')`,
      [org],
    );
    const text = await metrics();
    const consumer = '{consumer="spec.hear-humming"}';
    expect(value(text, `evently_consumer_lag_events${consumer}`)).toBe(7);
    expect(value(text, `evently_consumer_lag_seconds${consumer}`)).toBeGreaterThanOrEqual(89);
    expect(value(text, `evently_dead_letters${consumer}`)).toBe(1);
    expect([value(text, 'evently_jobs{state="due"}'), value(text, 'evently_jobs{state="later"}')]).toEqual([2, 1]);
    expect(value(text, 'evently_job_wait_seconds{lane="prompt"}')).toBeGreaterThanOrEqual(59);
  });

  it('counts what contexts count, and goes without a figure that fails', async () => {
    const meter = evently.api.get(Meter);
    meter.counter('evently_hums_total', 'Hums.', 'tune').add('low', 2);
    meter.counter('evently_hums_total', 'Hums.', 'tune').add('low');
    meter.gauge('evently_broken', 'Never there.', () => Promise.reject(new Error('no')));
    const text = await metrics();
    expect(value(text, 'evently_hums_total{tune="low"}')).toBe(3);
    expect(value(text, 'evently_broken')).toBeUndefined();
    expect(text).toContain('# TYPE evently_broken gauge');
  });

  it('logs one line a request, with its ids, and none for health', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = evently.api.get(Log);
    const request = vi.spyOn(log, 'request');
    request.mockImplementation((level, fields) => void lines.push({ level, ...(JSON.parse(`{${fields}}`) as object) }));
    const trace = 'c'.repeat(32);
    await evently.call('GET', '/v1/hum/secret?token=secret', undefined, {
      headers: { 'x-request-id': 'r-1', traceparent: `00-${trace}-${'d'.repeat(16)}-01` },
    });
    await evently.call('GET', '/livez');
    await evently.call('GET', '/metrics');
    await until('the line', async () => lines.length > 0);
    request.mockRestore();
    expect(lines).toEqual([
      {
        level: 'info',
        method: 'GET',
        route: '/v1/hum/:loud',
        status: 200,
        ms: expect.any(Number),
        requestId: 'r-1',
        traceId: trace,
      },
    ]);
  });

  it('is not ready before the migrations, and says so', async () => {
    const fresh = await Harness.start(HumModule);
    await fresh.sql.query('DELETE FROM public.migration WHERE timestamp = (SELECT max(timestamp) FROM public.migration)');
    const reply = await fresh.call<Record<string, string>>('GET', '/readyz');
    expect([reply.status, reply.body.state, reply.body.migrations]).toEqual([503, 'not_ready', 'pending']);
    await fresh.stop();
  });

  it('is not ready while Postgres is away, and says so', async () => {
    const { rows } = await evently.sql.query('SELECT current_database() AS name');
    const admin = new pg.Client(process.env.TEST_DATABASE_URL);
    await admin.connect();
    await admin.query(`ALTER DATABASE "${rows[0].name}" ALLOW_CONNECTIONS false`);
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [rows[0].name]);
    const away = await until('readyz to notice', async () => {
      const reply = await ready();
      return reply.status === 503 && reply;
    });
    expect(away.body).toMatchObject({ state: 'not_ready', postgres: 'away', code: 'unavailable' });
    expect((await evently.call('GET', '/livez')).status).toBe(200);
    expect((await metrics()).includes('evently_jobs{')).toBe(false);
    await admin.query(`ALTER DATABASE "${rows[0].name}" ALLOW_CONNECTIONS true`);
    await admin.end();
    await until('readyz to recover', async () => (await ready()).status === 200);
  });
});

describe('without Redis', () => {
  it('is ready all the same, and tells', async () => {
    const without = await Harness.start(HumModule, undefined, { REDIS_URL: 'redis://127.0.0.1:1' });
    const reply = await without.call<Record<string, string>>('GET', '/readyz');
    expect([reply.status, reply.body.redis]).toEqual([200, 'away']);
    await without.stop();
    process.env.REDIS_URL = process.env.TEST_REDIS_URL;
  });
});
