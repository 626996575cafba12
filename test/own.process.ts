// A process of ours as it is started in earnest, on a database of its own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, testSecrets, until } from './harness.js';
import { cloneTemplate, dropDatabase } from './template.js';

const root = fileURLToPath(new URL('..', import.meta.url));

export class OwnProcess {
  log = '';
  readonly exited: Promise<unknown[]>;

  private constructor(
    readonly child: ChildProcess,
    readonly port: number,
    private readonly clean: () => Promise<void>,
  ) {
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk) => (this.log += String(chunk)));
    this.exited = once(child, 'exit');
  }

  /** Resolves when it is ready. `files`: how many it may have open (ulimit -n). */
  static async start(app: 'api' | 'worker', environment: Record<string, string> = {}, files?: number): Promise<OwnProcess> {
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root });
    const name = `evently_test_${app}_${randomBytes(4).toString('hex')}`;
    const admin = process.env.TEST_DATABASE_URL!;
    const secrets = testSecrets();
    const port = await freePort();
    const env = {
      PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: await cloneTemplate(admin, name), REDIS_URL: process.env.TEST_REDIS_URL, REDIS_PREFIX: `${name}:`,
      SECRETS_DIR: secrets, PORT: String(port), WORKER_PORT: String(port), ...environment,
    }; // prettier-ignore
    const limit = files === undefined ? '' : `ulimit -n ${files}; `;
    const command = `${limit}exec "${process.execPath}" dist/apps/${app}/main.js`;
    const child = spawn('sh', ['-c', command], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const own = new OwnProcess(child, port, async () => {
      await dropDatabase(admin, name);
      rmSync(secrets, { recursive: true, force: true });
    });
    try {
      await until(`${app} to be ready`, async () => (await own.get('/readyz'))?.status === 200, 30_000);
    } catch (e) {
      await own.end();
      throw new Error(`${String(e)}\n${own.log}`, { cause: e });
    }
    return own;
  }

  /** Its reply; undefined where it does not answer. */
  get(path: string): Promise<Response | undefined> {
    return fetch(`http://127.0.0.1:${this.port}${path}`).catch(() => undefined);
  }

  /** Kills it, if it still lives, and takes its database away. */
  async end(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
    await this.clean();
  }
}
