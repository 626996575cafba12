// Platform under test, without any context: its tools on a database of their own, moved by hand so that nothing is slept for.
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Module, type INestApplicationContext, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pg from 'pg';
import { Database } from '../libs/platform/db/database.js';
import { EventConsumers } from '../libs/platform/eventstore/event.consumer.js';
import { EventPlaces } from '../libs/platform/eventstore/event.place.js';
import { EventStore } from '../libs/platform/eventstore/event.store.js';
import { EventTrouble } from '../libs/platform/eventstore/event.trouble.js';
import { PlatformModule } from '../libs/platform/platform.module.js';
import { JobQueue } from '../libs/platform/queue/job.queue.js';
import { JobWorker } from '../libs/platform/queue/job.worker.js';
import { testSecrets } from './harness.js';
import { cloneTemplate, dropDatabase } from './template.js';

export class PlatformHouse {
  readonly db: Database;
  readonly events: EventStore;
  readonly consumers: EventConsumers;
  readonly jobs: JobWorker;
  readonly queue: JobQueue;

  private constructor(
    readonly app: INestApplicationContext,
    /** Connections of the test's own. */
    readonly sql: pg.Pool,
    readonly redisPrefix: string,
    private readonly clean: () => Promise<void>,
  ) {
    this.db = app.get(Database);
    this.events = app.get(EventStore);
    this.consumers = app.get(EventConsumers);
    this.jobs = app.get(JobWorker);
    this.queue = app.get(JobQueue);
  }

  static async open(environment: Record<string, string> = {}, providers: Provider[] = []): Promise<PlatformHouse> {
    const admin = process.env.TEST_DATABASE_URL!;
    const name = `evently_test_${process.pid}_${randomBytes(4).toString('hex')}`;
    const databaseUrl = await cloneTemplate(admin, name);
    const secrets = testSecrets();
    Object.assign(process.env, {
      NODE_ENV: 'test', DATABASE_URL: databaseUrl, REDIS_URL: process.env.TEST_REDIS_URL, SECRETS_DIR: secrets, LOG_LEVEL: 'silent',
      DATABASE_POOL: '10', REDIS_PREFIX: `${name}:`, ...environment,
    }); // prettier-ignore
    @Module({ imports: [PlatformModule], providers: [EventConsumers, EventPlaces, EventTrouble, JobWorker, ...providers] })
    class HouseModule {}
    const app = await NestFactory.createApplicationContext(HouseModule, { logger: false, abortOnError: false });
    const sql = new pg.Pool({ connectionString: databaseUrl, max: 8, options: '-c timezone=UTC' });
    sql.on('error', () => undefined);
    return new PlatformHouse(app, sql, `${name}:`, async () => {
      await app.close();
      await sql.end();
      await dropDatabase(admin, name);
      rmSync(secrets, { recursive: true, force: true });
    });
  }

  /** Moves the database's clock. */
  async shiftClock(seconds: number): Promise<void> {
    await this.sql.query(
      `INSERT INTO platform.clock_shift (shift) VALUES ($1 * interval '1 second')
       ON CONFLICT (one) DO UPDATE SET shift = platform.clock_shift.shift + excluded.shift`,
      [seconds],
    );
  }

  close(): Promise<void> {
    return this.clean();
  }
}
