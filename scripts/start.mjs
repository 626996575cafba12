// Start: `npm start` does everything from a fresh clone to a running Evently, watches over it, and Ctrl-C stops it all.
import './machine/node.mjs';
import fs from 'node:fs';
import { join } from 'node:path';
import { makeApp } from './machine/app.mjs';
import { build, builtLine } from './build.mjs';
import { endCommands } from './machine/command.mjs';
import { makeDatabase, ON_SALE_LOG, startInfra } from './infra.mjs';
import { claimInstallation, logsFolder, releaseInstallation, writeRecord } from './machine/installation.mjs';
import { installPackages } from './packages.mjs';
import { Advice, dataFolder, makeOwnFolder, ownFolder, root } from './machine/place.mjs';
import { Steps, note, say } from './machine/progress.mjs';
import { hasScript, runQuietly } from './machine/script.mjs';
import { keepSecret, prepareSecrets } from './secrets.mjs';
import { checkPorts, readEnvFile, readSettings, urlToCall } from './machine/settings.mjs';
import { Supervisor, inStoppingOrder } from './machine/supervisor.mjs';
import { table } from './machine/table.mjs';
import { watchSources } from './machine/watch.mjs';

const watching = process.argv.includes('--watch');
const began = performance.now();
const supervisor = new Supervisor();
let claimed = false;
let stopAsked = 0;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop());
process.on('uncaughtException', (error) => void fail(error));
process.on('unhandledRejection', (error) => void fail(error));
followNpm();
await start().catch(fail);

async function start() {
  readEnvFile();
  const settings = readSettings(process.env);
  checkDisk();
  const secrets = prepareSecrets(process.env);
  const pids = await claimInstallation();
  claimed = true;
  await checkPorts(settings);
  const steps = new Steps(5);
  await step(steps, 'Packages', (tell) => installPackages({ dev: false, tell }));
  await step(steps, 'Build', async () => builtLine(await build()));
  let infra;
  await step(steps, 'Postgres and Redis', async (tell) => {
    infra = await servers(pids, tell);
    return ['postgres', 'redis'].map((name) => `${name} ${infra[name] ? `on port ${infra[name].port}` : 'as given'}`).join(', ');
  });
  const env = await appEnvironment(settings, infra, secrets);
  await step(steps, 'Database schema', async () => lastLine(await runQuietly('migrate', env)));
  let demo;
  let apps;
  await step(steps, 'Demo organization, api and worker', async () => {
    [demo, apps] = await Promise.all([demoRows(env), startApps(settings, env, pids)]);
    return 'serving';
  });
  say(table({ settings, infra, demo, seconds: (performance.now() - began) / 1000 }));
  if (watching) watchSources({ apps, migrate: () => runQuietly('migrate', env) });
}

async function step(steps, title, work) {
  if (stopAsked) await new Promise(() => {}); // stop() ends the process.
  await steps.run(title, work);
}

/** Our own Postgres has a password, and a database `evently`. */
async function servers(pids, tell) {
  const infra = await startInfra({
    folder: dataFolder(),
    logs: logsFolder,
    password: keepSecret('POSTGRES_PASSWORD'),
    databaseUrl: process.env.DATABASE_URL,
    redisUrl: process.env.REDIS_URL,
    logAhead: ON_SALE_LOG,
    pids,
    say: tell,
    started: (child) => supervisor.keep(child),
  });
  if (infra.postgres) infra.databaseUrl = await makeDatabase(infra.databaseUrl, 'evently');
  return infra;
}

/** What migrate, demo, api and worker are told; the part that is ours is kept for `npm run verify` and its like. */
async function appEnvironment({ host, ports, workerPort, publicUrl }, { databaseUrl, redisUrl }, secrets) {
  const own = {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    HOST: host,
    PORT: String(ports[0]),
    WORKER_PORT: String(workerPort),
    PUBLIC_URL: publicUrl,
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(ownFolder, 'compiled'), // Node 22 and newer start faster by it.
    ...secrets,
  };
  writeRecord(own, { database: Boolean(process.env.DATABASE_URL), redis: Boolean(process.env.REDIS_URL) });
  return { ...process.env, ...own };
}

/** The demo prints lines of JSON, { label, value }, for the table. In production there is none: its passwords are public. */
async function demoRows(env) {
  if (env.NODE_ENV === 'production' || !hasScript('demo')) return [];
  const lines = (await loadDemo(env)).split('\n');
  return lines.filter((line) => line.startsWith('{"label"')).map((line) => JSON.parse(line));
}

/** What it needs may be killed and started again meanwhile: it goes on from what is there. */
async function loadDemo(env, tries = 5) {
  try {
    return await runQuietly('demo', env);
  } catch (error) {
    if (tries === 1 || stopAsked) throw error;
    await new Promise((resolve) => setTimeout(resolve, 2000));
    return loadDemo(env, tries - 1);
  }
}

async function startApps({ host, ports, workerPort }, env, pids) {
  const log = (name) => (watching ? 'inherit' : join(logsFolder, `${name}.log`));
  const pidFile = (name) => join(pids, name);
  const apis = ports.map((port) => {
    const name = ports.length > 1 ? `api-${port}` : 'api';
    const own = { ...env, PORT: String(port) };
    const url = urlToCall(host, port);
    return makeApp({ name, entry: 'apps/api/main.js', port, url, env: own, log: log(name), pidFile: pidFile(name) });
  });
  const worker = makeApp({
    name: 'worker',
    entry: 'apps/worker/main.js',
    port: workerPort,
    url: urlToCall(host, workerPort),
    env,
    log: log('worker'),
    pidFile: pidFile('worker'),
  });
  const apps = [...apis, worker];
  await Promise.all(apps.map((app) => app.start().then(() => supervisor.keep(app))));
  return apps;
}

/** The first Ctrl-C stops in order, a second one at once. npm passes on what the terminal already sent: that is no second one. */
async function stop() {
  if (stopAsked) {
    if (performance.now() - stopAsked < 1000) return;
    note('Ending everything at once');
    await supervisor.abort();
    leave(130);
  }
  stopAsked = performance.now();
  const { apps, servers } = inStoppingOrder();
  const names = [...apps, ...servers].map((child) => child.name);
  say('');
  note(names.length > 0 ? `Stopping ${names.join(', ')}. Ctrl-C again ends them at once.` : 'Stopping');
  await endCommands();
  await supervisor.stop();
  note('Stopped');
  leave(0);
}

async function fail(error) {
  if (stopAsked) return; // What breaks while stopping breaks because we stop; stop() ends the process.
  stopAsked = performance.now() - 1000;
  const full = error?.code === 'ENOSPC' ? '\nThe disk is full: make room and start again.' : '';
  console.error(`\n${error instanceof Advice ? error.message : (error?.stack ?? error)}${full}`);
  await endCommands();
  await supervisor.stop().catch(() => {});
  leave(1);
}

function leave(code) {
  if (claimed) releaseInstallation();
  process.exit(code);
}

/** A killed npm cannot tell us to stop, so we look whether it is still there. */
function followNpm() {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && !stopAsked && void stop(), 1000).unref();
}

/** Before anything is half done. Later a full disk is told by whoever meets it. */
function checkDisk() {
  const first = !fs.existsSync(join(root, 'node_modules'));
  const needed = { [root]: first ? 700 : 50, [makeOwnFolder()]: 100 };
  for (const [folder, megabytes] of Object.entries(needed)) {
    const { bavail, bsize } = fs.statfsSync(folder);
    const free = Math.floor((bavail * bsize) / 2 ** 20);
    if (free < megabytes)
      throw new Advice(`Only ${free} MB are free in ${folder}; ${megabytes} MB are needed. Make room and start again.`);
  }
}

function lastLine(text) {
  return text.trim().split('\n').at(-1).slice(0, 100) || 'up to date';
}
