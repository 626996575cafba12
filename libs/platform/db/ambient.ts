// What surrounds the work at hand: who asks, under which request id, in which transaction. Carried by AsyncLocalStorage.
import { ClsServiceManager } from 'nestjs-cls';
import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import type { Principal } from '../../kernel/principal.js';

export interface AmbientTransaction {
  runner: QueryRunner;
  client: PoolClient;
  /** Run after commit, in order; never for truth, only to poke and to forget caches. */
  afterCommit: (() => void)[];
  /** Run, each in a transaction of its own, after this one was rolled back for good. */
  afterRollback: (() => Promise<unknown>)[];
}

export interface Ambient {
  requestId?: string;
  /** W3C trace id of the request, job or domain event that started this. */
  traceId?: string;
  principal?: Principal;
  tx?: AmbientTransaction;
}

interface AmbientStore {
  get<K extends keyof Ambient>(key: K): Ambient[K];
  set<K extends keyof Ambient>(key: K, value: Ambient[K]): void;
  run<T>(options: { ifNested: 'inherit' | 'override' }, work: () => T): T;
}

/** The one AsyncLocalStorage of the process. */
export const ambient = () => ClsServiceManager.getClsService() as unknown as AmbientStore;

/** Runs work as somebody: a consumer, a job, a sweep. */
export function runAs<T>(values: Pick<Ambient, 'requestId' | 'principal' | 'traceId'>, work: () => Promise<T>): Promise<T> {
  const store = ambient();
  return store.run({ ifNested: 'inherit' }, () => {
    for (const key of ['requestId', 'principal', 'traceId'] as const) if (values[key]) store.set(key, values[key]);
    return work();
  });
}
