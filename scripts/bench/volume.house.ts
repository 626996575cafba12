// Volume's houses: an api on a Postgres and a Redis of its own, filled; two of them stand beside each other, with little data and with much.
import { statfsSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { script, startServers } from './servers.js';
import { load, organizationsOf } from './volume.load.js';
import type { Size } from './volume.rows.js';

type Stop = { stop(): Promise<void> };

/** What an event and a booking take with all that belongs to them and their indexes, and what the log and sorting need besides, in bytes. */
const EVENT_BYTES = 3400;
const BOOKING_BYTES = 6000;
const BESIDES_BYTES = 6e9;

/** Refuses what would fill the disk. */
export function demandRoom(size: Size): void {
  const { bavail, bsize } = statfsSync(tmpdir());
  const needed = size.events * EVENT_BYTES + size.bookings * BOOKING_BYTES + BESIDES_BYTES;
  const gib = (bytes: number) => `${Math.ceil(bytes / 2 ** 30)} GiB`;
  if (bavail * bsize < needed)
    throw new Error(
      `${gib(needed)} are needed in ${tmpdir()}, ${gib(bavail * bsize)} are free. Ask for less: --events N --bookings N.`,
    );
}

const PASSWORD = 'correct horse battery';

export interface Answer {
  status: number;
  body: string;
}

export interface Ask {
  method?: 'POST';
  path: string;
  token?: string;
  key?: string;
  body?: unknown;
}

export class House {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });
  /** Ada, who has bookings and owns some of the organizations. */
  token = '';
  readonly organizations: number;

  private constructor(
    readonly size: Size,
    private readonly port: number,
    private readonly things: Stop[],
  ) {
    this.organizations = organizationsOf(size);
  }

  /** Starts it, lets Ada register, and fills it. Whatever goes wrong, nothing of it stays. */
  static async open(size: Size, signal: AbortSignal): Promise<House> {
    const { makeApp } = await script<{ makeApp(options: object): Stop & { start(): Promise<unknown> } }>('machine/app.mjs');
    const { freePort } = await script<typeof import('../machine/port.mjs')>('machine/port.mjs');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const servers = await startServers();
    const things: Stop[] = [servers];
    const house = new House(size, port, things);
    try {
      const env = {
        ...process.env, ...servers.env, HOST: '127.0.0.1', PORT: String(port), PUBLIC_URL: url, NODE_ENV: 'development', LOG_LEVEL: 'info',
      }; // prettier-ignore
      const log = join(servers.folder, 'api.log');
      const api = makeApp({ name: 'the api', entry: 'apps/api/main.js', port, url, env, log });
      things.push(api);
      await api.start();
      const loaded = await load(servers.databaseUrl, size, await house.adaRegisters(), signal);
      console.log(`  ${size.events} events and ${size.bookings} bookings: ${loaded.rows} rows in ${loaded.seconds.toFixed(0)} s, ${(loaded.rows / loaded.seconds).toFixed(0)} rows/s, ${(loaded.bytes / 2 ** 30).toFixed(2)} GiB`); // prettier-ignore
      return house;
    } catch (error) {
      await house.close();
      throw error;
    }
  }

  private async adaRegisters(): Promise<string> {
    const account = { email: 'ada@example.org', password: PASSWORD };
    const made = await this.must<{ id: string }>(201, {
      method: 'POST',
      path: '/v1/auth/register',
      body: { ...account, name: 'Ada' },
    });
    return made.id;
  }

  /** A token lasts fifteen minutes, loading may take longer. */
  async adaLogsIn(): Promise<void> {
    const body = { email: 'ada@example.org', password: PASSWORD };
    this.token = (await this.must<{ accessToken: string }>(200, { method: 'POST', path: '/v1/auth/login', body })).accessToken;
  }

  async must<T>(status: number, ask: Ask): Promise<T> {
    const answer = await this.call(ask);
    if (answer.status !== status)
      throw new Error(`${ask.method ?? 'GET'} ${ask.path} answered ${answer.status}: ${answer.body.slice(0, 300)}`);
    return JSON.parse(answer.body) as T;
  }

  call({ method, path, token, key, body }: Ask): Promise<Answer> {
    const headers: Record<string, string> = {};
    if (token) headers.authorization = `Bearer ${token}`;
    if (key) headers['idempotency-key'] = key;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    if (payload)
      Object.assign(headers, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(payload)) });
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.port, agent: this.agent, method: method ?? 'GET', path, headers },
        (reply) => {
          const parts: Buffer[] = [];
          reply.on('data', (part: Buffer) => parts.push(part));
          reply.on('end', () => resolve({ status: reply.statusCode ?? 0, body: Buffer.concat(parts).toString() }));
          reply.on('error', reject);
        },
      );
      asked.on('error', reject);
      asked.end(payload);
    });
  }

  /** Stops everything, the last first, and removes the data. */
  async close(): Promise<void> {
    this.agent.destroy();
    for (const thing of this.things.splice(0).toReversed()) await thing.stop();
  }
}
