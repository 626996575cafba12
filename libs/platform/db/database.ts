// The door to Postgres: one ambient transaction per use case, retried where Postgres asks for it; nothing else holds a raw handle.
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { DataSource, type EntityTarget, type FindOptionsWhere, type ObjectLiteral } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { edgeErrors, Refusal } from '../../kernel/errors.js';
import { Bulkhead } from '../resilience/bulkhead.js';
import { ambient, withAmbient, withMoreAmbient, type AmbientTransaction } from './ambient.js';
import { SILENT_MS, endSilent, pipeline, unlimit } from './data-source.js';
import { Express, type Queryable } from './express.js';

/** A guarded write met a newer row. Retried with the transaction; a client's own If-Match is compared again there. */
export class VersionConflict extends Refusal {
  constructor(table: string) {
    const told = edgeErrors.staleVersion({ table });
    super(told.code, told.kind, told.message);
  }
}

/**
 * serialization_failure, deadlock_detected, our own version guard, and two that announced in one stream at once:
 * safe to run the whole callback again.
 */
function retryable(e: unknown): boolean {
  if (e instanceof VersionConflict) return true;
  const { code, constraint, cause } = (e ?? {}) as { code?: string; constraint?: string; cause?: unknown };
  if (cause && cause !== e) return retryable(cause);
  return code === '40001' || code === '40P01' || (code === '23505' && constraint === 'event_pkey');
}
const MAX_ATTEMPTS = 5;

const listened = new WeakSet<pg.PoolClient>();

/**
 * Postgres may say goodbye in the very bytes that end a query: then the pool has handed the connection on and nobody listens
 * yet, which would end the process. Whoever has the connection hears of it by his next query.
 */
function listenForErrors(client: pg.PoolClient): void {
  if (listened.has(client)) return;
  listened.add(client);
  client.on('error', () => undefined);
}

export interface TransactionOptions {
  /** Milliseconds to wait for a row lock before giving up with `busy`; 0 waits for the statement timeout. */
  lockTimeoutMs?: number;
  /** Milliseconds that a statement may take; it ends with 57014 then. */
  statementTimeoutMs?: number;
  /** Memory for sorting, hashing and bitmaps, in MiB. */
  workMemMiB?: number;
  /** No limit on how long statements, and pauses between them, may take: for who reads everything. */
  unlimited?: boolean;
}

/** Each option as a setting of Postgres, with its unit. */
const SETTINGS = {
  lockTimeoutMs: ['lock_timeout', 'ms'],
  statementTimeoutMs: ['statement_timeout', 'ms'],
  workMemMiB: ['work_mem', 'MB'],
} as const;

function settingsOf(options: TransactionOptions): string {
  const given = (Object.keys(SETTINGS) as (keyof typeof SETTINGS)[]).filter((option) => options[option]);
  return given.map((option) => `SET LOCAL ${SETTINGS[option][0]} = '${Math.floor(options[option]!)}${SETTINGS[option][1]}'`).join('; '); // prettier-ignore
}

/** What may keep a connection for long: bookings that wait for somebody's lock, changes by organizers that may, and reading much. */
export type Slow = 'waiting' | 'changing' | 'reading';

/** How long a change waits for its turn, and for a row that somebody else keeps. */
const CHANGE_MS = 2000;

/** What goes by express takes milliseconds, and waits for no lock for longer than a second. */
const EXPRESS_SILENT_MS = 10_000;

@Injectable()
export class Database implements OnApplicationShutdown {
  /** Two fifths of the connections may wait, a fifth change, a fifth read: the last fifth nobody keeps for long. */
  private readonly slow: Record<Slow, Bulkhead>;
  private kept?: Express;

  constructor(private readonly source: DataSource) {
    const pool = this.pool();
    endSilent(pool, SILENT_MS).on('acquire', listenForErrors);
    const atMost = (share: number) => Math.max(1, Math.floor(pool.options.max * share));
    this.slow = {
      waiting: new Bulkhead({ atOnce: atMost(2 / 5), waiting: 1000 }),
      changing: new Bulkhead({ atOnce: atMost(1 / 5), waiting: 1000 }),
      reading: new Bulkhead({ atOnce: atMost(1 / 5), waiting: 100 }),
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.kept?.end();
  }

  /** Runs work in the ambient transaction, or opens one: commit when it returns, roll back when it throws. */
  async transaction<T>(work: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    if (ambient().tx) return work();
    for (let attempt = 1; ; attempt++) {
      const undone: (() => Promise<unknown>)[] = [];
      try {
        return await this.attempt(work, options, undone);
      } catch (e) {
        if (!retryable(e) || attempt === MAX_ATTEMPTS) {
          for (const instead of undone) await instead();
          throw e;
        }
        await new Promise((resolve) => setTimeout(resolve, attempt * attempt * 3 * (0.5 + Math.random())));
      }
    }
  }

  private async attempt<T>(
    work: () => Promise<T>,
    options: TransactionOptions,
    afterRollback: (() => Promise<unknown>)[],
  ): Promise<T> {
    const runner = this.source.createQueryRunner();
    const tx: AmbientTransaction = { runner, client: (await runner.connect()) as pg.PoolClient, afterCommit: [], afterRollback };
    try {
      await runner.startTransaction();
      if (options.unlimited) await unlimit(tx.client);
      const settings = settingsOf({ lockTimeoutMs: ambient().lockTimeoutMs, ...options });
      if (settings !== '') await tx.client.query(settings);
      const result = await withMoreAmbient({ tx }, work);
      await runner.commitTransaction();
      for (const told of tx.afterCommit) told();
      return result;
    } catch (e) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw e;
    } finally {
      await runner.release();
    }
  }

  /** Runs work so that its failure undoes only its own writes (a savepoint); needs a transaction around it. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const { client } = this.tx();
    await client.query('SAVEPOINT part');
    try {
      const result = await work();
      await client.query('RELEASE SAVEPOINT part');
      return result;
    } catch (e) {
      // Released too: left standing, it would hide one of the same name around it.
      await client.query('ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part');
      throw e;
    }
  }

  /** Runs work outside of whatever transaction surrounds the caller: for what serves many callers at once. */
  detached<T>(work: () => Promise<T>): Promise<T> {
    return withAmbient({}, work);
  }

  /** As detached, on a connection kept for this alone: free however many others wait for theirs. Statements are decided in the order they were sent. */
  express<T>(work: () => Promise<T>): Promise<T> {
    this.kept ??= new Express(endSilent(pipeline(this.source), EXPRESS_SILENT_MS).on('acquire', listenForErrors));
    return withAmbient({ pool: this.kept }, work);
  }

  /**
   * Work that may keep its connection for long: it takes its share of the connections at most. Rejects with `overloaded`, before any work, where too
   * many want the same already, or none of its share became free within `waitMs`.
   */
  slowly<T>(kind: Slow, work: () => Promise<T>, waitMs: number): Promise<T> {
    return this.inTransaction ? work() : this.slow[kind].run(work, waitMs);
  }

  /** A change that may have to wait for others' rows, for a busy event's or an import's: slowly, and no longer than two seconds for its turn or for a row. */
  changing<T>(work: () => Promise<T>): Promise<T> {
    if (ambient().lockTimeoutMs !== undefined) return work(); // Its turn has come already.
    return this.slowly('changing', () => withMoreAmbient({ lockTimeoutMs: CHANGE_MS }, work), CHANGE_MS);
  }

  /** True inside a transaction. */
  get inTransaction(): boolean {
    return ambient().tx !== undefined;
  }

  /** Does something after the ambient transaction has committed; at once where there is none. */
  afterCommit(told: () => void): void {
    const tx = ambient().tx;
    if (tx) tx.afterCommit.push(told);
    else told();
  }

  /** Does something, in a transaction of its own, once the ambient one was rolled back for good: what must stay although a request is refused. */
  afterRollback(instead: () => Promise<unknown>): void {
    this.tx().afterRollback.push(instead);
  }

  /** Rows of a statement, in the ambient transaction where there is one. */
  async query<R = Record<string, unknown>>(sql: string, params: unknown[] = []): Promise<R[]> {
    return (await this.handle().query(sql, params)).rows as R[];
  }

  /** Rows of a named, prepared statement: parsed and planned once per connection. */
  async prepared<R = Record<string, unknown>>(name: string, sql: string, params: unknown[] = []): Promise<R[]> {
    return (await this.handle().query({ name, text: sql, values: params })).rows as R[];
  }

  /** How many rows a statement changed. */
  async execute(sql: string, params: unknown[] = []): Promise<number> {
    return (await this.handle().query(sql, params)).rowCount ?? 0;
  }

  find<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    return this.manager().findOneBy(entity, where);
  }

  /** Loads a row and keeps others from changing it until the transaction ends. */
  findForUpdate<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<E | null> {
    return this.tx().runner.manager.findOne(entity, { where, lock: { mode: 'pessimistic_write' } });
  }

  findAll<E extends ObjectLiteral>(entity: EntityTarget<E>, where: FindOptionsWhere<E>): Promise<E[]> {
    return this.manager().findBy(entity, where);
  }

  async insert<E extends ObjectLiteral>(entity: E): Promise<void> {
    await this.manager().insert(entity.constructor as EntityTarget<E>, entity);
  }

  /**
   * Writes an entity only where its row still has the version that was loaded, and raises the version by one.
   * TypeORM's `save()` has no such guard: a stale save overwrites the newer row. Throws VersionConflict on 0 rows.
   */
  async saveVersioned<E extends { version: number }>(entity: E): Promise<void> {
    const meta = this.source.getMetadata(entity.constructor);
    const values: unknown[] = [];
    const set: string[] = [];
    const where: string[] = [];
    for (const column of meta.columns) {
      const value = this.source.driver.preparePersistentValue(column.getEntityValue(entity), column);
      if (column.propertyName === 'version') continue;
      values.push(value);
      (column.isPrimary ? where : set).push(`"${column.databaseName}" = $${values.length}`);
    }
    values.push(entity.version);
    const sql = `UPDATE ${meta.tablePath} SET ${[...set, '"version" = "version" + 1'].join(', ')} WHERE ${where.join(' AND ')} AND "version" = $${values.length}`;
    if ((await this.execute(sql, values)) === 0) throw new VersionConflict(meta.tablePath);
    entity.version += 1;
  }

  /** Writes all columns of an entity that has no version of its own: a part, changed under the lock of the whole it belongs to. */
  async update<E extends ObjectLiteral>(entity: E): Promise<void> {
    const meta = this.source.getMetadata(entity.constructor);
    await this.manager().update(
      entity.constructor as EntityTarget<E>,
      meta.getEntityIdMap(entity) as FindOptionsWhere<E>,
      entity,
    );
  }

  /** The table's columns of an entity with their stored values, for domain events: `{table, values}`. */
  rowOf(entity: object): { table: string; values: Record<string, unknown> } {
    const meta = this.source.getMetadata(entity.constructor);
    const values: Record<string, unknown> = {};
    for (const column of meta.columns)
      values[column.databaseName] = this.source.driver.preparePersistentValue(
        column.getEntityValue(entity as ObjectLiteral),
        column,
      );
    return { table: meta.tablePath, values };
  }

  /** Connections in use, idle and asked for: for metrics. */
  poolState(): { total: number; idle: number; waiting: number } {
    const pool = this.pool();
    return { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount };
  }

  private manager() {
    return ambient().tx?.runner.manager ?? this.source.manager;
  }

  private handle(): Queryable {
    const { tx, pool } = ambient();
    return tx?.client ?? pool ?? this.pool();
  }

  private pool(): pg.Pool {
    return (this.source.driver as PostgresDriver).master as pg.Pool;
  }

  private tx(): AmbientTransaction {
    const tx = ambient().tx;
    if (!tx) throw new Error('This needs Database.transaction() around it.');
    return tx;
  }
}
