// The limit of connections: whoever crowds the door, those inside are served, and the log says what to do.
import { once } from 'node:events';
import { request, Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { OwnProcess } from '../../../test/own.process.js';

const INSIDE = 30;

it.runIf(process.platform === 'linux')('leaves the files by which Postgres and Redis are reached', async () => {
  const own = await OwnProcess.start('api', { DATABASE_POOL: '20' }, 600);
  const agent = new Agent({ keepAlive: true, maxSockets: INSIDE, maxFreeSockets: INSIDE });
  const status = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ agent, port: own.port, host: '127.0.0.1', path }, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode!));
      });
      asked.on('error', reject).end();
    });
  /** Each asks Postgres for something else. */
  const all = (round: number) => Promise.all(Array.from({ length: INSIDE }, (_, i) => status(`/v1/events?q=${round}x${i}`)));
  const crowd: Socket[] = [];
  try {
    await all(0);
    for (let i = 0; i < 700; i++) {
      const socket = connect(own.port, '127.0.0.1')
        .on('error', () => undefined)
        .resume();
      crowd.push(socket);
      await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
    }
    await until('some of the crowd to be turned away', async () => crowd.some((socket) => socket.closed));
    expect(crowd.some((socket) => !socket.closed)).toBe(true);
    expect(new Set(await all(1))).toEqual(new Set([200]));
    expect(await status('/readyz')).toBe(200);
    expect(own.log).toContain('raise the limit of open files');
  } finally {
    for (const socket of crowd) socket.destroy();
    agent.destroy();
    await own.end();
  }
});
