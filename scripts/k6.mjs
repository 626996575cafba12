// K6: `npm run k6 -- NAME` finds k6 on the PATH and runs k6/NAME.js against a given Evently, or this clone's running one.
import './machine/node.mjs';
import { spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { readRecord } from './machine/installation.mjs';
import { Advice, root } from './machine/place.mjs';
import { urlToCall } from './machine/settings.mjs';
import { installPackages } from './packages.mjs';

/** Options of ours, by the variable that the scripts read. k6's own `--duration` would replace the plan of the script. */
const settings = {
  '--url': 'EVENTLY_URL',
  '--buyers': 'EVENTLY_BUYERS',
  '--places': 'EVENTLY_PLACES',
  '--rate': 'EVENTLY_RATE',
  '--steps': 'EVENTLY_STEPS',
  '--users': 'EVENTLY_USERS',
  '--duration': 'EVENTLY_DURATION',
  '--allow': 'EVENTLY_ALLOW',
};
/** Options of k6 that would do the same, and what to give instead. */
const instead = {
  '--vus': '--users',
  '-u': '--users',
  '--iterations': '--buyers',
  '-i': '--buyers',
  '--stage': '--rate and --steps',
  '-s': '--rate and --steps',
  '-d': '--duration',
};
const names = readdirSync(join(root, 'k6')).flatMap((file) => (file.endsWith('.js') ? [file.slice(0, -3)] : []));
const usage = `Usage: npm run k6 -- NAME [options] [k6's own options]

NAME is one of ${names.join(', ')}.
  --url URL          the Evently to try (default: the one that npm start runs from this clone)
  --start            where none runs, start one for the run, with empty data, and stop it after it
  --buyers N         onsale, seats: how many buyers come
  --places N         how many places or seats there are
  --users N          how many buyers are served at a time, at most
  --rate N           browse, soak: visitors a second; stress: buyers a second in the first step
  --steps N          stress: steps, each of twice the rate of the one before
  --duration TIME    90s, 15m, 1h30m: of the rush; for stress, of each step
  --allow CODES      count these as refusals too (unavailable, when something is stopped on purpose)
docs/k6.md tells more.`;

let server = null;
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Advice ? error.message : error);
  process.exitCode = 1;
} finally {
  await server?.stop();
}

async function main([name, ...args]) {
  if (name === '--help') return console.log(usage);
  if (!names.includes(name)) throw new Advice(usage);
  const { env, start, rest } = parse(args);
  const program = findK6();
  env.EVENTLY_URL ??= process.env.EVENTLY_URL || (start ? await startedUrl() : runningUrl());
  const quiet = process.stdout.isTTY ? [] : ['--quiet'];
  const child = spawn(program, ['run', ...quiet, ...rest, join(root, 'k6', `${name}.js`)], {
    stdio: 'inherit',
    env: { ...process.env, K6_NO_USAGE_REPORT: 'true', ...env },
  });
  // The terminal sends Ctrl-C to k6 too, which then ends in order and tells what it has; we wait for it.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Takes our options out of the line; the rest is k6's. */
function parse(args) {
  const env = {};
  const rest = [];
  let start = false;
  for (let i = 0; i < args.length; i++) {
    const [option, inline] = /^(--[a-z0-9-]+)=(.*)$/s.exec(args[i])?.slice(1) ?? [args[i]];
    if (instead[option]) throw new Advice(`${option} would replace what the script does: give ${instead[option]} instead.`);
    if (option === '--start') start = true;
    else if (!settings[option]) rest.push(args[i]);
    else {
      const value = inline ?? args[++i];
      if (!value) throw new Advice(`${option} needs a value.\n\n${usage}`);
      env[settings[option]] = value;
    }
  }
  return { env, start, rest };
}

function findK6() {
  const files = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, process.platform === 'win32' ? 'k6.exe' : 'k6'));
  const found = files.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  });
  if (found) return found;
  throw new Advice(
    'k6 is not on the PATH: install it (https://grafana.com/docs/k6/latest/set-up/install-k6, or `go install go.k6.io/k6@latest`).',
  );
}

function runningUrl() {
  const record = readRecord();
  if (!record?.running) {
    throw new Advice(
      'No Evently runs from this clone: start it with `npm start`, or give one with --url, or let --start bring one for the run.',
    );
  }
  const { HOST, PORT } = record.env;
  return urlToCall(HOST, PORT);
}

/** The address of what runs from this clone, else of one that is started for the run as a rehearsal starts one. */
async function startedUrl() {
  await installPackages({ dev: false, tell: () => {} });
  await build();
  const { findServer } = await import(pathToFileURL(join(root, 'dist', 'scripts', 'rehearse', 'server.js')));
  server = await findServer({ kill: [], env: process.env, say: console.log }).catch((error) => {
    throw new Advice(error.message);
  });
  return server.base.origin;
}
