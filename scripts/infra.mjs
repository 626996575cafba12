// Infra: the Postgres and the Redis that start, tests, benchmarks and fault tests run on: given ones, else our own children.
import { join } from 'node:path';
import { Advice } from './machine/place.mjs';
import { asking, startPostgres, writeLogAhead } from './machine/postgres.mjs';
import { startRedis } from './machine/redis.mjs';

/** Segments of Postgres' log that lie ready where an on-sale may begin at any moment: half a gigabyte, some 200 000 holds. */
export const ON_SALE_LOG = 32;

/**
 * Makes both servers ready. A given URL is checked and used; otherwise a server of our own starts with its data in `folder`.
 * @param options folder (must exist and be passable for nobody when we are root), logs (folder), databaseUrl, redisUrl,
 * password (of our own Postgres; none: no password is asked, for tests), tests (nothing is worth keeping), logAhead (segments of our own Postgres' log to make before they are needed), pids (folder for pid files), say(line),
 * started(child): called with each server of our own as soon as it serves
 * @returns { databaseUrl, redisUrl, postgres, redis, stop() }: the last two are Children, or null where the server was given
 */
export async function startInfra(options) {
  const {
    folder,
    logs = folder,
    tests = false,
    password = null,
    logAhead = 0,
    pids,
    say = () => {},
    started = () => {},
  } = options;
  const file = (name) => (pids ? join(pids, name) : undefined);
  let postgres = null;
  let redis = null;
  const stop = async () => {
    await redis?.stop();
    await postgres?.stop();
  };
  try {
    if (options.databaseUrl) await checkPostgres(options.databaseUrl);
    else started((postgres = await startPostgres({ folder, logs, password, tests, pidFile: file('postgres') })));
    if (postgres && logAhead > 0) await writeLogAhead(postgres.url, logAhead);
    if (options.redisUrl) await checkRedis(options.redisUrl);
    else started((redis = await startRedis({ folder, logs, tests, pidFile: file('redis'), say })));
  } catch (error) {
    await stop();
    throw error;
  }
  return { databaseUrl: options.databaseUrl || postgres.url, redisUrl: options.redisUrl || redis.url, postgres, redis, stop };
}

/** Makes the database `name` of that server if it is not there. @returns its url */
export async function makeDatabase(url, name) {
  await asking(url, async (client) => {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
  });
  return url.replace(/\/[^/]*$/, `/${name}`);
}

/** Throws Advice unless a Postgres >= 14 answers at `url`. */
async function checkPostgres(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query('show server_version_num');
    const number = Number(rows[0].server_version_num);
    if (number < 140000)
      throw new Advice(`DATABASE_URL: ${hidden(url)} is Postgres ${Math.floor(number / 10000)}; at least 14 is needed.`);
  } catch (error) {
    throw error instanceof Advice ? error : new Advice(`DATABASE_URL: ${hidden(url)} does not answer: ${reason(error)}`);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Throws Advice unless a Redis >= 6.2 answers at `url`. */
async function checkRedis(url) {
  const { Redis } = await import('ioredis');
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null, connectTimeout: 10_000 });
  let cause;
  redis.on('error', (error) => (cause = error));
  try {
    await redis.connect();
    const [, major, minor] = /redis_version:(\d+)\.(\d+)/.exec(await redis.info('server')) ?? [];
    if (Number(major) * 100 + Number(minor) < 602) {
      throw new Advice(`REDIS_URL: ${hidden(url)} is Redis ${major}.${minor}; at least 6.2 is needed.`);
    }
  } catch (error) {
    throw error instanceof Advice ? error : new Advice(`REDIS_URL: ${hidden(url)} does not answer: ${reason(cause ?? error)}`);
  } finally {
    redis.disconnect();
  }
}

function reason(error) {
  return error.message || error.code || error.errors?.map((each) => each.message).join(', ') || String(error);
}

/** A URL without its password, for messages. */
export function hidden(url) {
  return url.replace(/(\/\/[^:@/]*):[^@/]*@/, '$1:***@');
}
