// The probe: asks Postgres over a connection of its own whether it is there and migrated, so that a busy pool does not look like an absent database.
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import pg from 'pg';
import { PlatformConfig } from '../config/platform.config.js';
import { knownMigrations } from './migrations.js';

export interface DatabaseState {
  postgres: 'up' | 'away';
  migrations: 'applied' | 'pending' | 'unknown';
}

/** An answer is good for so long, in milliseconds: however often health is asked, Postgres is asked four times a second at most. */
const FRESH_MS = 250;
const LIMIT_MS = 2000;

@Injectable()
export class DatabaseProbe implements OnApplicationShutdown {
  private client?: pg.Client;
  private answer?: Promise<DatabaseState>;
  private answeredAt = Infinity;
  /** Migrations once applied stay so. */
  private migrated = false;

  constructor(private readonly config: PlatformConfig) {}

  /** Never throws. */
  ask(): Promise<DatabaseState> {
    if (!this.answer || performance.now() - this.answeredAt > FRESH_MS) {
      this.answeredAt = Infinity; // One look at a time: who asks meanwhile gets its answer.
      this.answer = this.look().finally(() => (this.answeredAt = performance.now()));
    }
    return this.answer;
  }

  private async look(): Promise<DatabaseState> {
    try {
      const client = (this.client ??= await this.connect());
      if (this.migrated) await client.query('SELECT 1');
      else this.migrated = await isMigrated(client);
      return { postgres: 'up', migrations: this.migrated ? 'applied' : 'pending' };
    } catch {
      this.forget();
      return { postgres: 'away', migrations: this.migrated ? 'applied' : 'unknown' };
    }
  }

  private async connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.config.databaseUrl,
      application_name: 'evently health',
      connectionTimeoutMillis: LIMIT_MS,
      query_timeout: LIMIT_MS,
    });
    client.on('error', () => this.forget());
    await client.connect();
    return client;
  }

  private forget(): void {
    const client = this.client;
    this.client = undefined;
    void client?.end().catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.forget();
  }
}

async function isMigrated(client: pg.Client): Promise<boolean> {
  const { rows: tables } = await client.query<{ there: boolean }>(`SELECT to_regclass('public.migration') IS NOT NULL AS there`);
  if (!tables[0].there) return false;
  const { rows } = await client.query<{ timestamp: string }>('SELECT timestamp::text FROM public.migration');
  const done = new Set(rows.map((r) => r.timestamp));
  return knownMigrations().every((m) => done.has(m.timestamp));
}
