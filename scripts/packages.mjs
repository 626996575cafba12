// Packages: whether node_modules is what package-lock.json says, whole and of this moment, and npm ci when it is not.
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { bornAt } from './machine/child.mjs';
import { CommandFailed, command } from './machine/command.mjs';
import { Advice, isCalled, makeOwnFolder, root, sharedFolder } from './machine/place.mjs';
import { say } from './machine/progress.mjs';

const modules = join(root, 'node_modules');

/** Installs when needed. `dev`: with what tests need. @returns what was done, for the step's line */
export async function installPackages({ dev, tell = () => {} }) {
  const wanted = wantedPackages(dev);
  if (whatIsMissing(wanted) === null) return `${wanted.length} in place`;
  const unlock = await lock(tell);
  try {
    const reason = whatIsMissing(wanted); // Somebody else may have installed while we waited.
    if (reason === null) return `${wanted.length} in place`;
    await npmCi({ dev, tell, total: wanted.length });
    const still = whatIsMissing(wanted);
    if (still) throw new Advice(`npm ci ended well, but ${still}. Remove node_modules and start again.`);
    return `${wanted.length} installed, because ${reason}`;
  } finally {
    unlock();
  }
}

/** [path, version] of each package that must be there; those bound to a platform are npm's to choose. */
function wantedPackages(dev) {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, it]) => path && !it.link && !it.optional && !it.devOptional && (dev || !it.dev))
    .map(([path, it]) => [path, it.version]);
}

/** npm writes node_modules/.package-lock.json last, so its absence means never or half installed. */
function whatIsMissing(wanted) {
  if (!existsSync(modules)) return 'there is no node_modules';
  const list = join(modules, '.package-lock.json');
  if (!existsSync(list)) return 'the last install did not finish';
  const { packages } = JSON.parse(readFileSync(list, 'utf8'));
  const stale = wanted.find(([path, version]) => packages[path]?.version !== version);
  if (stale) return `${stale[0]} is not at ${stale[1]}`;
  const lost = wanted.find(([path]) => !existsSync(join(root, path, 'package.json')));
  return lost ? `${lost[0]} is gone` : null;
}

async function npmCi({ dev, tell, total }) {
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const timer = setInterval(() => tell(howFar(total)), 1000);
  const run = (...args) => command(npm[0], [...npm.slice(1), ...args], { cwd: root });
  try {
    const away = await registryIsAway(run);
    if (away) say(`${away} does not answer: trying with what npm has kept of earlier installs`);
    const args = ['--no-audit', '--no-fund', '--no-progress', '--loglevel=error', away ? '--offline' : '--prefer-offline'];
    await run('ci', ...args, ...(dev ? ['--include=dev'] : []));
  } catch (error) {
    if (error.code === 'ENOENT') throw new Advice('npm is not on this machine: install it with Node, then start again.');
    throw error instanceof CommandFailed ? new Advice(explain(error)) : error;
  } finally {
    clearInterval(timer);
  }
}

/** npm alone would try for many minutes. @returns the registry's address when it cannot be reached; through a proxy only npm can tell */
async function registryIsAway(run) {
  const settings = await run('config', 'get', 'registry', 'proxy', 'https-proxy');
  const value = (name) => new RegExp(`^${name}=(.*)$`, 'm').exec(settings)?.[1] ?? 'null';
  const registry = value('registry');
  if (value('proxy') !== 'null' || value('https-proxy') !== 'null') return null;
  try {
    await fetch(registry, { method: 'HEAD', signal: AbortSignal.timeout(20_000) });
    return null;
  } catch (error) {
    const network = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT/;
    return error.name === 'TimeoutError' || network.test(error.cause?.code) ? registry : null;
  }
}

function explain({ stderr, code, signal, diskFull }) {
  const advice = diskFull
    ? 'The disk is full: make room (about 700 MB) and start again.'
    : /ENOTCACHED|ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/.test(stderr)
      ? 'The npm registry cannot be reached: check the network or the proxy, then start again.'
      : /EACCES|EPERM/.test(stderr)
        ? 'Some files belong to another user: start as that user, or remove node_modules as that user.'
        : 'Mend what it says, then start again: the install begins anew.';
  const lines = stderr.split('\n').filter((line) => line.trim() && !/A complete log|EBADENGINE|^npm error *$/.test(line));
  return `npm ci failed (${signal ?? code}).\n  ${lines.slice(0, 12).join('\n  ')}\n${advice}`;
}

function howFar(total) {
  const there = Math.min(countInstalled(), total);
  return there === 0 ? `npm fetches ${total} packages` : `${there} of ${total} unpacked`;
}

/** npm makes all folders first, then fills them: those with a package.json are there. */
function countInstalled() {
  if (!existsSync(modules)) return 0;
  const names = readdirSync(modules).filter((name) => !name.startsWith('.'));
  const all = names.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(modules, name)).map((each) => join(name, each)) : [name],
  );
  return all.filter((name) => existsSync(join(modules, name, 'package.json'))).length;
}

/** Two commands on a fresh clone must not both install. Resolves to the unlocking. */
async function lock(tell) {
  makeOwnFolder(sharedFolder);
  const file = join(sharedFolder, 'install.lock');
  for (;;) {
    try {
      writeFileSync(file, `${process.pid} ${bornAt(process.pid) ?? ''}`, { flag: 'wx' });
      const unlock = () => rmSync(file, { force: true });
      process.once('exit', unlock);
      return unlock;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const [pid, born] = existsSync(file) ? readFileSync(file, 'utf8').split(' ') : [];
    if (pid && bornAt(pid) !== born) rmSync(file, { force: true });
    else tell('another command is installing, waiting for it');
    await wait(300);
  }
}

if (isCalled(import.meta.url)) {
  try {
    console.log(`Packages: ${await installPackages({ dev: true })}`);
  } catch (error) {
    console.error(error instanceof Advice ? error.message : error);
    process.exit(1);
  }
}
