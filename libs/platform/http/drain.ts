// Draining: on SIGTERM the process says "not ready", ends the requests at hand, closes its connections, and exits with 0.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { PlatformConfig } from '../config/platform.config.js';
import { Health } from '../observe/health.js';
import { Log } from '../observe/log.js';

/** Requests that take longer than this after the signal are cut. */
const CUT_AFTER_MS = 8000;
/** If even closing hangs, the process ends all the same, with 1. */
const GIVE_UP_MS = 12_000;

/** Stops the application on the first SIGTERM or SIGINT; later ones change nothing, the supervisor has SIGKILL. */
export function drainOnSignal(app: NestFastifyApplication, name: string): void {
  let stopping = false;
  const stop = async (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), GIVE_UP_MS).unref();
    app.get(Log).info({ signal }, `${name} is stopping`);
    try {
      await drain(app);
      app.get(Log).info({}, `${name} has stopped`);
      process.exit(0);
    } catch (e) {
      app.get(Log).error({ err: e }, `${name} stopped badly`);
      process.exit(1);
    }
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, (got) => void stop(got));
}

/** Resolves when every request is answered (or cut) and every connection of ours is closed. */
export async function drain(app: NestFastifyApplication, cutAfterMs = CUT_AFTER_MS): Promise<void> {
  app.get(Health).draining = true;
  await wait(app.get(PlatformConfig).drainMs);
  const server = app.getHttpServer() as Server;
  const sweep = setInterval(() => closeIdle(server), 20);
  const cut = setTimeout(() => server.closeAllConnections(), cutAfterMs);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

const open = new WeakMap<Server, Set<Socket>>();

/** Keeps in mind which connections are open; call before the server listens. */
export function rememberConnections(server: Server): void {
  const sockets = new Set<Socket>();
  open.set(server, sockets);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

/**
 * Closes connections with no request on them. Node itself does it once, when the door closes: what was busy then would be kept
 * until it has been idle for long, and what has never sent anything for longer still, since Node takes it for a request that begins.
 */
function closeIdle(server: Server): void {
  server.closeIdleConnections();
  for (const socket of open.get(server) ?? []) if (socket.bytesRead === 0) socket.destroy();
}
