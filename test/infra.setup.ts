// The servers of a test run: one Postgres and one Redis in a folder of their own, gone when the run ends, also by Ctrl-C.
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Infra, startInfra } from '../scripts/infra.mjs';

const prefix = 'evently-test-';

/** Vitest's globalSetup. Tells the workers TEST_DATABASE_URL (superuser, database `postgres`) and TEST_REDIS_URL. */
export default async function setup(): Promise<() => Promise<void>> {
  removeForgotten();
  const folder = mkdtempSync(join(tmpdir(), prefix));
  chmodSync(folder, 0o711);
  writeFileSync(join(folder, 'owner'), String(process.pid));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.once('exit', remove);
  const infra = await startInfra({
    folder,
    tests: true,
    databaseUrl: process.env.DATABASE_URL,
    redisUrl: process.env.REDIS_URL,
    say: console.log,
  });
  const teardown = once(async () => {
    await infra.stop();
    remove();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => void teardown());
  process.env.TEST_DATABASE_URL = infra.databaseUrl;
  process.env.TEST_REDIS_URL = await ownRedis(infra);
  await makeTemplate(infra.databaseUrl);
  return teardown;
}

/** Of a Redis that was given, a logical database that nobody uses: whatever is in it would be in the tests' way, and they in its. */
async function ownRedis({ redis, redisUrl }: Infra): Promise<string> {
  if (redis) return redisUrl;
  for (let index = 15; index > 0; index--) {
    const url = new URL(redisUrl);
    url.pathname = `/${index}`;
    const client = new Redis(url.href, { maxRetriesPerRequest: 1 });
    try {
      if ((await client.dbsize()) === 0) return url.href;
    } finally {
      client.disconnect();
    }
  }
  throw new Error('REDIS_URL: each of its databases 1 to 15 holds keys; the tests need an empty one');
}

async function makeTemplate(url: string): Promise<void> {
  const path = new URL('./template.ts', import.meta.url);
  if (!existsSync(path)) return;
  const template = (await import(path.href)) as { makeTemplate(url: string): Promise<void> };
  await template.makeTemplate(url);
}

/** Folders of runs that were killed. */
function removeForgotten(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const owner = join(tmpdir(), name, 'owner');
    if (!existsSync(owner)) continue;
    try {
      process.kill(Number(readFileSync(owner, 'utf8')), 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') rmSync(join(tmpdir(), name), { recursive: true, force: true });
    }
  }
}

function once(action: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= action());
}
