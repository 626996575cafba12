// The harness: a whole Evently (api, and worker where asked) on a database of its own, spoken to over real HTTP.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import pg from 'pg';
import { makeServer } from '../libs/platform/http/server.js';
import { cloneTemplate, dropDatabase } from './template.js';

export interface Reply<T = never> {
  status: number;
  body: T;
  headers: Headers;
  text: string;
}

export interface CallOptions {
  token?: string;
  key?: string;
  ifMatch?: string | number;
  headers?: Record<string, string>;
}

export class Harness {
  private constructor(
    readonly api: NestFastifyApplication,
    readonly worker: INestApplicationContext | undefined,
    readonly url: string,
    readonly databaseUrl: string,
    /** A connection of the test's own, for looking and for damage. */
    readonly sql: pg.Pool,
    private readonly clean: () => Promise<void>,
  ) {}

  /** Starts an api from its module, and a worker from its own where given. */
  static async start(apiModule: Type, workerModule?: Type, environment: Record<string, string> = {}): Promise<Harness> {
    const admin = process.env.TEST_DATABASE_URL;
    if (!admin) throw new Error('Run specs through vitest: its global setup starts Postgres and Redis.');
    const name = `evently_test_${process.pid}_${randomBytes(4).toString('hex')}`;
    const databaseUrl = await cloneTemplate(admin, name);
    const secrets = testSecrets();
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`; // Webhooks of the test provider come back to it.
    const before = Object.fromEntries(Object.keys(environment).map((name) => [name, process.env[name]]));
    Object.assign(process.env, {
      NODE_ENV: 'test', DATABASE_URL: databaseUrl, REDIS_URL: process.env.TEST_REDIS_URL, SECRETS_DIR: secrets, LOG_LEVEL: process.env.TEST_LOG_LEVEL ?? 'silent',
      DATABASE_POOL: '10', PUBLIC_URL: url, REDIS_PREFIX: `${name}:`, ...environment,
    }); // prettier-ignore
    const api = await makeServer(apiModule);
    await api.listen(port, '127.0.0.1');
    const worker =
      workerModule && (await NestFactory.createApplicationContext(workerModule, { logger: false, abortOnError: false }));
    await worker?.init();
    const sql = new pg.Pool({ connectionString: databaseUrl, max: 4, options: '-c timezone=UTC' });
    sql.on('error', () => undefined);
    return new Harness(api, worker, url, databaseUrl, sql, async () => {
      await worker?.close();
      await api.close();
      for (const [name, value] of Object.entries(before))
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      await sql.end();
      await dropDatabase(admin, name);
      rmSync(secrets, { recursive: true, force: true });
    });
  }

  /** Another api process's worth on the same database, with lanes, caches and connections of its own. Stop it before this one. */
  async beside(apiModule: Type): Promise<Harness> {
    const api = await makeServer(apiModule);
    await api.listen(0, '127.0.0.1');
    const url = (await api.getUrl()).replace('[::1]', '127.0.0.1');
    return new Harness(api, undefined, url, this.databaseUrl, this.sql, () => api.close());
  }

  /** A request as any client makes it. A string or Buffer body is sent as it is. */
  call<T = never>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply<T>> {
    return callAt<T>(this.url, method, path, { body, ...options });
  }

  /** Moves the one clock: SQL at once, the injected one as well. */
  async shiftClock(seconds: number): Promise<void> {
    await this.sql.query(
      `INSERT INTO platform.clock_shift (shift) VALUES ($1 * interval '1 second')
       ON CONFLICT (one) DO UPDATE SET shift = platform.clock_shift.shift + excluded.shift`,
      [seconds],
    );
    const { Clock } = await import('../libs/kernel/time.js');
    for (const app of [this.api, this.worker]) await (app?.get(Clock) as { sync?: () => Promise<void> } | undefined)?.sync?.();
  }

  stop(): Promise<void> {
    return this.clean();
  }
}

/** A request to a server at `url`. */
export async function callAt<T = never>(
  url: string,
  method: string,
  path: string,
  { body, ...options }: CallOptions & { body?: unknown; signal?: AbortSignal } = {},
): Promise<Reply<T>> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  if (options.key) headers['idempotency-key'] = options.key;
  if (options.ifMatch !== undefined)
    headers['if-match'] = typeof options.ifMatch === 'number' ? `"${options.ifMatch}"` : options.ifMatch;
  if (body !== undefined) headers['content-type'] ??= 'application/json';
  const raw =
    typeof body === 'string' || Buffer.isBuffer(body) ? (body as string) : body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(url + path, { method, headers, body: raw, signal: options.signal });
  const text = await response.text();
  const json = response.headers.get('content-type')?.includes('json');
  return { status: response.status, body: (json && text ? JSON.parse(text) : text) as T, headers: response.headers, text };
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

/** Waits until a check gives something truthy; fails with what was waited for after the deadline. */
export async function until<T>(what: string, check: () => Promise<T | undefined | null | false>, ms = 10_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > end) throw new Error(`Waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Secrets of one test run, as the first start makes them. */
export function testSecrets(): string {
  const folder = mkdtempSync(join(tmpdir(), 'evently-secrets-'));
  const ring = (type: 'rsa' | 'ed25519', alg: string) => {
    const { privateKey } = type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    return JSON.stringify({ keys: [{ ...privateKey.export({ format: 'jwk' }), kid: `test-${type}`, alg, use: 'sig' }] });
  };
  writeFileSync(join(folder, 'JWT_KEYS'), ring('rsa', 'RS256'));
  writeFileSync(join(folder, 'TICKET_KEYS'), ring('ed25519', 'EdDSA'));
  for (const name of ['HMAC_KEY', 'COOKIE_KEY', 'PAYMENTS_TEST_WEBHOOK_SECRET'])
    writeFileSync(join(folder, name), randomBytes(32).toString('base64url'));
  return folder;
}
