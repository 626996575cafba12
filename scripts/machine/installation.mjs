// Installation: this clone's running or stopped Evently: its one start at a time, its urls and ports, what a start left behind.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bornAt, stopLeftover } from './child.mjs';
import { Advice, makeOwnFolder, ownFolder } from './place.mjs';

export const logsFolder = join(ownFolder, 'logs');
const pidsFolder = join(ownFolder, 'pids');
const lockFile = join(ownFolder, 'start.pid');
const recordFile = join(ownFolder, 'run.json');

/** Makes us the one start of this clone, or throws Advice; ends what a killed start left running. @returns the folder for pid files */
export async function claimInstallation() {
  makeOwnFolder();
  for (let tries = 0; ; tries++) {
    try {
      writeFileSync(lockFile, `${process.pid} ${bornAt(process.pid) ?? ''}`, { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const [pid, born] = readFileSync(lockFile, 'utf8').split(' ');
      if (born && bornAt(pid) === born) {
        const { PUBLIC_URL } = readRecord()?.env ?? {};
        throw new Advice(
          `Evently already runs from this folder (process ${pid}${PUBLIC_URL ? `, ${PUBLIC_URL}` : ''}).\n` +
            `Stop it with Ctrl-C where it runs, or with: kill ${pid}\nTo run a second one, clone into another folder and set PORT and WORKER_PORT.`,
        );
      }
      if (tries > 20) throw error;
      rmSync(lockFile, { force: true });
    }
  }
  mkdirSync(pidsFolder, { recursive: true });
  const names = readdirSync(pidsFolder);
  const apps = names.filter((name) => name !== 'postgres' && name !== 'redis');
  await Promise.all(apps.map((name) => stopLeftover(join(pidsFolder, name))));
  await stopLeftover(join(pidsFolder, 'redis'));
  await stopLeftover(join(pidsFolder, 'postgres'), 'SIGINT');
  return pidsFolder;
}

/** Gives the clone free for the next start. */
export function releaseInstallation() {
  rmSync(pidsFolder, { recursive: true, force: true });
  rmSync(lockFile, { force: true });
}

/** Remembers how to reach what runs; `given` says whether the databases were ours (false) or named by the environment. */
export function writeRecord(env, given) {
  writeFileSync(
    `${recordFile}.new`,
    `${JSON.stringify({ pid: process.pid, born: bornAt(process.pid), given, env }, null, 2)}\n`,
    {
      mode: 0o600,
    },
  );
  renameSync(`${recordFile}.new`, recordFile);
}

/** { running, given, env } of the last start, or null when this clone was never started. */
export function readRecord() {
  if (!existsSync(recordFile)) return null;
  if (process.getuid && process.getuid() !== 0 && statSync(recordFile).uid !== process.getuid()) return null; // Root's: not for us.
  const { pid, born, given, env } = JSON.parse(readFileSync(recordFile, 'utf8'));
  return { running: existsSync(lockFile) && born !== null && bornAt(pid) === born, given, env };
}
