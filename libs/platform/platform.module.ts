// Platform as Nest sees it: one global module of tools, and what only the api or only the worker adds.
import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { getMetadataArgsStorage } from 'typeorm';
import { Clock } from '../kernel/time.js';
import { Access } from './access/access.js';
import { provideConfig } from './config/config.reader.js';
import { PlatformConfig } from './config/platform.config.js';
import { Seal } from './config/seal.js';
import { DatabaseClock } from './db/clock.js';
import { dataSourceOptions } from './db/data-source.js';
import { Database } from './db/database.js';
import { DatabaseProbe } from './db/database.probe.js';
import { EventConsumers } from './eventstore/event.consumer.js';
import { EventPlaces } from './eventstore/event.place.js';
import { EventPoke } from './eventstore/event.poke.js';
import { EventReader } from './eventstore/event.reader.js';
import { EventStore } from './eventstore/event.store.js';
import { EventTrouble } from './eventstore/event.trouble.js';
import { HotRoutes } from './http/hot.routes.js';
import { ChangeInterceptor } from './http/change.interceptor.js';
import { IdempotencyInterceptor } from './http/idempotency.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ReadCache } from './http/read.cache.js';
import { SharedReads } from './http/shared.reads.js';
import { RouteTable } from './http/route.table.js';
import { LimitConfig } from './limit/limit.config.js';
import { LimitHook } from './limit/limit.hook.js';
import { RateLimiter } from './limit/rate.limiter.js';
import { Lock } from './lock/lock.js';
import { Health } from './observe/health.js';
import { Log } from './observe/log.js';
import { Meter } from './observe/meter.js';
import { RequestWatch } from './observe/request.watch.js';
import { Housekeeping } from './queue/housekeeping.processor.js';
import { JobQueue } from './queue/job.queue.js';
import { JobWorker } from './queue/job.worker.js';
import { QueueMeter } from './queue/queue.meter.js';
import { Statistics } from './queue/statistics.processor.js';
import { WorkerEngine } from './queue/worker.engine.js';
import { Redis } from './redis/redis.js';
import { SpiRegistry } from './spi/spi.registry.js';

const tools = [
  Access, ChangeInterceptor, Database, DatabaseProbe, EventPoke, EventReader, EventStore, Health, HotRoutes, IdempotencyInterceptor, JobQueue, LimitHook, Lock, Log,
  Meter, ProblemFilter, RateLimiter, ReadCache, Redis, RequestWatch, RouteTable, Seal, SharedReads, SpiRegistry,
  { provide: Clock, useClass: DatabaseClock },
]; // prettier-ignore

/** Every entity class that a context has declared with @Entity; contexts are imported before this runs. */
const entities = () => getMetadataArgsStorage().tables.map((t) => t.target as new () => object);

@Global()
@Module({ providers: [provideConfig(PlatformConfig), provideConfig(LimitConfig)], exports: [PlatformConfig, LimitConfig] })
class ConfigModule {}

@Global()
@Module({
  imports: [
    ConfigModule,
    DiscoveryModule,
    TypeOrmModule.forRootAsync({
      inject: [PlatformConfig],
      useFactory: (config: PlatformConfig) => ({
        ...dataSourceOptions({ url: config.databaseUrl, poolSize: config.databasePool, entities: entities() }),
        retryAttempts: 0,
      }),
    }),
  ],
  providers: tools,
  exports: tools.map((t) => ('provide' in t ? t.provide : t)),
})
export class PlatformModule {}

/** What runs domain events, jobs and timers. For the worker, and for tests that want one. */
@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [EventConsumers, EventPlaces, EventTrouble, Housekeeping, JobWorker, QueueMeter, Statistics, WorkerEngine],
  exports: [EventConsumers, EventTrouble, JobWorker, WorkerEngine],
})
export class PlatformWorker {}
