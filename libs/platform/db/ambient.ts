// What surrounds the work at hand: who asks, under which request id, in which transaction. Carried by AsyncLocalStorage.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolClient } from 'pg';
import type { QueryRunner } from 'typeorm';
import type { Principal } from '../../kernel/principal.js';
import type { Queryable } from './express.js';

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
  /** Where statements outside of a transaction go; without it to the pool that all share. */
  pool?: Queryable;
  /** The moment, as elapsedMs() counts, from which the client waits no longer. */
  deadline?: number;
  /** No transaction waits longer for a lock, unless it says so itself. */
  lockTimeoutMs?: number;
}

/** The one AsyncLocalStorage of the process. */
const storage = new AsyncLocalStorage<Ambient>();

const ANONYMOUS: Principal = { kind: 'anonymous' };
const NOTHING: Readonly<Ambient> = {
  requestId: undefined,
  traceId: undefined,
  principal: undefined,
  tx: undefined,
  pool: undefined,
};

/** What surrounds this very moment: nothing where nobody opened it. */
export const ambient = (): Readonly<Ambient> => storage.getStore() ?? NOTHING;

/** Runs work surrounded by these values and nothing else: the beginning of a request; or {}, for what serves many callers at once. */
export function withAmbient<T>({ requestId, traceId, principal, tx, pool, deadline, lockTimeoutMs }: Ambient, work: () => T): T {
  return storage.run({ requestId, traceId, principal, tx, pool, deadline, lockTimeoutMs }, work);
}

/** Work that is surrounded, whenever it runs, by what surrounds this moment. */
export function carried(work: () => void): () => void {
  const store = storage.getStore() ?? {};
  return () => storage.run(store, work);
}

/** Runs work with some of what surrounds it said anew; what is not said stays as it is. */
export function withMoreAmbient<T>(values: Ambient, work: () => T): T {
  const { requestId, traceId, principal, tx, pool, deadline, lockTimeoutMs } = ambient();
  return withAmbient(
    {
      requestId: values.requestId ?? requestId,
      traceId: values.traceId ?? traceId,
      principal: values.principal ?? principal,
      tx: values.tx ?? tx,
      pool: values.pool ?? pool,
      deadline: values.deadline ?? deadline,
      lockTimeoutMs: values.lockTimeoutMs ?? lockTimeoutMs,
    },
    work,
  );
}

/** Who is asking, as the guard or the worker said. */
export const whoAsks = (): Principal => ambient().principal ?? ANONYMOUS;

/** Says who asks, to everything that happens from here on in the request at hand. */
export function setPrincipal(principal: Principal): void {
  const store = storage.getStore();
  if (!store) throw new Error('Nothing surrounds this: open it with withAmbient().');
  store.principal = principal;
}

/** Runs work as somebody: a consumer, a job, a sweep. */
export const runAs = <T>(values: Omit<Ambient, 'tx'>, work: () => Promise<T>): Promise<T> => withMoreAmbient(values, work);
