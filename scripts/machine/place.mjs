// Place: where this clone keeps its things, and as whom its servers run, because Postgres refuses to run as root.
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
/** `EVENTLY_HOME` puts it elsewhere: a rehearsal's server has a folder of its own, gone with it. */
export const ownFolder = process.env.EVENTLY_HOME ? resolve(process.env.EVENTLY_HOME) : join(root, '.evently');

/** Of the clone, whatever EVENTLY_HOME says: what was downloaded serves every installation. */
export const sharedFolder = join(root, '.evently');

/** Whether the module at `url` (its import.meta.url) is what was called, not imported; also through a symbolic link. */
export function isCalled(url) {
  const [, called] = process.argv;
  return called !== undefined && existsSync(called) && realpathSync(called) === fileURLToPath(url);
}

/** A mistake of the surroundings, not of the code: shown as it is, without a stack, and it must say what to do. */
export class Advice extends Error {}

/** The user that Postgres and Redis run as when we are root: nobody, so that no account has to be made. */
const nobody = 65534;
export const asRoot = process.getuid?.() === 0;
export const servant = asRoot ? { uid: nobody, gid: nobody } : {};

/** Makes a folder that the servers' user owns. Throws Advice when its data belongs to somebody else. */
export function servantFolder(path) {
  const owner = existsSync(path) ? statSync(path).uid : undefined;
  const unfinished = asRoot && owner === 0; // Made, and killed before it was given away.
  if (owner !== undefined && !unfinished && owner !== (servant.uid ?? process.getuid?.())) {
    const who = owner === nobody ? 'a start by root' : `the user with uid ${owner}`;
    throw new Advice(`${path} was made by ${who}: start as that user again, or remove it to begin with empty data.`);
  }
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (asRoot) chownSync(path, nobody, nobody);
  return path;
}

/** Whether the servers' user may walk through `folder`. As a plain user that is ourselves: always. */
function passable(folder) {
  if (!asRoot) return true;
  if ((statSync(folder).mode & 0o001) === 0) return false;
  return folder === dirname(folder) || passable(dirname(folder));
}

/** Whether the servers' user may read and run what is at `path`. */
export function reachable(path) {
  return !asRoot || ((statSync(path).mode & 0o005) === 0o005 && passable(dirname(path)));
}

/** Copies programs to where the servers' user can run them. The copy appears when it is whole. */
export function copyForServant(from, to) {
  if (existsSync(to)) return to;
  const fresh = `${to}.${process.pid}`;
  cpSync(from, fresh, { recursive: true, verbatimSymlinks: true });
  const open = spawnSync('chmod', ['-R', 'a+rX', fresh], { encoding: 'utf8' });
  if (open.status !== 0) throw new Error(`chmod ${fresh}: ${open.stderr}`);
  renameSync(fresh, to);
  return to;
}

/** Makes `.evently`; others may pass through it (nobody must, when we are root) but not list it. */
export function makeOwnFolder(folder = ownFolder) {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, 0o711);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    if (error.code !== 'EPERM' && error.code !== 'EACCES') throw error;
    const owned = existsSync(folder) ? folder : dirname(folder);
    const { uid } = statSync(owned);
    throw new Advice(`${owned} belongs to another user (uid ${uid}). Start as that user, or give it to yourself: chown -R`);
  }
  return folder;
}

/**
 * Where the data of `npm start` lies: in `.evently/data`, or, when the servers' user cannot walk there (a clone in /root),
 * in a folder below /var/tmp whose name `.evently/place.json` remembers.
 */
export function dataFolder() {
  makeOwnFolder();
  const note = join(ownFolder, 'place.json');
  if (existsSync(note)) {
    const { clone, data } = JSON.parse(readFileSync(note, 'utf8'));
    // A copied clone must not use its original's data, nor another user root's.
    if (clone === root && existsSync(data) && statSync(data).uid === process.getuid?.()) return data;
  }
  if (passable(ownFolder)) {
    mkdirSync(join(ownFolder, 'data'), { recursive: true, mode: 0o711 });
    return join(ownFolder, 'data');
  }
  const data = mkdtempSync('/var/tmp/evently-');
  chmodSync(data, 0o711);
  writeFileSync(note, JSON.stringify({ clone: root, data }, null, 2) + '\n');
  return data;
}
