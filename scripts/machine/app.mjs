// App: the api and the worker as children: their command lines, their environment, and when they serve.
import { join } from 'node:path';
import { get } from 'node:http';
import { Child } from './child.mjs';
import { root } from './place.mjs';

/** @param options name, entry (below dist), port, url (where it is called), env, log, pidFile */
export function makeApp({ name, entry, port, url, env, log, pidFile }) {
  let served = false;
  return new Child({
    name,
    app: true,
    port,
    command: process.execPath,
    args: ['--enable-source-maps', '--max-semi-space-size=64', join(root, 'dist', entry)],
    cwd: root,
    env,
    log,
    pidFile,
    readyMs: 180_000, // A busy small machine takes its time.
    // At first all must be well; started again it only has to live: Redis may be away, and bookings go on.
    ready: async () => {
      const ok = await answers(`${url}${served ? '/livez' : '/readyz'}`);
      served ||= ok;
      return ok;
    },
  });
}

function answers(url) {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 5000, agent: false }, (reply) => {
      reply.resume();
      resolve(reply.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}
