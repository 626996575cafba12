// Jobs: written with what wants them, done once, taken over from a worker that died, done although Redis forgot or is away.
import { Injectable, Module } from '@nestjs/common';
import { DiscoveryModule, NestFactory } from '@nestjs/core';
import { Redis as Client } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { PlatformHouse } from '../../../test/platform.house.js';
import { newOrgId } from '../../kernel/ids.js';
import { declaredJobs, job } from '../../kernel/job.js';
import { ambient, runAs } from '../db/ambient.js';
import { EventConsumers } from '../eventstore/event.consumer.js';
import { EventPlaces } from '../eventstore/event.place.js';
import { EventTrouble } from '../eventstore/event.trouble.js';
import { PlatformModule } from '../platform.module.js';
import { JobWorker, type JobRun } from './job.worker.js';
import { Every, OnJob } from './processor.decorators.js';
import { WorkerEngine } from './worker.engine.js';

const Polish = job<{ orgId: string; lamp: string }>()('spec.polish', { attempts: 3, leaseSeconds: 20 });
const Long = job<{ orgId: string }>()('spec.long', { leaseSeconds: 600 });

/** Declared jobs belong to the program: a worker of another spec in this process would miss who does these. */
afterAll(() => [Polish, Long].forEach(({ type }) => (declaredJobs() as Map<string, unknown>).delete(type)));

const org = newOrgId();
let house: PlatformHouse;
let done: string[];
let work: (data: { lamp: string }, run: JobRun) => Promise<unknown>;

const state = async (id: string) =>
  (await house.sql.query('SELECT status, attempts, error, progress, result FROM platform.job WHERE id = $1', [id])).rows[0];
const add = (lamp: string, options = {}) => house.db.transaction(() => house.queue.add(Polish({ orgId: org, lamp }), options));
const run = (id: string) => house.jobs.run(org, id);
const due = async (patient = false) => (await house.jobs.due(100, patient)).map((j) => j.id);

describe('a job', () => {
  beforeAll(async () => {
    house = await PlatformHouse.open();
    house.jobs.register(Polish.type, (data: never, r) => work(data, r));
    house.jobs.register(Long.type, async () => undefined);
  });
  afterAll(() => house.close());
  beforeEach(async () => {
    done = [];
    work = async ({ lamp }) => done.push(lamp);
    await house.sql.query('TRUNCATE platform.job');
  });

  it('is asked for in its lane: patient, or not', async () => {
    const patient = await add('a', { patient: true });
    const prompt = await add('b');
    expect([await due(), await due(true)]).toEqual([[prompt], [patient]]);
    await run(patient);
    expect(done).toEqual(['a']);
  });

  it('tells that a crowd makes patient ones: while many wait, new ones come, and none has waited for a minute', async () => {
    const fill = (n: number, patient = true) => Promise.all(Array.from({ length: n }, (_, i) => add(`l${i}`, { patient })));
    const later = (seconds: number) =>
      house.sql.query(`UPDATE platform.job SET run_at = run_at - $1 * interval '1 second'`, [seconds]);
    await fill(99);
    await fill(50, false);
    expect(await house.jobs.isCrowded()).toBe(false);
    await fill(1);
    expect(await house.jobs.isCrowded()).toBe(true);
    await later(2);
    expect(await house.jobs.isCrowded()).toBe(false);
    await fill(1);
    expect(await house.jobs.isCrowded()).toBe(true);
    await later(59);
    await fill(1);
    expect(await house.jobs.isCrowded()).toBe(false);
  });

  it('is there when what wants it is committed, and not when it is not', async () => {
    await house.db
      .transaction(async () => {
        await house.queue.add(Polish({ orgId: org, lamp: 'never' }));
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    expect(await due()).toEqual([]);
    const id = await add('a');
    expect(await due()).toEqual([id]);
    expect(await due()).toEqual([]); // Handed; a relay that asks again gets it only when it seems lost.
  });

  it('is done once, however many workers are told of it', async () => {
    const id = await add('a');
    await Promise.all(Array.from({ length: 10 }, () => run(id)));
    await run(id);
    expect(done).toEqual(['a']);
    expect(await state(id)).toMatchObject({ status: 'done', attempts: 1, progress: 1, result: 1 });
    expect(await house.queue.find(org, id)).toEqual({ id, status: 'done', progress: 1, result: 1 });
    expect(await house.queue.find(newOrgId(), id)).toBeNull();
  });

  it('waits for its time', async () => {
    const id = await add('a', { delayMs: 60_000 });
    expect(await due()).toEqual([]);
    await run(id);
    expect(done).toEqual([]);
    await house.shiftClock(61);
    expect(await due()).toEqual([id]);
  });

  it('is taken over when its worker died, after its lease and not before; the dead one’s late word counts for nothing', async () => {
    const id = await add('a');
    let late: (value: string) => void = () => undefined;
    work = () => new Promise<string>((resolve) => (late = resolve));
    const dead = run(id);
    await until('the work to begin', async () => (await state(id)).status === 'running');
    await house.shiftClock(16);
    expect(await due()).toEqual([]);
    await house.shiftClock(6);
    expect(await due()).toEqual([id]);
    work = async () => 'by the second';
    await run(id);
    late('by the first');
    await dead;
    expect(await state(id)).toMatchObject({ status: 'done', attempts: 2, result: 'by the second' });
  });

  it('keeps its lease while it tells how far it is', async () => {
    const id = await add('a');
    work = async (_, r) => {
      await house.shiftClock(15);
      await r.progress(0.5);
      await house.shiftClock(15);
      expect(await due()).toEqual([]);
      expect(await house.queue.find(org, id)).toMatchObject({ status: 'running', progress: 0.5 });
    };
    await run(id);
    expect((await state(id)).status).toBe('done');
  });

  it('has the lease of its own kind, whatever others have', async () => {
    const id = await house.queue.add(Long({ orgId: org }));
    await house.sql.query(
      `UPDATE platform.job SET status = 'running', attempts = 1, lease_until = platform.now() + interval '500 seconds'`,
    );
    await house.shiftClock(100);
    expect(await due()).toEqual([]);
    await house.shiftClock(401);
    expect(await due()).toEqual([id]);
  });

  it('is tried again with growing waits, then fails for good with its reason', async () => {
    const id = await add('a');
    work = async () => Promise.reject(new RangeError('too dirty'));
    await run(id);
    expect(await state(id)).toMatchObject({ status: 'queued', attempts: 1, error: 'RangeError: too dirty' });
    await run(id); // Not due yet.
    expect((await state(id)).attempts).toBe(1);
    for (let i = 0; i < 4; i++) {
      await house.shiftClock(10);
      await run(id);
    }
    expect(await state(id)).toMatchObject({ status: 'failed', attempts: 3 });
  });

  it('that ends every worker is failed, not tried for ever', async () => {
    const id = await add('a');
    work = () => new Promise(() => undefined);
    for (let i = 0; i < 3; i++) {
      void run(id);
      await until('the try to begin', async () => (await state(id)).attempts === i + 1);
      await house.shiftClock(30);
    }
    await run(id);
    expect(await state(id)).toMatchObject({ status: 'failed', error: 'Every try ended with its worker.' });
  });

  it('carries the ids of the request that wanted it', async () => {
    let seen: unknown;
    work = async () => void (seen = [ambient().requestId, ambient().traceId, ambient().principal]);
    const id = await runAs({ requestId: 'req-7', traceId: 'b'.repeat(32) }, () => add('a'));
    await run(id);
    expect(seen).toEqual(['req-7', 'b'.repeat(32), { kind: 'system', name: 'spec.polish' }]);
  });
});

let ticks = 0;
@Injectable()
class LampProcessor {
  @OnJob(Polish) polish(data: { lamp: string }, r: JobRun) {
    return work(data, r);
  }
  @OnJob(Long) long() {
    return Promise.resolve();
  }
  @Every(20) async tick() {
    ticks += 1;
  }
}

@Module({
  imports: [PlatformModule, DiscoveryModule],
  providers: [EventConsumers, EventPlaces, EventTrouble, JobWorker, WorkerEngine, LampProcessor],
})
class EngineModule {}

/** The engine with BullMQ. Other specs of this process may have declared jobs that nobody here does. */
async function withEngine(environment: Record<string, string>, test: () => Promise<void>): Promise<void> {
  house = await PlatformHouse.open(environment);
  const app = await NestFactory.createApplicationContext(EngineModule, { logger: false, abortOnError: false });
  try {
    await test();
  } finally {
    await app.close();
    await house.close();
    process.env.REDIS_URL = process.env.TEST_REDIS_URL;
  }
}

describe('the engine', () => {
  const whole = WorkerEngine.prototype as unknown as { refuseGaps: () => void };
  const { refuseGaps } = whole;
  beforeAll(() => void (whole.refuseGaps = () => undefined));
  afterAll(() => void (whole.refuseGaps = refuseGaps));
  beforeEach(() => {
    done = [];
    work = async ({ lamp }) => done.push(lamp);
  });

  it('does jobs through BullMQ, at once, and ticks', () =>
    withEngine({}, async () => {
      const ids = await Promise.all(Array.from({ length: 30 }, (_, i) => add(`l${i}`)));
      await until('all jobs', async () => done.length === 30);
      expect(new Set(done).size).toBe(30);
      for (const id of ids) await until('its row', async () => (await state(id)).status === 'done');
      await until('a tick', async () => ticks > 2);
    }));

  it.each([
    ['through BullMQ', {}],
    ['while Redis is away', { REDIS_URL: 'redis://127.0.0.1:1' }],
  ])('does what is prompt although more patient jobs hang than it does at once, %s', (_, environment) =>
    withEngine(environment, async () => {
      let release!: () => void;
      const server = new Promise<void>((answer) => (release = answer));
      let hanging = 0;
      work = async ({ lamp }) => {
        if (lamp.startsWith('patient')) {
          hanging += 1;
          await server;
        }
        done.push(lamp);
      };
      for (let i = 0; i < 50; i++) await add(`patient ${i}`, { patient: true });
      await until('the lane to be full', async () => hanging >= 5);
      const id = await add('prompt');
      await until('the prompt one', async () => (await state(id)).status === 'done');
      expect(done).toEqual(['prompt']);
      release();
      await until('all', async () => done.length === 51);
    }),
  );

  it('does them although Redis was emptied in between', () =>
    withEngine({}, async () => {
      const client = new Client(process.env.TEST_REDIS_URL!);
      // Handed to BullMQ by a relay that died before any worker heard of it, and then Redis forgot.
      const id = await add('a', { delayMs: 3_600_000 });
      await house.sql.query(
        `UPDATE platform.job SET run_at = platform.now() - interval '20 seconds', handed_at = platform.now() - interval '14 seconds'`,
      );
      for (const key of await client.keys(`${house.redisPrefix}*`)) await client.del(key);
      client.disconnect();
      await until('the job', async () => done.length === 1);
      await until('its row', async () => (await state(id)).status === 'done');
    }));

  it('does them while Redis is away', () =>
    withEngine({ REDIS_URL: 'redis://127.0.0.1:1' }, async () => {
      const id = await add('a');
      await until('the row', async () => (await state(id)).status === 'done');
      expect(done).toEqual(['a']);
    }));
});
