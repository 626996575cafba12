// A dump loaded into a Postgres that counts anew: without care consumers go deaf or hear everything twice; carried over, each hears the rest once.
import { NestFactory } from '@nestjs/core';
import type { INestApplicationContext } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { makeDataSource } from '../libs/platform/db/data-source.js';
import type { Hearing } from '../libs/platform/eventstore/event.place.js';
import { WorkerEngine } from '../libs/platform/queue/worker.engine.js';
import { expectStatus, unique } from '../test/buyer.js';
import { Harness, until } from '../test/harness.js';
import { carryPlaces, heardIn } from './restored/places.js';

let house: Harness;
let worker: INestApplicationContext | undefined;
beforeAll(async () => (house = await Harness.start(ApiModule)));
afterEach(() => stopWorker());
afterAll(() => house?.stop());

async function startWorker(): Promise<WorkerEngine> {
  worker = await NestFactory.createApplicationContext(WorkerModule, { logger: false, abortOnError: false });
  await worker.init();
  return worker.get(WorkerEngine);
}

async function stopWorker(): Promise<void> {
  await worker?.close();
  worker = undefined;
}

async function register(): Promise<string> {
  const email = `${unique('mover')}@example.org`;
  const body = { email, password: 'correct horse battery', name: 'Ada' };
  expectStatus(await house.call('POST', '/v1/auth/register', body), 201);
  return email;
}

const mails = async () =>
  (await house.sql.query('SELECT recipient FROM notifications.outbox_mail ORDER BY created_at')).rows.map(
    (r) => r.recipient as string,
  );
const mailed = (email: string) => until(`a mail to ${email}`, async () => (await mails()).includes(email));

/** As pg_dump from a server that had given out a thousand million transactions more, loaded into this one. */
async function loadFromOldServer(): Promise<void> {
  const older = (snapshot: string) => snapshot.replace(/\d+/g, (n) => String(Number(n) + 1_000_000_000));
  await house.sql.query(`UPDATE platform.event SET xid = (xid::text::bigint + 1000000000)::text::xid8`);
  const { rows } = await house.sql.query('SELECT name, done::text, target::text FROM platform.consumer');
  for (const { name, done, target } of rows) {
    const values = [name, older(done as string), target === null ? null : older(target as string)];
    await house.sql.query('UPDATE platform.consumer SET done = $2, target = $3 WHERE name = $1', values);
  }
}

async function carry() {
  const source = await makeDataSource({ url: house.databaseUrl, poolSize: 1 }).initialize();
  try {
    return await carryPlaces(source.createQueryRunner(), heardIn(WorkerModule));
  } finally {
    await source.destroy();
  }
}

it('knows every consumer without starting any', async () => {
  const { consumers } = await startWorker();
  const namesOf = (heard: readonly Hearing[]) => heard.map((h) => [h.name, h.type.type, h.only]).sort();
  expect(namesOf(heardIn(WorkerModule))).toEqual(namesOf(consumers));
});

it('carries the places over: what was heard stays heard, what was not is heard once, and so is what comes after', async () => {
  await startWorker();
  const before = await register();
  await mailed(before);
  await stopWorker();
  const unheard = await register();
  expect(await carry()).toBeNull();

  await loadFromOldServer();
  const carried = await carry();
  expect(carried!.waiting).toEqual({ 'notifications.account-registered': 1 });
  expect(await carry()).toBeNull();

  await startWorker();
  await mailed(unheard);
  const after = await register();
  await mailed(after);
  expect(await mails()).toEqual([before, unheard, after]);
  await until('nothing is left aside', async () => (await house.sql.query('SELECT 1 FROM platform.dead_letter')).rowCount === 0);
});

it('is asked for by a worker that would be deaf without it', async () => {
  await loadFromOldServer();
  await register();
  await expect(startWorker()).rejects.toThrow('npm run restored');
  const { rows } = await house.sql.query(
    `SELECT count(*)::int AS heard FROM platform.consumer c, platform.event e
     WHERE c.name = 'notifications.account-registered' AND e.xid > '3' AND e.xid < '1000000000' AND NOT pg_visible_in_snapshot(e.xid, c.done)`,
  );
  expect(rows[0].heard).toBe(0);
  await carry();
  await startWorker();
});
