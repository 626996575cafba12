// Stopping: a real process says "not ready" first, answers the request at hand, and exits with 0; a request that hangs is cut.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Module } from '@nestjs/common';
import { beforeAll, describe, expect, it } from 'vitest';
import { Harness, testSecrets, until } from '../../../test/harness.js';
import { cloneTemplate, dropDatabase } from '../../../test/template.js';
import { PlatformModule } from '../platform.module.js';
import { drain } from './drain.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A request whose body is still on its way: its head is sent, and half of its body. */
async function halfRequest(port: number): Promise<{ socket: Socket; reply: Promise<string> }> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => (text += String(chunk)));
  const reply = new Promise<string>((resolve) => socket.on('error', () => undefined).on('close', () => resolve(text)));
  await once(socket, 'connect');
  socket.write('POST /v1/nothing HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n{ ');
  return { socket, reply };
}

describe.each(['api', 'worker'])('the %s on SIGTERM', (app) => {
  beforeAll(() => void execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root }));

  it('is not ready first, ends the request at hand, closes its connections and exits 0', async () => {
    const name = `evently_test_drain_${app}_${randomBytes(4).toString('hex')}`;
    const admin = process.env.TEST_DATABASE_URL!;
    const secrets = testSecrets();
    const port = await freePort();
    const env = {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      DATABASE_URL: await cloneTemplate(admin, name),
      REDIS_URL: process.env.TEST_REDIS_URL,
      REDIS_PREFIX: `${name}:`,
      SECRETS_DIR: secrets,
      PORT: String(port),
      WORKER_PORT: String(port),
      DRAIN_MS: '1500',
    };
    const child = spawn(process.execPath, [`dist/apps/${app}/main.js`], { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += String(chunk)));
    const exited = once(child, 'exit');
    const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    try {
      const ready = await until(`${app} to be ready: ${log}`, async () => (await get('/readyz'))?.status === 200, 30_000).catch(
        (e) => {
          throw new Error(`${String(e)}\n${log}`);
        },
      );
      expect(ready).toBe(true);
      const idle = connect(port, '127.0.0.1');
      idle.on('error', () => undefined);
      const idleClosed = once(idle, 'close');
      const { socket, reply } = await halfRequest(port);
      await until('the head to have arrived', async () => (await get('/metrics')) !== undefined);

      const began = performance.now();
      child.kill('SIGTERM');
      const told = await until('readyz to say no', async () => {
        const state = await get('/readyz');
        return state?.status === 503 && ((await state.json()) as { state: string; code: string });
      });
      expect(told).toMatchObject({ state: 'draining', code: 'unavailable' });
      expect((await get('/livez'))?.status).toBe(200);
      await until('the door to be closed', async () => (await get('/livez')) === undefined);
      expect(child.exitCode).toBeNull(); // It waits for the request that is under way.
      socket.write(' }');
      const text = await reply;
      expect(text).toMatch(/^HTTP\/1\.1 40[14] /);
      expect(text).toContain('"requestId"');
      await idleClosed;
      expect(await exited).toEqual([0, null]);
      expect(performance.now() - began).toBeLessThan(5000);
      expect(log).toContain('has stopped');
      expect(log).not.toContain('/readyz');
      expect(log).toContain('"msg":"request"');
    } finally {
      child.kill('SIGKILL');
      await dropDatabase(admin, name);
      rmSync(secrets, { recursive: true, force: true });
    }
  });
});

@Module({ imports: [PlatformModule] })
class EmptyModule {}

describe('a request that hangs while the process stops', () => {
  it('is cut after a while', async () => {
    const evently = await Harness.start(EmptyModule);
    const { reply } = await halfRequest(Number(new URL(evently.url).port));
    const before = performance.now();
    await drain(evently.api, 300);
    expect(performance.now() - before).toBeGreaterThan(290);
    expect(await reply).toBe('');
    await evently.stop();
  });
});
