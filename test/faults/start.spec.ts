// A whole `npm start` in a folder of its own: each of its processes is killed, then the start itself, and nothing acknowledged is lost.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../scripts/machine/port.mjs';

const patience = { timeout: 180_000, interval: 100 };
const names = ['api', 'worker', 'redis', 'postgres'];

describe.runIf(process.platform === 'linux')('npm start', () => {
  let home: string;
  let port: number;
  let workerPort: number;
  let start: ChildProcess;
  let output: string;
  let booking: { id: string; accessToken: string };

  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'evently-fault-'));
    chmodSync(home, 0o711);
    [port, workerPort] = await Promise.all([freePort(), freePort()]);
    begin();
  });
  afterAll(async () => {
    if (start.exitCode === null && start.signalCode === null) {
      const ended = new Promise((resolve) => start.once('exit', resolve));
      start.kill('SIGTERM');
      await ended;
    }
    rmSync(home, { recursive: true, force: true });
  });

  function begin() {
    output = '';
    const { DATABASE_URL: _database, REDIS_URL: _redis, API_PORTS: _ports, ...env } = process.env;
    start = spawn(process.execPath, ['scripts/start.mjs'], {
      env: { ...env, NODE_ENV: 'development', EVENTLY_HOME: home, PORT: String(port), WORKER_PORT: String(workerPort) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [start.stdout, start.stderr]) stream?.on('data', (bytes: Buffer) => (output += bytes.toString()));
  }

  const running = () =>
    vi
      .waitUntil(() => over() || output.includes('Ctrl-C stops all of it'), patience)
      .then(() => expect(output).toContain('Evently runs'));
  const over = () => start.exitCode !== null || start.signalCode !== null;
  const pidOf = (name: string) => Number(readFileSync(join(home, 'pids', name), 'utf8').split(' ')[0]);
  const readBooking = () =>
    fetch(`http://127.0.0.1:${port}/v1/bookings/${booking.id}`, { headers: { authorization: `Bearer ${booking.accessToken}` } });

  it('serves, and its curl line books a ticket as it stands', async () => {
    await running();
    const line = output.split('\n').find((each) => each.startsWith('curl ')) ?? '';
    const shell = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'] });
    let reply = '';
    shell.stdout.on('data', (bytes: Buffer) => (reply += bytes.toString()));
    await new Promise((resolve) => shell.once('close', resolve));
    booking = JSON.parse(reply) as typeof booking;
    expect(booking).toMatchObject({ status: 'PENDING', accessToken: expect.any(String) as string });
  });

  it.each(names)('starts %s again when it is killed', async (name) => {
    const title = { postgres: 'Postgres', redis: 'Redis' }[name] ?? name;
    const before = pidOf(name);
    process.kill(before, 'SIGKILL');
    await vi.waitUntil(() => output.includes(`${title} is back`), patience);
    expect(output).toContain(`${title} ended (SIGKILL); starting it again`);
    expect(pidOf(name)).not.toBe(before);
    await vi.waitUntil(async () => (await readBooking().catch(() => null))?.status === 200, patience);
  });

  it('goes at once and wholly when it is killed itself, and keeps the booking', async () => {
    const pids = names.map(pidOf);
    start.kill('SIGKILL');
    await vi.waitUntil(() => !pids.some(alive), patience);
    begin();
    await running();
    expect(await (await readBooking()).json()).toMatchObject({ id: booking.id });
  });

  it('refuses to be started twice', async () => {
    const second = spawn(process.execPath, ['scripts/start.mjs'], {
      env: { ...process.env, EVENTLY_HOME: home },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const code = await new Promise((resolve) => second.once('close', resolve));
    expect([code, said]).toEqual([1, expect.stringContaining(`already runs from this folder (process ${start.pid}`)]);
    expect((await readBooking()).status).toBe(200);
  });

  it('stops by one Ctrl-C with exit code 0 and leaves no process and no lock', async () => {
    const pids = names.map(pidOf);
    start.kill('SIGINT');
    await vi.waitUntil(over, patience);
    expect(start.exitCode).toBe(0);
    expect(pids.filter(alive)).toEqual([]);
    expect(['start.pid', 'pids', 'data/postgres/data/postmaster.pid'].filter((file) => existsSync(join(home, file)))).toEqual([]);
  });
});

/** A zombie that nobody has collected yet is dead. */
function alive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
