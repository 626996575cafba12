// Server: the Evently to rehearse on: a given one, this clone's running one, or one of its own, started for the run and gone after it.
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { now, sleep } from './client.js';
import { UsageError, type Role } from './options.js';
import { commandOf, killTree } from './processes.js';

type Environment = Readonly<Record<string, string | undefined>>;

const readyWithinMs = 30_000;
/** A first start on a slow machine installs and builds. */
const startedWithinMs = 600_000;
/** Apps drain, then the servers below them write what they have. */
const stoppedWithinMs = 90_000;

export class Server {
  constructor(
    readonly base: URL,
    readonly whose: 'given' | 'running' | 'own',
    /** The pid of its `npm start`, where it runs on this machine from this clone. */
    readonly supervisor?: number,
    private readonly workerBase?: URL,
    private readonly ownStart?: { child: ChildProcess; folder: string },
  ) {}

  /** Whether it says it is ready, and so does its worker where that is the one asked about. */
  async isReady(role: Role = 'api'): Promise<boolean> {
    const base = role === 'worker' && this.workerBase ? this.workerBase : this.base;
    return answersReady(base);
  }

  /** Ends a server that was started for the run, and its data. */
  async stop(): Promise<void> {
    if (!this.ownStart) return;
    const { child, folder } = this.ownStart;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGINT');
      const late = setTimeout(() => killTree(child.pid!), stoppedWithinMs);
      await ended;
      clearTimeout(late);
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

export interface Search {
  url?: URL;
  kill: readonly Role[];
  env: Environment;
  say: (line: string) => void;
}

/** Throws UsageError where there is no server, or not the kind that `--kill` needs. */
export async function findServer({ url, kill, env, say }: Search): Promise<Server> {
  const running = await runningHere(env);
  if (url) {
    const server =
      running && sameAddress(running.base, url)
        ? new Server(url, 'given', running.supervisor, running.worker)
        : new Server(url, 'given');
    if (kill.length > 0 && !server.supervisor) {
      throw new UsageError(
        `--kill needs an Evently that \`npm start\` runs from this clone; ${url.origin} is not known to be one. ` +
          'Leave --url out, or leave --kill out.',
      );
    }
    await awaitReady(server);
    return server;
  }
  if (running) {
    const server = new Server(running.base, 'running', running.supervisor, running.worker);
    await awaitReady(server);
    return server;
  }
  return startOwn(env, say);
}

/** The data folder of this clone, or the one EVENTLY_HOME names. */
export function homeOf(env: Environment): string {
  return env.EVENTLY_HOME ?? join(root(), '.evently');
}

/** The folder that holds scripts/start.mjs, whether this file runs as built or as written. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'scripts', 'start.mjs'))) {
    if (folder === dirname(folder)) throw new UsageError('scripts/start.mjs is missing: run this from a whole clone.');
    folder = dirname(folder);
  }
  return folder;
}

interface RunRecord {
  pid: number;
  env: { PORT: string; WORKER_PORT?: string; HOST?: string };
}

/** What `npm start` of this clone wrote about itself, if it still runs. */
async function runningHere(env: Environment): Promise<{ base: URL; worker?: URL; supervisor: number } | undefined> {
  const file = join(homeOf(env), 'run.json');
  if (!existsSync(file)) return undefined;
  const { pid, env: its } = JSON.parse(readFileSync(file, 'utf8')) as RunRecord;
  // The file outlives its process, and pids are used again.
  if (!commandOf(pid)?.includes('start.mjs')) return undefined;
  const { urlToCall } = await machine<typeof import('../machine/settings.mjs')>('settings');
  const at = (port: string) => new URL(urlToCall(its.HOST, port));
  return { base: at(its.PORT), worker: its.WORKER_PORT ? at(its.WORKER_PORT) : undefined, supervisor: pid };
}

function sameAddress(own: URL, url: URL): boolean {
  const local = ['127.0.0.1', 'localhost', '[::1]', own.hostname];
  return own.port === url.port && url.protocol === 'http:' && local.includes(url.hostname);
}

async function startOwn(env: Environment, say: (line: string) => void): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'evently-rehearsal-'));
  // Postgres runs as another user when we are root, and must be able to walk in.
  chmodSync(folder, 0o711);
  const { freePort } = await machine<typeof import('../machine/port.mjs')>('port');
  const [port, workerPort] = [await freePort(), await freePort()];
  say(`No Evently runs from this clone: starting one for this rehearsal, with empty data (port ${port}).`);
  const output: string[] = [];
  const child = spawn(process.execPath, [join(root(), 'scripts', 'start.mjs')], {
    env: { ...ownEnvironment(env), EVENTLY_HOME: folder, PORT: String(port), WORKER_PORT: String(workerPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Not in our terminal's group: Ctrl-C reaches us, and we stop it in order.
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => output.push(text.toString()));
  const base = new URL(`http://127.0.0.1:${port}`);
  const worker = new URL(`http://127.0.0.1:${workerPort}`);
  const server = new Server(base, 'own', child.pid, worker, { child, folder });
  const giveUpAt = now() + startedWithinMs;
  // Ready to serve is not yet started: the start still loads its demo.
  const started = () => output.join('').includes('Evently runs');
  while (!(started() && (await answersReady(base)) && (await answersReady(worker)))) {
    if (child.exitCode === null && now() < giveUpAt) {
      await sleep(200);
      continue;
    }
    await server.stop();
    const last = output.join('').trim().split('\n').slice(-20).join('\n');
    throw new UsageError(`An Evently for the rehearsal did not start. Try \`npm start\` alone; what it said:\n${last}`);
  }
  return server;
}

/** A rehearsal never writes into databases it was not sent to, so those of the environment are not passed on. */
function ownEnvironment(env: Environment): Record<string, string | undefined> {
  const foreign = ['DATABASE_URL', 'REDIS_URL', 'SECRETS_DIR', 'PUBLIC_URL', 'API_PORTS', 'NODE_ENV', 'HOST'];
  const kept = Object.entries(env).filter(([name]) => !foreign.includes(name));
  // With this name set, start.mjs ends when its parent is gone: a killed rehearsal leaves nothing running.
  return { ...Object.fromEntries(kept), npm_lifecycle_event: 'rehearse' };
}

async function awaitReady(server: Server): Promise<void> {
  const giveUpAt = now() + readyWithinMs;
  for (let reached = false; ; await sleep(300)) {
    const status = await readiness(server.base);
    if (status === 200) return;
    reached ||= status !== undefined;
    if (now() < giveUpAt && reached) continue;
    throw new UsageError(
      reached
        ? `${server.base.origin} answers, but ${server.base.origin}/readyz does not say ready: look into its log, then try again.`
        : `Nothing answers at ${server.base.origin}: start it with \`npm start\`, or give another --url.`,
    );
  }
}

const answersReady = async (base: URL): Promise<boolean> => (await readiness(base)) === 200;

/** The status of /readyz; undefined where nothing answers. */
async function readiness(base: URL): Promise<number | undefined> {
  try {
    const reply = await fetch(new URL('/readyz', base), { signal: AbortSignal.timeout(3_000) });
    await reply.arrayBuffer();
    return reply.status;
  } catch {
    return undefined;
  }
}

/** One of scripts/machine, which lie beside dist and not in it. */
const machine = async <T>(name: string) => (await import(pathToFileURL(join(root(), `scripts/machine/${name}.mjs`)).href)) as T;
