// Port: a free one, remembered, so that a server comes back where it was.
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Resolves to the port in use, 0 meaning any, or null when it is taken. */
export function tryPort(port, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
    server.listen({ port, host, exclusive: true }, () => {
      const { port: got } = server.address();
      server.close(() => resolve(got));
    });
  });
}

/**
 * Below the ports that systems hand out to clients (from 32768 on Linux, 49152 elsewhere). While a server is away, those who try to
 * reach it would else be given its own port now and then, be connected to themselves, and keep it from coming back.
 */
const FIRST = 15_000;
const LAST = 32_000;

/** A free port that no client will be given. */
export async function freePort() {
  for (;;) {
    const port = await tryPort(randomInt(FIRST, LAST));
    if (port) return port;
  }
}

/** The port that `file` remembers if it is free, else a free one, which `file` then remembers. */
export async function choosePort(file) {
  const remembered = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const port = (remembered >= FIRST && remembered < LAST && (await tryPort(remembered))) || (await freePort());
  writeFileSync(file, `${port}\n`);
  return port;
}

/** Who listens on `port`, as `command (process 123)`; null when it cannot be told (another user's, or not Linux). */
export function holderOf(port) {
  try {
    const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1));
    const listening = lines.map((line) => line.trim().split(/\s+/)).filter((words) => words[3] === '0A');
    const inodes = listening
      .filter((words) => parseInt(words[1].split(':').at(-1), 16) === port)
      .map((words) => `socket:[${words[9]}]`);
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && holds(name, inodes));
    if (!pid) return null;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
    return `${command.slice(0, 100)} (process ${pid})`;
  } catch {
    return null;
  }
}

function holds(pid, inodes) {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.includes(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false; // It ended meanwhile, or is not ours to look into.
  }
}
