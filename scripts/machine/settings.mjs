// Settings: the ports and addresses of one start, read from the environment, and whether they are free.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Advice, root } from './place.mjs';
import { holderOf, tryPort } from './port.mjs';

/** Takes the variables of a file `.env`, as `.env.example` shows them; what the environment already says stays. */
export function readEnvFile() {
  const file = join(root, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/** @returns { host, ports (of the api processes), workerPort, publicUrl }; throws Advice on what is no port */
export function readSettings(env) {
  const host = env.HOST || '127.0.0.1';
  const ports = env.API_PORTS
    ? env.API_PORTS.split(',').map((text) => portOf('API_PORTS', text.trim()))
    : [portOf('PORT', env.PORT || '3000')];
  const workerPort = portOf('WORKER_PORT', env.WORKER_PORT || '3001');
  const all = [...ports, workerPort];
  const twice = all.find((port, index) => all.indexOf(port) !== index);
  if (twice) throw new Advice(`Port ${twice} is asked for twice: PORT, API_PORTS and WORKER_PORT must differ.`);
  return { host, ports, workerPort, publicUrl: env.PUBLIC_URL || urlToCall(host, ports[0]) };
}

/** The URL to call where `host` is listened on; 0.0.0.0 and :: say "on all of this machine". Without a host: this machine. */
export function urlToCall(host, port) {
  const reach = !host || host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return `http://${reach.includes(':') ? `[${reach}]` : reach}:${port}`;
}

function portOf(name, text) {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port > 0 && port < 65536) return port;
  throw new Advice(`${name} must be a number from 1 to 65535, not ${JSON.stringify(text)}.`);
}

/** Throws Advice when one of them cannot be listened on. */
export async function checkPorts({ host, ports, workerPort }) {
  for (const port of [...ports, workerPort]) {
    const free = await tryPort(port, host).catch((error) => {
      const advice =
        error.code === 'EACCES' ? 'ports below 1024 need root: choose a higher one' : 'set HOST to an address of this machine';
      throw new Advice(`Cannot listen on ${host}:${port} (${error.code}): ${advice}.`);
    });
    if (free !== null) continue;
    const holder = holderOf(port);
    throw new Advice(
      `Port ${port} is taken${holder ? ` by ${holder}` : ''}. Stop that, or choose others:\n  PORT=${port + 10} WORKER_PORT=${port + 11} npm start`,
    );
  }
}
