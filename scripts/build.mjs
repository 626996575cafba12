// Build: swc turns apps, libs and scripts into dist, file by file, only those that changed; what lost its source goes.
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Advice, isCalled, root } from './machine/place.mjs';

const dist = join(root, 'dist');
const sources = ['apps', 'libs', 'scripts', 'ormconfig.ts'];

/** Brings dist up to date. @returns { compiled, copied, removed }: numbers of files. Throws Advice on a syntax error. */
export async function build() {
  forgetOtherCompiler();
  const files = sources.flatMap((name) => walk(join(root, name)));
  const targets = new Set();
  const stale = [];
  for (const file of files) {
    const source = relative(root, file);
    const kind = kindOf(source);
    if (kind === 'none') continue;
    const target = join(dist, kind === 'code' ? source.replace(/\.ts$/, '.js') : source);
    targets.add(target);
    if (kind === 'code') targets.add(`${target}.map`);
    const { mtimeMs } = statSync(file);
    if (!existsSync(target) || Math.abs(statSync(target).mtimeMs - mtimeMs) >= 1) stale.push({ file, target, kind, mtimeMs });
  }
  const code = stale.filter(({ kind }) => kind === 'code');
  await Promise.all(code.map(compile));
  for (const { file, target, mtimeMs, kind } of stale) if (kind === 'asset') put(target, mtimeMs, (to) => copyFileSync(file, to));
  const removed = walk(dist).filter((file) => !targets.has(file) && basename(file) !== '.compiler');
  for (const file of removed) rmSync(file);
  return { compiled: code.length, copied: stale.length - code.length, removed: removed.length };
}

function kindOf(path) {
  if (/\.(spec|setup|bench)\.ts$|\.d\.m?ts$|\.mjs$|\.md$/.test(path)) return 'none';
  return path.endsWith('.ts') ? 'code' : 'asset';
}

async function compile({ file, target, mtimeMs }) {
  const { transformFile } = await import('@swc/core');
  const source = relative(dirname(target), file);
  let output;
  try {
    output = await transformFile(file, { cwd: root, swcrc: true, sourceFileName: source });
  } catch (error) {
    throw new Advice(`${relative(root, file)} does not compile:\n${error.message.split('Caused by')[0].trim()}`, {
      cause: error,
    });
  }
  put(`${target}.map`, mtimeMs, (to) => writeFileSync(to, output.map));
  put(target, mtimeMs, (to) => writeFileSync(to, `${output.code}//# sourceMappingURL=${basename(target)}.map\n`));
}

/** Writes beside and renames, so that a process which is just starting never reads half a file; the time says which source it is of. */
function put(target, mtimeMs, write) {
  mkdirSync(dirname(target), { recursive: true });
  const fresh = `${target}.${process.pid}`;
  write(fresh);
  utimesSync(fresh, mtimeMs / 1000, mtimeMs / 1000);
  renameSync(fresh, target);
}

/** Another swc, other settings or another form of this file: everything is compiled anew. */
function forgetOtherCompiler() {
  const parts = [join(root, '.swcrc'), fileURLToPath(import.meta.url), join(root, 'node_modules/@swc/core/package.json')];
  const hash = createHash('sha256');
  for (const part of parts) hash.update(readFileSync(part));
  const compiler = hash.digest('hex');
  const note = join(dist, '.compiler');
  if (existsSync(note) && readFileSync(note, 'utf8') === compiler) return;
  rmSync(dist, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  writeFileSync(note, compiler);
}

function walk(path) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return walk(join(path, entry.name));
    return entry.isFile() ? [join(path, entry.name)] : [];
  });
}

/** One line about what build() did. */
export function builtLine({ compiled, copied, removed }) {
  if (compiled + copied + removed === 0) return 'up to date';
  return [`${compiled} compiled`, copied && `${copied} copied`, removed && `${removed} removed`].filter(Boolean).join(', ');
}

if (isCalled(import.meta.url)) {
  try {
    console.log(`dist: ${builtLine(await build())}`);
  } catch (error) {
    console.error(error instanceof Advice ? error.message : error);
    process.exit(1);
  }
}
