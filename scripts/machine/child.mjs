// Child: one program that we run and watch: Postgres, Redis, the api or the worker. It can be stopped, killed and started again.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync, readSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Advice } from './place.mjs';

/** With setpriv (Linux) the kernel itself ends a child whose parent was killed; elsewhere the pid file lets the next start do it. */
const leash = process.platform === 'linux' && spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;

/** [program, arguments] of a command that gets `signal` when we are gone. */
export function leashed(command, args, signal) {
  return leash ? ['setpriv', ['--pdeathsig', signal.replace('SIG', ''), command, ...args]] : [command, args];
}

/** Every child that was ever started, in the order of their first start: who comes later may need who came earlier. */
export const children = new Set();

export class Child {
  /** Whether it ought to run: an end that nobody asked for is for the supervisor. */
  wanted = false;

  /**
   * @param options name; command, args, cwd, env, ids (uid, gid); log: file that takes its output, or 'inherit';
   * stopSignal, abortSignal; ready(): whether it serves; readyMs: how long that may take; passing(text): whether a failed start with this
   * output is worth another try; pidFile
   */
  constructor(options) {
    this.options = {
      args: [],
      ids: {},
      stopSignal: 'SIGTERM',
      ready: async () => true,
      readyMs: 60_000,
      passing: () => false,
      ...options,
    };
    this.name = options.name;
    this.process = null;
    this.exited = Promise.resolve();
  }

  get pid() {
    return this.process?.pid;
  }

  get running() {
    return this.process !== null;
  }

  /** Starts it and resolves when it serves. Throws with the end of its output when it does not. */
  async start() {
    const giveUpAt = performance.now() + 20_000;
    this.wanted = true;
    for (;;) {
      const from = this.#logSize();
      this.#spawn();
      const trouble = await this.#untilReady();
      if (trouble === null) return this;
      const output = this.#logFrom(from);
      if (!this.wanted) throw new Advice(`${this.name} was stopped while it started.`);
      if (!this.options.passing(output) || performance.now() > giveUpAt) throw new Advice(this.#explain(trouble, output));
      await wait(100);
    }
  }

  /** Asks it to stop; kills it after `graceMs`. */
  async stop(graceMs = 15_000) {
    this.wanted = false;
    if (!this.running) return;
    this.process.kill(this.options.stopSignal);
    const late = setTimeout(() => this.process?.kill('SIGKILL'), graceMs);
    await this.exited;
    clearTimeout(late);
  }

  /** Ends it at once; Postgres at least tells its own children (SIGQUIT). */
  async abort() {
    this.wanted = false;
    this.process?.kill(this.options.abortSignal);
    const late = setTimeout(() => this.process?.kill('SIGKILL'), 3000);
    await this.exited;
    clearTimeout(late);
  }

  /** SIGKILL, as a power cut would. */
  async kill() {
    this.process?.kill('SIGKILL');
    await this.exited;
  }

  #spawn() {
    const { args, cwd, env, ids, log, stopSignal, pidFile } = this.options;
    const output = log === 'inherit' ? 'inherit' : openLog(log);
    const [command, rest] = leashed(this.options.command, args, stopSignal);
    // A session of its own, so that Ctrl-C reaches only us and we stop everything in order.
    const child = spawn(command, rest, { cwd, env, ...ids, detached: true, stdio: ['ignore', output, output] });
    if (typeof output === 'number') closeSync(output);
    this.process = child;
    children.add(this);
    this.exited = new Promise((resolve) => {
      const over = (code, signal) => {
        if (this.process !== child) return;
        this.process = null;
        if (pidFile) rmSync(pidFile, { force: true });
        this.ended = { code, signal };
        resolve(this.ended);
      };
      child.once('exit', over);
      child.once('error', (error) => over(error.code, null));
    });
    if (pidFile && child.pid) writeFileSync(pidFile, `${child.pid} ${bornAt(child.pid) ?? ''}\n`);
  }

  async #untilReady() {
    const { ready, readyMs } = this.options;
    const giveUpAt = performance.now() + readyMs;
    while (this.running) {
      if (await ready()) return null;
      if (performance.now() > giveUpAt) {
        await this.kill();
        return `did not serve within ${readyMs / 1000} s`;
      }
      await Promise.race([wait(30), this.exited]);
    }
    return `ended at once (${this.ended.signal ?? `exit code ${this.ended.code}`})`;
  }

  #explain(trouble, output) {
    const text = output.trim().split('\n').slice(-15).join('\n  ');
    const full = /No space left on device|ENOSPC/.test(output) ? `\nThe disk is full: make room and start again.` : '';
    return `${this.name} ${trouble}.${text ? `\n  ${text}` : ''}${full}${this.options.log === 'inherit' ? '' : `\nIts log: ${this.options.log}`}`;
  }

  #logSize() {
    const { log } = this.options;
    return log !== 'inherit' && existsSync(log) ? statSync(log).size : 0;
  }

  #logFrom(start) {
    const { log } = this.options;
    if (log === 'inherit') return '';
    const size = statSync(log).size;
    const from = Math.max(start, size - 20_000);
    const bytes = Buffer.alloc(Math.max(0, size - from));
    const file = openSync(log, 'r');
    readSync(file, bytes, 0, bytes.length, from);
    closeSync(file);
    return bytes.toString();
  }
}

function openLog(path) {
  mkdirSync(dirname(path), { recursive: true });
  return openSync(path, 'a', 0o600);
}

/** When a process was born: with its pid this names a process for good. null: there is none. */
export function bornAt(pid) {
  if (process.platform !== 'linux') {
    const run = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return run.stdout?.trim().replaceAll(' ', '_') || null;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const after = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return after[0] === 'Z' ? null : after[19]; // Field 22 of proc(5), in ticks since boot. A zombie does nothing any more.
  } catch {
    return null;
  }
}

/** Stops what a killed start left behind, by its pid file, if that pid still is the same process. */
export async function stopLeftover(pidFile, signal = 'SIGTERM') {
  if (!existsSync(pidFile)) return;
  const [pid, born] = readFileSync(pidFile, 'utf8').trim().split(' ');
  const same = () => born && bornAt(pid) === born;
  if (same()) process.kill(Number(pid), signal);
  for (let tries = 0; same() && tries < 200; tries++) await wait(50);
  if (same()) process.kill(Number(pid), 'SIGKILL');
  rmSync(pidFile, { force: true });
}
