// Run: runs one of dist/scripts (migrate, verify, rehearse, openapi, keys-rotate) against this clone's running or stopped installation.
import './machine/node.mjs';
import { build } from './build.mjs';
import { makeDatabase, startInfra } from './infra.mjs';
import { claimInstallation, logsFolder, readRecord, releaseInstallation } from './machine/installation.mjs';
import { installPackages } from './packages.mjs';
import { Advice, dataFolder } from './machine/place.mjs';
import { hasScript, runInTerminal } from './machine/script.mjs';
import { keepSecret, prepareSecrets } from './secrets.mjs';
import { readEnvFile, readSettings } from './machine/settings.mjs';

const [name, ...args] = process.argv.slice(2);
/** Scripts that need nothing of ours: a rehearsal brings a whole Evently of its own where none runs, and must not be in its way. */
const alone = new Set(['rehearse', 'openapi', 'hall', 'bench']);
let infra = null;
let claimed = false;

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Advice ? error.message : error);
  process.exitCode = 1;
} finally {
  await infra?.stop();
  if (claimed) releaseInstallation();
}

async function main() {
  await installPackages({ dev: false, tell: () => {} });
  await build();
  if (!name || !hasScript(name)) throw new Advice(`There is no script ${name ?? ''}: scripts/${name ?? 'NAME'}.ts is missing.`);
  readEnvFile();
  const env = await environment();
  let child = null;
  // The terminal sends Ctrl-C to the script too; it ends first, then we stop what we started.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => signal !== 'SIGINT' && child?.kill(signal));
  return runInTerminal(name, args, env, (it) => (child = it));
}

/** That of what runs; else given urls, checked; else servers of our own for as long as the command runs. */
async function environment() {
  const record = readRecord();
  if (record?.running) return { ...record.env, ...process.env };
  if (alone.has(name)) return process.env;
  const { host, ports, workerPort, publicUrl } = readSettings(process.env);
  const addresses = { HOST: host, PORT: String(ports[0]), WORKER_PORT: String(workerPort), PUBLIC_URL: publicUrl };
  const env = { ...process.env, ...addresses, ...prepareSecrets(process.env) };
  if (name === 'keys-rotate') return env; // Changes a file of secrets, nothing else.
  const databaseUrl = process.env.DATABASE_URL || (record?.given.database ? record.env.DATABASE_URL : undefined);
  const redisUrl = process.env.REDIS_URL || (record?.given.redis ? record.env.REDIS_URL : undefined);
  const pids = databaseUrl && redisUrl ? undefined : await claimInstallation();
  claimed = pids !== undefined;
  infra = await startInfra({
    folder: dataFolder(),
    logs: logsFolder,
    password: keepSecret('POSTGRES_PASSWORD'),
    databaseUrl,
    redisUrl,
    pids,
  });
  const url = infra.postgres ? await makeDatabase(infra.databaseUrl, 'evently') : infra.databaseUrl;
  return { ...env, DATABASE_URL: url, REDIS_URL: infra.redisUrl };
}
