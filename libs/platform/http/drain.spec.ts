// Stopping: a real process says "not ready" first, answers the request at hand, and exits with 0; a request that hangs is cut.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Module } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Harness, until } from '../../../test/harness.js';
import { OwnProcess } from '../../../test/own.process.js';
import { PlatformModule } from '../platform.module.js';
import { drain } from './drain.js';

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

describe.each(['api', 'worker'] as const)('the %s on SIGTERM', (app) => {
  it('is not ready first, ends the request at hand, closes its connections and exits 0', async () => {
    const own = await OwnProcess.start(app, { DRAIN_MS: '1500' });
    try {
      const idle = connect(own.port, '127.0.0.1');
      idle.on('error', () => undefined);
      const idleClosed = once(idle, 'close');
      const { socket, reply } = await halfRequest(own.port);
      await until('the head to have arrived', async () => (await own.get('/metrics')) !== undefined);

      const began = performance.now();
      own.child.kill('SIGTERM');
      const told = await until('readyz to say no', async () => {
        const state = await own.get('/readyz');
        return state?.status === 503 && ((await state.json()) as { state: string; code: string });
      });
      expect(told).toMatchObject({ state: 'draining', code: 'unavailable' });
      expect((await own.get('/livez'))?.status).toBe(200);
      await until('the door to be closed', async () => (await own.get('/livez')) === undefined);
      expect(own.child.exitCode).toBeNull(); // It waits for the request that is under way.
      socket.write(' }');
      const text = await reply;
      expect(text).toMatch(/^HTTP\/1\.1 40[14] /);
      expect(text).toContain('"requestId"');
      await idleClosed;
      expect(await own.exited).toEqual([0, null]);
      expect(performance.now() - began).toBeLessThan(5000);
      expect(own.log).toContain('has stopped');
      expect(own.log).not.toContain('/readyz');
      expect(own.log).toContain('"msg":"request"');
    } finally {
      await own.end();
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
