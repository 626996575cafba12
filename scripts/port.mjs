// Port: a free one, remembered, so that a server comes back where it was.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
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

/** The port that `file` remembers if it is free, else a free one, which `file` then remembers. */
export async function choosePort(file) {
  const remembered = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  const port = (remembered && (await tryPort(remembered))) || (await tryPort(0));
  writeFileSync(file, `${port}\n`);
  return port;
}
