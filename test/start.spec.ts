// The two commands' promises that need no running Evently: clear refusals, secrets, and servers that come back or go with us.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeyRing } from '../libs/platform/config/keyring.js';
import { type Infra, startInfra } from '../scripts/infra.mjs';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'evently-start-'));
  chmodSync(home, 0o711); // Postgres runs as nobody when we are root.
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function run(script: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const given = { PATH: process.env.PATH, HOME: process.env.HOME, EVENTLY_HOME: home, ...env };
  const { status, stderr } = spawnSync(process.execPath, [join('scripts', script), ...args], {
    env: given,
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status, stderr };
}

describe('npm start refuses with advice', () => {
  it('production without secrets: names each, makes none', () => {
    const { status, stderr } = run('start.mjs', [], { NODE_ENV: 'production', HMAC_KEY: 'changeme', COOKIE_KEY: 'x'.repeat(31) });
    expect(status).toBe(1);
    expect(stderr).toContain('JWT_KEYS is missing');
    expect(stderr).toContain('TICKET_KEYS is missing');
    expect(stderr).toContain('HMAC_KEY is a demo value');
    expect(stderr).toContain('COOKIE_KEY is shorter than 32 characters');
    expect(existsSync(join(home, 'secrets'))).toBe(false);
  });

  it('a port that is taken: says which and how to take another, and leaves no lock', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    const { status, stderr } = run('start.mjs', [], { PORT: String(port), WORKER_PORT: '1' + String(port).slice(1) });
    server.close();
    expect(status).toBe(1);
    expect(stderr).toContain(`Port ${port} is taken`);
    expect(stderr).toMatch(/PORT=\d+ WORKER_PORT=\d+ npm start/);
    expect(existsSync(join(home, 'start.pid'))).toBe(false);
  });

  it('what is no port', () => {
    expect(run('start.mjs', [], { PORT: '0x1F' }).stderr).toContain('PORT must be a number from 1 to 65535');
    expect(run('start.mjs', [], { API_PORTS: '4000,4000' }).stderr).toContain('Port 4000 is asked for twice');
  });
});

describe('secrets for a production', () => {
  it('are key sets and random values that production accepts, made once', () => {
    const folder = join(home, 'secrets');
    expect(run('secrets.mjs', [folder]).status).toBe(0);
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    expect(KeyRing.parse(read('JWT_KEYS'), 'RS256').keys).toHaveLength(1);
    expect(KeyRing.parse(read('TICKET_KEYS'), 'EdDSA').keys).toHaveLength(1);
    expect(new Set(['HMAC_KEY', 'COOKIE_KEY', 'PAYMENTS_TEST_WEBHOOK_SECRET'].map(read)).size).toBe(3);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const before = readdirSync(folder).map((name) => [name, read(name)]);
    expect(run('secrets.mjs', [folder]).status).toBe(0);
    expect(readdirSync(folder).map((name) => [name, read(name)])).toEqual(before);
  });
});

describe('our own servers', () => {
  it('keep what was committed through SIGKILL, and come back on the same port', async () => {
    const infra = await startInfra({ folder: home, password: 'not-a-secret-of-anybody' });
    try {
      await query(infra, 'create table kept (id int)');
      await query(infra, 'insert into kept values (7)');
      const { databaseUrl, redisUrl } = infra;
      await Promise.all([infra.postgres?.kill(), infra.redis?.kill()]);
      await Promise.all([infra.postgres?.start(), infra.redis?.start()]);
      expect([infra.postgres?.url, infra.redis?.url]).toEqual([databaseUrl, redisUrl]);
      expect(await query(infra, 'select id from kept')).toEqual([{ id: 7 }]);
      const durable =
        "select string_agg(setting, ',') as s from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit')";
      expect(await query(infra, durable)).toEqual([{ s: 'on,on,on' }]);
      const redis = new Redis(redisUrl);
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      redis.disconnect();
    } finally {
      await infra.stop();
    }
    expect(existsSync(join(home, 'postgres/data/postmaster.pid'))).toBe(false);
  });

  it('have log ready for a crowd: no more is made at the next start, and none of it is given up', async () => {
    const ahead = (infra: Infra) =>
      query(
        infra,
        `select (select count(*)::int from pg_ls_waldir() where name > w.writing) as n, w.writing
         from pg_walfile_name(pg_current_wal_lsn()) w(writing)`,
      );
    const options = { folder: home, password: 'not-a-secret-of-anybody', logAhead: 4 };
    let infra = await startInfra(options);
    const first = await ahead(infra).finally(() => infra.stop());
    expect((first[0] as { n: number }).n).toBeGreaterThanOrEqual(4);
    infra = await startInfra(options);
    expect(await ahead(infra).finally(() => infra.stop())).toEqual(first);
  });

  it('ask for the password', async () => {
    const infra = await startInfra({ folder: home, password: 'not-a-secret-of-anybody' });
    try {
      const url = infra.databaseUrl.replace('not-a-secret-of-anybody', 'wrong');
      await expect(query({ ...infra, databaseUrl: url }, 'select 1')).rejects.toThrow('password authentication failed');
    } finally {
      await infra.stop();
    }
  });

  it('refuse data of another Postgres version, and keep it', async () => {
    const data = join(home, 'postgres/data');
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, 'PG_VERSION'), '13\n');
    await expect(startInfra({ folder: home })).rejects.toThrow(/was made by Postgres 13, but this is Postgres \d+/);
    expect(readFileSync(join(data, 'PG_VERSION'), 'utf8')).toBe('13\n');
  });

  it.runIf(process.platform === 'linux')('go when whoever started them is killed', async () => {
    const script = `
      import { startInfra } from ${JSON.stringify(new URL('../scripts/infra.mjs', import.meta.url).href)};
      const infra = await startInfra({ folder: process.argv[1], tests: true });
      console.log(JSON.stringify([infra.postgres.pid, infra.redis.pid]));`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script, home], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Promise<string>((resolve) => parent.stdout.once('data', (bytes: Buffer) => resolve(String(bytes))));
    const pids = JSON.parse(line) as number[];
    expect(pids.every(alive)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitUntil(() => !pids.some(alive), { timeout: 20_000 });
  });
});

describe('given servers', () => {
  it('that do not answer are named, without their password', async () => {
    await expect(
      startInfra({ folder: home, databaseUrl: 'postgres://me:hush@127.0.0.1:1/x', redisUrl: 'redis://127.0.0.1:1' }),
    ).rejects.toThrow('DATABASE_URL: postgres://me:***@127.0.0.1:1/x does not answer');
  });

  it('are used, and nothing is started', async () => {
    const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = process.env;
    const infra = await startInfra({ folder: home, databaseUrl, redisUrl });
    expect(infra).toMatchObject({ databaseUrl, redisUrl, postgres: null, redis: null });
    expect(readdirSync(home)).toEqual([]);
  });
});

async function query({ databaseUrl }: Infra, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    return (await client.query(sql)).rows as unknown[];
  } finally {
    await client.end();
  }
}

/** A zombie that nobody has collected yet is dead. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
