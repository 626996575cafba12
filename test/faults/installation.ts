// An installation of real processes: Postgres, Redis, two apis and a worker out of dist, each of which can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { migrate } from '../../libs/platform/db/migrations.js';
import { type Infra, makeDatabase, type Server, startInfra } from '../../scripts/infra.mjs';
import { freePort } from '../../scripts/machine/port.mjs';
import { childrenOf } from '../../scripts/rehearse/processes.js';
import { type CallOptions, callAt, type Reply, testSecrets, until } from '../harness.js';
import { Proxy } from '../proxy.js';

/** What can be killed. */
export const parts = ['api', 'worker', 'Postgres', 'Redis'] as const;
export type Part = (typeof parts)[number];

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The api or the worker. */
export class App {
  process?: ChildProcess;

  constructor(
    readonly name: string,
    readonly port: number,
    private readonly env: NodeJS.ProcessEnv,
    private readonly log: string,
  ) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it and waits until it lives. */
  async start(): Promise<this> {
    const out = openSync(this.log, 'a');
    const entry = join(root, 'dist/apps', this.name, 'main.js');
    const child = spawn(process.execPath, ['--import', join(root, 'test/faults/clock.mjs'), '--enable-source-maps', entry], {
      cwd: root,
      env: this.env,
      stdio: ['ignore', out, out],
    });
    this.process = child;
    await until(
      `${this.name} serves`,
      () => {
        if (child.exitCode !== null) throw new Error(`${this.name} ended:\n${this.lastWords}`);
        return fetch(`${this.url}/livez`).then((r) => r.ok, () => false); // prettier-ignore
      },
      120_000,
    );
    return this;
  }

  /** True when it is gone though nobody ended it. */
  get ended(): boolean {
    return this.process?.exitCode !== null;
  }

  get lastWords(): string {
    return readFileSync(this.log, 'utf8').slice(-2000);
  }

  /** SIGKILL, as a power cut would. */
  async kill(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }
}

export class Installation {
  private constructor(
    private readonly folder: string,
    private readonly infra: Infra,
    /** Stands between the apps and Postgres. */
    readonly proxy: Proxy,
    readonly apis: [App, App],
    readonly worker: App,
    readonly env: NodeJS.ProcessEnv,
    readonly sql: pg.Pool,
  ) {}

  /** With these settings beside the usual ones. */
  static async start(settings: NodeJS.ProcessEnv = {}): Promise<Installation> {
    const { build } = (await import('../../scripts/build.mjs' as string)) as { build(): Promise<unknown> };
    await build();
    const folder = mkdtempSync(join(tmpdir(), 'evently-faults-'));
    chmodSync(folder, 0o711);
    const infra = await startInfra({ folder, tests: true });
    const direct = await makeDatabase(infra.databaseUrl, 'evently');
    await migrate(direct);
    const proxy = await Proxy.before(direct);
    const [port, second, workerPort] = [await freePort(), await freePort(), await freePort()];
    const env: NodeJS.ProcessEnv = {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      DATABASE_URL: proxy.through(direct),
      REDIS_URL: infra.redisUrl,
      SECRETS_DIR: testSecrets(),
      HOST: '127.0.0.1',
      PORT: String(port),
      WORKER_PORT: String(workerPort),
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      ...settings,
    };
    const log = (name: string) => join(folder, `${name}.log`);
    const apis: [App, App] = [
      new App('api', port, env, log('api')),
      new App('api', second, { ...env, PORT: String(second) }, log('api-2')),
    ];
    const worker = new App('worker', workerPort, env, log('worker'));
    const sql = new pg.Pool({ connectionString: direct, max: 3, options: '-c timezone=UTC' });
    sql.on('error', () => undefined);
    const it = new Installation(folder, infra, proxy, apis, worker, env, sql);
    try {
      await Promise.all([...apis, worker].map((app) => app.start()));
    } catch (e) {
      await it.stop();
      throw e;
    }
    return it;
  }

  get postgres(): Server {
    return this.infra.postgres!;
  }

  get redis(): Server {
    return this.infra.redis!;
  }

  /** Kills a part, of the apis the first, and starts it again. */
  async crash(part: Part): Promise<void> {
    if (part === 'api') return this.apis[0].restart();
    if (part === 'worker') return this.worker.restart();
    const server = part === 'Postgres' ? this.postgres : this.redis;
    await server.kill();
    await server.start();
  }

  /** A request to the first api. */
  call<T = never>(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply<T>> {
    return callAt<T>(this.apis[0].url, method, path, { body, ...options });
  }

  /** `npm run verify` as an operator runs it: its exit status and what it printed. */
  verify(): Promise<{ code: number | null; output: string }> {
    const child = spawn(process.execPath, [join(root, 'dist/scripts/verify.js')], { cwd: root, env: this.env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
  }

  /** Stops or continues every process of Postgres: the postmaster and all that serve connections. */
  signalPostgres(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const pid of [this.postgres.pid!, ...childrenOf(this.postgres.pid!)]) {
      try {
        process.kill(pid, signal);
      } catch {
        // A backend that ended meanwhile.
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.apis, this.worker].map((app) => app.kill()));
    await this.sql.end();
    await this.proxy.down();
    await this.infra.stop();
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.env.SECRETS_DIR!, { recursive: true, force: true });
  }
}
