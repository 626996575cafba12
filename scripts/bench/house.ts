// The house of a benchmark: Postgres and Redis of its own with fsync on, the servers that are measured, a generator, an organizer with events on sale.
import { fork, type ChildProcess, type StdioOptions } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { childrenOf } from '../rehearse/processes.js';
import type { Load, LoadResult } from './load.js';
import type { ProfileSummary } from './profile.js';
import { startServers, type Servers } from './servers.js';

/** Who decides holds: the batch, the batch's function without the queue, or a transaction per booking, with a lock in Redis before it or not. */
export type Rival = 'batch' | 'unqueued' | 'lock' | 'redis-lock';
export type Command = 'profile' | 'profiled';
export type Profile = ProfileSummary & { profile: Profiler.Profile };

/** What the route that does nothing answers: a hold's reply. */
export const sampleReply = {
  id: '01a201b2-0413-7036-a92d-d17d488ff88b', eventId: '01a201b2-0413-7036-a92d-d17d488ff88b', status: 'PENDING', expiresAt: '2031-01-01T00:00:00.000Z',
  items: [{ ticketTypeId: '01a201b2-0413-7036-a92d-d17d488ff88b', quantity: 1, unitPrice: { amount: 2500, currency: 'EUR' } }],
  total: { amount: 2500, currency: 'EUR' }, createdAt: '2031-01-01T00:00:00.000Z', version: 1, accessToken: 'guest.'.padEnd(90, 'x'), now: '2031-01-01T00:00:00.000Z',
}; // prettier-ignore

/** Limits that no load reaches, for callers that are not exempt: what is measured pays for limiting. */
const LIMITS = ['global', 'address', 'login', 'register', 'search', 'booking', 'caller', 'organization'].map(
  (name) => `${name}=999999999/60`,
);

const SETTINGS = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'info',
  HOST: '127.0.0.1',
  RATE_LIMIT_ALLOW: '192.0.2.1',
  RATE_LIMITS: LIMITS.join(','),
};

/** Node's own, as `npm start` gives them (scripts/machine/app.mjs); the baselines run by them too. */
const FLAGS = ['--enable-source-maps', '--max-semi-space-size=64'];

/** One process of ours that answers over IPC. */
class Server {
  constructor(
    readonly child: ChildProcess,
    readonly port: number,
  ) {}

  ask<T>(message: object | string): Promise<T> {
    const answer = heard<T>(this.child);
    this.child.send(message);
    return answer;
  }
}

/** The next message of a child; rejects when it ends instead. */
function heard<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error(`A process of the benchmark ended: ${child.spawnargs.slice(1).join(' ').slice(0, 200)}`));
    child.once('exit', gone);
    child.once('message', (answer: T) => {
      child.off('exit', gone);
      resolve(answer);
    });
  });
}

/** What a load came to, and the cores that were busy with it (2: two whole ones). */
export type Measured = Omit<LoadResult, 'cpu'> & { cpu: { server: number; postgres: number; generator: number } };

export interface Event {
  eventId: string;
  typeId: string;
}

export interface Organizer {
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  orgId: string;
  apiKey: string;
}

export class House {
  private readonly children: ChildProcess[] = [];
  private generator?: Server;

  private constructor(
    private readonly servers: Servers,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async start(): Promise<House> {
    const servers = await startServers();
    return new House(servers, { ...process.env, ...SETTINGS, ...servers.env });
  }

  /** Evently's api with a way to decide holds. */
  api(rival: Rival = 'batch', env: NodeJS.ProcessEnv = {}): Promise<Server> {
    return this.serve('server.js', [], { BENCH_RIVAL: rival, DATABASE_POOL: rival === 'batch' ? '20' : '64', ...env });
  }

  /** Evently's worker, which hears the domain events of what is measured. */
  worker(): Server {
    return new Server(this.fork('../../apps/worker/main.js', [], { WORKER_PORT: '0' }), 0);
  }

  bare(reply: string): Promise<Server> {
    return this.serve('bare.js', [JSON.stringify({ reply })], {});
  }

  /** Sends load to one of the servers, or to several at once. */
  async load(servers: readonly Server[], load: Omit<Load, 'ports'>): Promise<Measured> {
    const busy = () => servers.reduce((sum, { child }) => sum + cpuOf(child.pid!), 0);
    this.generator ??= new Server(this.fork('generator.js', [], {}), 0);
    const [ours, theirs] = [busy(), this.postgresSeconds()];
    const result = await this.generator.ask<LoadResult>({ ...load, ports: servers.map(({ port }) => port) });
    const spent = [...this.postgresSeconds()].reduce((sum, [pid, now]) => sum + now - (theirs.get(pid) ?? 0), 0);
    const cpu = {
      server: (busy() - ours) / result.seconds,
      postgres: spent / result.seconds,
      generator: result.cpu,
    };
    return { ...result, cpu };
  }

  /** Seconds of processor time that each living process of Postgres has used. */
  private postgresSeconds(): Map<number, number> {
    const pid = this.servers.postgres?.pid;
    return new Map(pid ? [pid, ...childrenOf(pid)].map((each) => [each, cpuOf(each)]) : []);
  }

  /** An organization with an API key that may do everything. */
  async organizer({ port }: Server): Promise<Organizer> {
    const call = async <T>(method: string, path: string, body?: unknown, token?: string): Promise<T> => {
      const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) };
      const reply = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await reply.text();
      if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
      return (text === '' ? undefined : JSON.parse(text)) as T;
    };
    const account = { email: 'organizer@example.org', password: 'correct horse battery' };
    await call('POST', '/v1/auth/register', { ...account, name: 'Organizer' });
    const { accessToken } = await call<{ accessToken: string }>('POST', '/v1/auth/login', account);
    const org = await call<{ id: string }>('POST', '/v1/organizations', { name: 'Hall', slug: 'hall' }, accessToken);
    const { key } = await call<{ key: string }>(
      'POST',
      `/v1/organizations/${org.id}/api-keys`,
      { name: 'bench', scopes: ['*'] },
      accessToken,
    );
    return { orgId: org.id, apiKey: key, call: (method, path, body) => call(method, path, body, key) };
  }

  /**
   * A published event with one ticket type, which no load sells out unless its places are told. Its holds last longer than the benchmark unless
   * it is told how long: what an earlier row held must not end, thousands a second, in the middle of a later one.
   */
  async event(
    { call, orgId }: Organizer,
    amount: number,
    { title = 'Concert', capacity = 1_000_000_000, holdSeconds = 3600 } = {},
  ): Promise<Event> {
    const base = `/v1/organizations/${orgId}/events`;
    const when = { startsAt: '2031-06-01T18:00:00Z', endsAt: '2031-06-01T21:00:00Z', timeZone: 'Europe/Berlin' };
    const { id: eventId } = await call<{ id: string }>('POST', base, { title, currency: 'EUR', holdSeconds, ...when });
    const type = { name: 'Standard', price: { amount, currency: 'EUR' }, capacity };
    const { id: typeId } = await call<{ id: string }>('POST', `${base}/${eventId}/ticket-types`, type);
    await call('POST', `${base}/${eventId}/publish`, {});
    return { eventId, typeId };
  }

  /** Ends one server, so that the next has the machine to itself. */
  async end({ child }: Server): Promise<void> {
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await this.servers.stop();
  }

  private async serve(file: string, args: string[], env: NodeJS.ProcessEnv): Promise<Server> {
    const child = this.fork(file, args, env);
    const { port } = await heard<{ port: number }>(child);
    return new Server(child, port);
  }

  private fork(file: string, args: string[], env: NodeJS.ProcessEnv): ChildProcess {
    const path = new URL(file, import.meta.url);
    const stdio: StdioOptions = ['ignore', 'ignore', 'inherit', 'ipc'];
    const child = fork(path, args, { execArgv: FLAGS, env: { ...this.env, ...env }, stdio });
    this.children.push(child);
    return child;
  }
}

/** Seconds of processor time that a process has used; the kernel counts hundredths. */
function cpuOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // From the state on.
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0; // Gone, or no Linux.
  }
}
