// The worker's engine: finds every handler at boot, refuses to start where one is missing or doubled, and keeps them all running.
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { declaredDomainEvents } from '../../kernel/domain-event.js';
import { declaredJobs, type JobType } from '../../kernel/job.js';
import { EventConsumers, type Consumer } from '../eventstore/event.consumer.js';
import { EventPoke } from '../eventstore/event.poke.js';
import { Log } from '../observe/log.js';
import { Redis } from '../redis/redis.js';
import { JOB_CHANNEL } from './job.queue.js';
import { JobLane } from './job.lane.js';
import { JobWorker, type JobHandler } from './job.worker.js';
import { Loop } from './loop.js';
import { HEARS, TICKS, WORKS, type Hears } from './processor.decorators.js';

const QUEUE = 'evently';
/** Domain events that only history and audit read, by name; every other one must be heard. */
const auditOnly = new Set<string>();

/** Names domain events that nobody hears on purpose. */
export const auditOnlyEvents = (...types: { type: string }[]): void => types.forEach((t) => auditOnly.add(t.type));

const consumerOf = ({ together, ...hearing }: Hears, call: (heard: never) => Promise<void>): Consumer =>
  together ? { ...hearing, handleAll: call } : { ...hearing, handle: call };

/** Specs of one process declare types of their own, which no processor of the house knows. */
const ofTests = (type: string) => type.startsWith('spec.');

@Injectable()
export class WorkerEngine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly consumers: Consumer[] = [];
  private readonly loops: Loop[] = [];
  private readonly lanes: JobLane[] = [];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly events: EventConsumers,
    private readonly jobs: JobWorker,
    private readonly poke: EventPoke,
    private readonly redis: Redis,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.discover();
    await this.events.refuseForeignPlaces();
    for (const consumer of this.consumers) await this.events.enrol(consumer.name);
    const listening = this.consumers.map((c) => ({
      type: c.type.type,
      loop: this.loop(`consumer ${c.name}`, 500, () => this.events.advance(c)),
    }));
    await this.poke.listen((told) => {
      for (const { type, loop } of listening) if (told.some((t) => t.type === type)) loop.wake();
    });
    this.loop('dead letters', 1000, () => this.events.retry(this.consumers));
    const relays = [this.openLane(QUEUE, false), this.openLane(`${QUEUE}-patient`, true)];
    await this.redis.subscribe(JOB_CHANNEL, () => relays.forEach((relay) => relay.wake()));
  }

  /** Patient jobs have a lane of their own: neither their number nor a slow mail server holds up a payment that came. */
  private openLane(name: string, patient: boolean): Loop {
    const lane = new JobLane(name, patient, this.jobs, this.redis);
    const relay = this.loop(`job relay ${name}`, 500, () => lane.relay());
    lane.onDrained(() => relay.wake());
    this.lanes.push(lane);
    return relay;
  }

  private discover(): void {
    const scanner = new MetadataScanner();
    const worked = new Set<string>();
    for (const { instance } of this.discovery.getProviders()) {
      if (!instance || typeof instance !== 'object') continue;
      const proto = Object.getPrototypeOf(instance) as Record<string, (...a: unknown[]) => Promise<unknown>>;
      if (!proto || proto === Object.prototype) continue;
      for (const name of scanner.getAllMethodNames(proto)) {
        const method = proto[name];
        const call = method.bind(instance);
        const hears = Reflect.getMetadata(HEARS, method) as Hears | undefined;
        const works = Reflect.getMetadata(WORKS, method) as JobType<never> | undefined;
        const ticks = Reflect.getMetadata(TICKS, method) as number | undefined;
        if (hears) this.addConsumer(consumerOf(hears, call as (heard: never) => Promise<void>));
        if (works) {
          if (worked.has(works.type)) throw new Error(`The job ${works.type} has two handlers.`);
          worked.add(works.type);
          this.jobs.register(works.type, call as JobHandler);
        }
        if (ticks) this.loop(`${instance.constructor.name}.${name}`, ticks, call);
      }
    }
    this.refuseGaps(worked);
  }

  private addConsumer(consumer: Consumer): void {
    if (this.consumers.some((c) => c.name === consumer.name))
      throw new Error(`The consumer name ${consumer.name} is used twice.`);
    this.consumers.push(consumer);
  }

  private refuseGaps(worked: Set<string>): void {
    const jobless = [...declaredJobs().keys()].filter((t) => !worked.has(t) && !ofTests(t));
    if (jobless.length > 0)
      throw new Error(`Jobs without a handler: ${jobless.join(', ')}. Give each an @OnJob method in a processor.`);
    const heard = new Set(this.consumers.map((c) => c.type.type));
    const unheard = declaredDomainEvents().filter((t) => !heard.has(t) && !auditOnly.has(t) && !ofTests(t));
    if (unheard.length > 0)
      throw new Error(`Domain events that nobody hears: ${unheard.join(', ')}. Hear them, or name them in auditOnlyEvents().`);
  }

  private loop(name: string, ms: number, work: () => Promise<unknown>): Loop {
    const loop = new Loop(name, ms, work, (e) => this.log.warn({ err: e, loop: name }, `${name} failed and will be tried again`));
    this.loops.push(loop);
    loop.start();
    return loop;
  }

  /** Before anything it works with is closed. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.loops.map((l) => l.stop()));
    for (const lane of this.lanes) await lane.close();
  }
}
