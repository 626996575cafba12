// The limit of connections: a crowd must not take the files by which the process reaches Postgres and Redis, or nobody inside can be served either.
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { elapsedMs } from '../../kernel/time.js';
import type { Log } from '../observe/log.js';

/** Files of the process itself, beside connections of clients and those to Postgres. */
const OWN_FILES = 64;
const SAY_EVERY_MS = 60_000;

/** Closes connections at once for which the system would have no file left beside those to Postgres (`pool`), and says so in the log. */
export function limitConnections(server: Server, log: Log, pool: number): void {
  const files = openFiles();
  if (files === null) return;
  const most = Math.max(1, files - pool - OWN_FILES);
  server.maxConnections = most;
  let said = -Infinity;
  server.on('drop', () => {
    if (elapsedMs() - said < SAY_EVERY_MS) return;
    said = elapsedMs();
    log.warn(
      { most, files },
      'Connections are closed unread: raise the limit of open files (ulimit -n, LimitNOFILE), or start another api.',
    );
  });
}

/** How many files the process may have open; null where the system does not say (only Linux does) or there is no limit. */
function openFiles(): number | null {
  try {
    const files = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return files === undefined ? null : Number(files);
  } catch {
    return null;
  }
}
