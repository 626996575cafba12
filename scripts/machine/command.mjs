// Command: a tool that runs to its end (npm ci, initdb, apt-get, migrate) and that ends with us when we are stopped.
import { spawn } from 'node:child_process';
import { leashed } from './child.mjs';

const running = new Set();
let over = false;

/** The command was ended by a signal: whoever asked for it must not try something else instead. */
export class Interrupted extends Error {}

/** A command that failed, with what it said. */
export class CommandFailed extends Error {
  constructor(program, { code, signal, stdout, stderr }) {
    const said = `${stdout}\n${stderr}`;
    super(`${program} failed (${signal ?? code}): ${stderr.trim().slice(-300)}`);
    Object.assign(this, { code, signal, stdout, stderr, diskFull: /No space left on device|ENOSPC/.test(said) });
  }
}

/** Runs it without input. @returns its standard output. @throws CommandFailed, Interrupted, or the error of a program that is not there */
export async function command(program, args, options = {}) {
  if (over) throw new Interrupted(program);
  const [file, rest] = leashed(program, args, 'SIGTERM');
  const child = spawn(file, rest, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const name of Object.keys(texts)) child[name].on('data', (bytes) => (texts[name] += bytes));
  const end = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  running.add(child);
  try {
    const { code, signal } = await end;
    if (code === 0) return texts.stdout;
    if (over || signal === 'SIGINT' || signal === 'SIGTERM' || code === 130) throw new Interrupted(program);
    throw new CommandFailed(program, { code, signal, ...texts });
  } finally {
    running.delete(child);
  }
}

/** Ends all commands and lets none begin. Resolves when they are gone and whoever waited for them has cleaned up. */
export async function endCommands() {
  over = true;
  for (const child of running) child.kill('SIGTERM');
  const giveUpAt = performance.now() + 10_000;
  while (running.size > 0 && performance.now() < giveUpAt) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Added to an error's text when the disk was full. */
export const makeRoom = '\nThe disk is full: make room and start again.';
