// Script: runs one of dist/scripts (migrate, demo, verify ...) to its end, tied to us.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CommandFailed, command, makeRoom } from './command.mjs';
import { Advice, root } from './place.mjs';

export const scriptFile = (name) => join(root, 'dist', 'scripts', `${name}.js`);
export const hasScript = (name) => existsSync(scriptFile(name));

/** Runs it with our terminal. @returns its exit code, by `onChild` the process */
export function runInTerminal(name, args, env, onChild) {
  const child = spawn(process.execPath, argumentsOf(name, args), { cwd: root, env, stdio: 'inherit' });
  onChild(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** Runs it quietly. @returns its standard output; throws Advice with the end of what it said when it fails */
export async function runQuietly(name, env) {
  try {
    return await command(process.execPath, argumentsOf(name, []), { cwd: root, env });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    const lines = `${error.stdout}\n${error.stderr}`.trim().split('\n').slice(-25);
    throw new Advice(`${name} failed (${error.signal ?? error.code}).\n  ${lines.join('\n  ')}${error.diskFull ? makeRoom : ''}`);
  }
}

function argumentsOf(name, args) {
  return ['--enable-source-maps', scriptFile(name), ...args];
}
