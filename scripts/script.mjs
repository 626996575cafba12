// Script: runs one of dist/scripts (migrate, demo, verify ...) to its end, tied to us.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Advice, root } from './place.mjs';

export const scriptFile = (name) => join(root, 'dist', 'scripts', `${name}.js`);
export const hasScript = (name) => existsSync(scriptFile(name));

/** Starts it. `quiet`: its output is gathered, else it has our terminal. */
export function spawnScript(name, args, { env, quiet = false }) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  return spawn(process.execPath, ['--enable-source-maps', scriptFile(name), ...args], { cwd: root, env, stdio });
}

/** Runs it quietly. @returns its standard output; throws Advice with the end of its output when it fails */
export async function runQuietly(name, env, onChild = () => {}) {
  const child = spawnScript(name, [], { env, quiet: true });
  onChild(child);
  let output = '';
  let said = '';
  child.stdout.on('data', (bytes) => (output += bytes));
  child.stderr.on('data', (bytes) => (said += bytes));
  const { code, signal } = await ended(child);
  if (code === 0) return output;
  const lines = `${output}\n${said}`.trim().split('\n').slice(-25);
  const full = /No space left on device|ENOSPC/.test(said + output) ? '\nThe disk is full: make room and start again.' : '';
  throw new Advice(`${name} failed (${signal ?? code}).\n  ${lines.join('\n  ')}${full}`);
}

export function ended(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}
