// Redis: finds a real server, or brings Debian's own package without needing root, and runs it as our child.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { Child } from './child.mjs';
import { Interrupted, command as runCommand } from './command.mjs';
import { Advice, asRoot, copyForServant, makeOwnFolder, reachable, servant, servantFolder, sharedFolder } from './place.mjs';
import { choosePort } from './port.mjs';

const names = ['redis-server', 'valkey-server'];

/** Starts Redis with its data in `folder`/redis. @returns a Child with `url` */
export async function startRedis({ folder, logs, tests = false, pidFile, say = () => {} }) {
  const home = servantFolder(join(folder, 'redis'));
  const { command, env } = await findRedis(folder, say);
  const port = await choosePort(join(home, 'port'));
  const persistence = tests ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', 'everysec'];
  const child = new Child({
    name: 'Redis',
    command,
    args: ['--port', String(port), '--bind', '127.0.0.1', '--dir', home, '--save', '', ...persistence].concat([
      '--maxmemory-policy',
      'noeviction', // BullMQ's jobs may not be thrown away.
      '--daemonize',
      'no',
    ]),
    cwd: home,
    env: { PATH: process.env.PATH, LANG: 'C', ...env },
    ids: servant,
    log: join(logs, 'redis.log'),
    ready: () => pongs(port),
    pidFile,
  });
  child.url = `redis://127.0.0.1:${port}`;
  child.port = port;
  try {
    return await child.start();
  } catch (error) {
    if (!/Bad file format|Unrecoverable error|Short read/i.test(error.message)) throw error;
    const aside = join(home, `damaged-${new Date().toISOString().replaceAll(':', '')}`);
    renameSync(join(home, 'appendonlydir'), aside);
    say(`Redis could not read its file and starts empty (Postgres has the truth); the file is kept in ${aside}`);
    return child.start();
  }
}

/** { command, env } of a server that runs here, or Advice that lists what was tried. */
async function findRedis(folder, say) {
  const tried = [];
  for (const find of [onPath, cached, unpacked, installed]) {
    try {
      const found = await find(folder, say);
      const env = { PATH: process.env.PATH, ...found.env };
      const run = spawnSync(found.command, ['--version'], { env, ...servant, cwd: '/', encoding: 'utf8' });
      const version = /v=(\d+)\.(\d+)/.exec(run.stdout ?? '');
      if (!version) throw new Error(`${found.command} does not run: ${(run.error?.message ?? run.stderr).trim().split('\n')[0]}`);
      if (Number(version[1]) * 100 + Number(version[2]) < 602) throw new Error(`${found.command} is older than 6.2`);
      return found;
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      tried.push(`- ${error.message}`);
    }
  }
  throw new Advice(
    `No Redis could be started. Tried:\n${tried.join('\n')}\n` +
      'Install redis-server or valkey-server (6.2 or newer) so that it is on the PATH, or set REDIS_URL to one that runs.',
  );
}

function onPath() {
  const usual = ['/usr/bin', '/usr/local/bin', '/opt/homebrew/bin'];
  for (const folder of [...(process.env.PATH ?? '').split(':'), ...usual]) {
    const name = names.find((each) => existsSync(join(folder, each)));
    if (name) return { command: join(folder, name), env: {} };
  }
  throw new Error(`${names.join(' or ')} on the PATH: not there`);
}

/** What an earlier start unpacked. */
function cached(folder) {
  const cache = join(sharedFolder, 'redis-programs');
  if (!existsSync(cache)) throw new Error(`${cache}: not there`);
  const programs = reachable(cache) ? cache : copyForServant(cache, join(folder, 'redis-programs'));
  const name = names.find((each) => existsSync(join(programs, 'usr/bin', each)));
  if (!name) throw new Error(`${cache}: holds no server; remove it`);
  const libraries = ['usr/lib', 'lib'].map((each) => join(programs, each)).filter((each) => existsSync(each));
  const triplets = libraries.flatMap((each) =>
    readdirSync(each, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? join(each, entry.name) : [])),
  );
  return { command: join(programs, 'usr/bin', name), env: { LD_LIBRARY_PATH: [...libraries, ...triplets].join(':') } };
}

/** Downloads Debian's packages and unpacks them into our folder: nothing is installed, no root is needed. */
async function unpacked(folder, say) {
  makeOwnFolder(sharedFolder);
  const work = mkdtempSync(join(sharedFolder, 'redis-'));
  try {
    say('No Redis on this machine: unpacking the distribution’s package into .evently (nothing is installed)');
    await download(work);
    const programs = join(work, 'programs');
    for (const file of readdirSync(work).filter((name) => name.endsWith('.deb')))
      await call('dpkg', ['-x', join(work, file), programs]);
    const cache = join(sharedFolder, 'redis-programs');
    if (!existsSync(cache)) renameSync(programs, cache); // Another command may have been quicker.
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return cached(folder);
}

/** Puts the packages of one server and of what it needs and the machine lacks into `work`. */
async function download(work) {
  const problems = [];
  const options = ['-o', `Dir::Cache=${join(work, 'cache')}`, '-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::Retries=1'];
  options.push('-o', 'Acquire::Languages=none', '-o', 'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false');
  if (asRoot) options.push('-o', 'APT::Sandbox::User=root');
  mkdirSync(join(work, 'cache/archives/partial'), { recursive: true });
  mkdirSync(join(work, 'lists/partial'), { recursive: true });
  // The machine's own package lists may be missing or old: then lists of our own.
  for (const own of [[], ['-o', `Dir::State::lists=${join(work, 'lists')}`]]) {
    try {
      if (own.length > 0) await call('apt-get', [...options, ...own, '-qq', 'update']);
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      problems.push(error.message);
      break;
    }
    for (const name of names) {
      try {
        const plan = await call('apt-get', [
          ...options,
          ...own,
          '-qq',
          '-y',
          '--no-install-recommends',
          '--print-uris',
          'install',
          name,
        ]);
        const packages = plan.split('\n').flatMap((line) => /^'[^']+' ([^_]+)_/.exec(line)?.[1] ?? []);
        if (packages.length === 0) throw new Error(`apt-get knows no files of ${name}`);
        await call('apt-get', [...options, ...own, '-qq', 'download', ...packages], work);
        return;
      } catch (error) {
        if (error instanceof Interrupted) throw error;
        problems.push(error.message);
      }
    }
  }
  throw new Error(`apt-get download and dpkg -x: ${[...new Set(problems)].join('; ')}`);
}

/** The last resort, as root only: the distribution's package, installed for good (its service is not ours and not used). */
async function installed(_folder, say) {
  if (!asRoot) throw new Error('apt-get install: needs root');
  say('Installing redis-server with apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await call('apt-get', ['-qq', 'update'], '/', env);
  await call('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', names[0]], '/', env);
  return onPath();
}

async function call(program, args, cwd, env = { ...process.env, LC_ALL: 'C' }) {
  try {
    return await runCommand(program, args, { cwd, env });
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    if (error.code === 'ENOENT' || error.code === 127) throw new Error(`${program} is not on this machine`, { cause: error });
    const said = (error.stderr ?? '').split('\n').filter((line) => /^E:|No space/.test(line));
    throw new Error(`${program} ${args.at(-1)}: ${said.slice(0, 3).join(' ') || error.message}`, { cause: error });
  }
}

/** Whether Redis answers on `port`: not while it still reads its file. */
function pongs(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'));
    const done = (answer) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => done(false));
    socket.once('data', (bytes) => done(bytes.toString().startsWith('+PONG')));
    socket.once('error', () => done(false));
  });
}
