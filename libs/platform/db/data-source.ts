// How TypeORM connects: snake case columns, no synchronize, UTC, limits on every statement.
import pg from 'pg';
import { DataSource, DefaultNamingStrategy, type DataSourceOptions, type MixedList } from 'typeorm';

// bigint columns hold money and counters up to 2^53-1 (kernel/money.ts), so a number is exact.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

class SnakeCase extends DefaultNamingStrategy {
  override columnName(property: string, custom: string | undefined, prefixes: string[]): string {
    return snake([...prefixes, custom ?? property].join('_'));
  }
}

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
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 30_000,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      options: '-c timezone=UTC',
    },
  } as DataSourceOptions;
}

export const makeDataSource = (options: SourceOptions) => new DataSource(dataSourceOptions(options));
