// The servers of a benchmark: a Postgres and a Redis of its own with fsync on and its log made ahead, as `npm start` has them, migrated, and secrets; all in a folder that is gone with them.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '../../libs/platform/db/migrations.js';
import type { Infra, Server } from '../infra.mjs';

export interface Servers {
  /** Where they keep their data; logs may lie there too. */
  folder: string;
  databaseUrl: string;
  postgres: Server | null;
  /** What an api or a worker has to be told to run on them. */
  env: { DATABASE_URL: string; REDIS_URL: string; SECRETS_DIR: string };
  stop(): Promise<void>;
}

/** One of scripts/*.mjs, which lie beside dist and not in it. */
export const script = async <T>(path: string) => (await import(new URL(`../../../scripts/${path}`, import.meta.url).href)) as T;

/** Whatever goes wrong, nothing of them stays. */
export async function startServers(): Promise<Servers> {
  const { ON_SALE_LOG, startInfra } = await script<typeof import('../infra.mjs')>('infra.mjs');
  const { makeSecrets } = await script<{ makeSecrets(folder: string): void }>('secrets.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'evently-bench-'));
  chmodSync(folder, 0o711); // Postgres runs as another user when we are root, and must be able to walk in.
  let infra: Infra | undefined;
  const stop = async () => {
    await infra?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    infra = await startInfra({ folder, tests: true, logAhead: ON_SALE_LOG, say: () => undefined });
    const { databaseUrl, redisUrl, postgres } = infra;
    await migrate(databaseUrl);
    const env = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, SECRETS_DIR: join(folder, 'secrets') };
    makeSecrets(env.SECRETS_DIR);
    return { folder, databaseUrl, postgres, env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
