// Infra, as TypeScript sees it: what tests and benchmarks may use of the servers' scripts.
import type { ChildProcess } from 'node:child_process';

/** One server of our own. `kill()` is SIGKILL; `start()` brings it back on the same port with the same data. */
export interface Server {
  readonly url: string;
  readonly port: number;
  readonly pid: number | undefined;
  readonly running: boolean;
  readonly process: ChildProcess | null;
  readonly exited: Promise<unknown>;
  start(): Promise<Server>;
  stop(graceMs?: number): Promise<void>;
  kill(): Promise<void>;
}

export interface InfraOptions {
  /** Existing folder for the data; when root it must be passable for nobody (mode 0711). */
  folder: string;
  logs?: string;
  databaseUrl?: string;
  redisUrl?: string;
  /** Of our own Postgres; absent: none is asked (tests). */
  password?: string;
  tests?: boolean;
  /** Segments of our own Postgres' log that must lie ready (ON_SALE_LOG); absent: none is made before it is needed. */
  logAhead?: number;
  say?: (line: string) => void;
}

export interface Infra {
  databaseUrl: string;
  redisUrl: string;
  /** null where the server was given by URL. */
  postgres: Server | null;
  redis: Server | null;
  stop(): Promise<void>;
}

export const ON_SALE_LOG: number;
export function startInfra(options: InfraOptions): Promise<Infra>;
/** Makes the database `name` of that server if it is not there; resolves to its url. */
export function makeDatabase(url: string, name: string): Promise<string>;
export function hidden(url: string): string;
