// The log: pino, structured, with request and trace id of the ambient work; secrets and personal fields are never written.
import { Injectable, type LoggerService, type OnApplicationShutdown } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import { PlatformConfig } from '../config/platform.config.js';
import { ambient } from '../db/ambient.js';

const hidden = [
  'authorization',
  'cookie',
  'password',
  'accessToken',
  'refreshToken',
  'token',
  'key',
  'email',
  'phone',
  'name',
  'contact',
  'card',
  'accessCode',
];
/** The line of a request is on its way after so many milliseconds at most. */
const FLUSH_MS = 250;
const paths = hidden.flatMap((k) => [k, `*.${k}`, `*.*.${k}`, `headers["${k}"]`]);

@Injectable()
export class Log implements LoggerService, OnApplicationShutdown {
  readonly pino: Logger;
  /** For the line a request leaves: its fields are named where it is written, so nothing is looked for to hide. */
  readonly requests: Logger;
  /** Gathered into few writes, since a write a request is felt; pino writes what is left when the process exits. */
  private readonly lines = pino.destination({ dest: 1, sync: false, minLength: 8192 });
  private readonly flushing: NodeJS.Timeout;

  constructor(config: PlatformConfig) {
    this.requests = pino({ level: config.logLevel, base: undefined }, this.lines);
    this.flushing = setInterval(() => this.lines.flush(), FLUSH_MS).unref();
    this.pino = pino({
      level: config.logLevel,
      redact: { paths, censor: '[hidden]' },
      base: undefined,
      mixin: () => {
        const store = ambient();
        const requestId = store.get('requestId');
        const traceId = store.get('traceId');
        return { ...(requestId && { requestId }), ...(traceId && { traceId }) };
      },
    });
  }

  onApplicationShutdown(): void {
    clearInterval(this.flushing);
    this.lines.flush();
  }

  info(fields: object, message: string): void {
    this.pino.info(fields, message);
  }
  log(message: unknown, ...rest: unknown[]): void {
    this.pino.info({ context: rest.at(-1) }, String(message));
  }
  warn(fields: unknown, ...rest: unknown[]): void {
    this.write('warn', fields, rest);
  }
  error(fields: unknown, ...rest: unknown[]): void {
    this.write('error', fields, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  private write(level: 'warn' | 'error' | 'debug' | 'trace', first: unknown, rest: unknown[]): void {
    if (first && typeof first === 'object') this.pino[level](first, String(rest[0] ?? ''));
    else this.pino[level]({ detail: rest.filter((r) => typeof r === 'string') }, String(first));
  }
}
