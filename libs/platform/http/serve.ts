// Serving: listens, or says in one sentence why not; stops on a signal.
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ConfigError } from '../config/config.reader.js';
import { PlatformConfig } from '../config/platform.config.js';
import { Log } from '../observe/log.js';
import { limitConnections } from './connection.limit.js';
import { drainOnSignal } from './drain.js';

/**
 * Connections that may wait to be accepted, as far as the kernel allows (net.core.somaxconn). An on-sale opens thousands at once; who
 * finds no room is not told, and tries again after one, three, seven seconds.
 */
export const BACKLOG = 8192;

/** Makes an application and listens on its port; exits 1 with what to do when that cannot be. */
export async function serve(
  name: string,
  make: () => Promise<NestFastifyApplication>,
  portOf: (app: NestFastifyApplication) => number,
): Promise<void> {
  try {
    const app = await make();
    drainOnSignal(app, name);
    const port = portOf(app);
    const { host, databasePool } = app.get(PlatformConfig);
    limitConnections(app.getHttpServer(), app.get(Log), databasePool);
    await app.listen({ port, host, backlog: BACKLOG });
    app.get(Log).info({ port }, `${name} is ready`);
  } catch (e) {
    console.error(whyNot(name, e));
    process.exit(1);
  }
}

function whyNot(name: string, e: unknown): string {
  if (e instanceof ConfigError) return e.message;
  const { code, port, message, stack } = e as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE')
    return `The ${name} cannot listen: port ${port} is taken. Stop what uses it, or set ${name === 'worker' ? 'WORKER_PORT' : 'PORT'} to another.`;
  if (code === 'ECONNREFUSED') return `The ${name} cannot reach Postgres: ${message}. Is DATABASE_URL right, and is it running?`;
  return `The ${name} cannot start: ${stack ?? message}`;
}
