// How TypeORM connects: snake case columns, no synchronize, UTC, limits on every statement.
import type { Socket } from 'node:net';
import { LRUCache } from 'lru-cache';
import pg from 'pg';
import { DataSource, DefaultNamingStrategy, type DataSourceOptions, type MixedList } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';

// bigint columns hold money and counters up to 2^53-1 (kernel/money.ts), so a number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

/** The rows of a batch name the same few instants: reading each of them anew took longer than all the rest of their rows. */
const instants = new LRUCache<string, Date>({ max: 100, memoMethod: pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) });
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => new Date(instants.memo(text)));

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

class SnakeCase extends DefaultNamingStrategy {
  override columnName(property: string, custom: string | undefined, prefixes: string[]): string {
    return snake([...prefixes, custom ?? property].join('_'));
  }
}

/**
 * Plans of prepared statements are kept, and the first minutes of an on-sale make small tables large before Postgres counts them again: a scan
 * that was the cheapest plan for ten rows would be kept for ten thousand. All that runs often has its index (test/plans.spec.ts), so scans are the last resort.
 */
const SESSION = { timezone: 'UTC', enable_seqscan: 'off', jit: 'off' };

/** Postgres ends what takes longer. */
const STATEMENT_MS = 30_000;
/** By then it has, or is not there. */
export const SILENT_MS = STATEMENT_MS + 5000;

export interface SourceOptions {
  url: string;
  poolSize: number;
  entities?: MixedList<new () => object>;
  /** Migration classes, each in the context that owns its tables. */
  migrations?: DataSourceOptions['migrations'];
}

export function dataSourceOptions({ url, poolSize, entities, migrations }: SourceOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize,
    entities: (entities as never) ?? [],
    migrations,
    migrationsTableName: 'migration',
    migrationsTransactionMode: 'each',
    uuidExtension: 'pgcrypto',
    installExtensions: false,
    namingStrategy: new SnakeCase(),
    extra: {
      application_name: 'evently',
      statement_timeout: STATEMENT_MS,
      idle_in_transaction_session_timeout: 30_000,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      options: Object.entries(SESSION).map(([name, value]) => `-c ${name}=${value}`).join(' '), // prettier-ignore
    },
  } as DataSourceOptions;
}

export const makeDataSource = (options: SourceOptions) => new DataSource(dataSourceOptions(options));

/** A connection beside those of a data source, as it makes its own, but sending statements without waiting for answers. It keeps no process alive. */
export function pipeline({ options }: DataSource): pg.Pool {
  const { url, extra } = options as PostgresDataSourceOptions;
  const more = { max: 1, allowExitOnIdle: true, pipeline: true };
  const pool = new pg.Pool({ connectionString: url, ...(extra as object), ...more });
  return pool.on('error', () => undefined); // One that breaks while idle is replaced when it is next wanted.
}

const socketOf = (client: pg.PoolClient) => (client as unknown as { connection: { stream: Socket } }).connection.stream;

function end(this: Socket) {
  this.destroy();
}

/**
 * Ends connections on which nothing was heard for so many milliseconds while they were in use: a Postgres that is cut off, or stopped, says no goodbye, and who
 * waits for its answer would wait for ever, although another one may be there by now.
 */
export function endSilent(pool: pg.Pool, silentMs: number): pg.Pool {
  pool.on('acquire', (client) => socketOf(client).setTimeout(silentMs, end));
  pool.on('release', (_error, client) => socketOf(client).setTimeout(0, end));
  return pool;
}

/** Lifts the limits from the transaction that has just begun, and from the silence of its connection until that is given back. */
export async function unlimit(client: pg.PoolClient): Promise<void> {
  socketOf(client).setTimeout(0, end);
  await client.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
}
