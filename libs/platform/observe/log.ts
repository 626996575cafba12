// The log: pino, structured, with request and trace id of the ambient work; secrets and personal fields are never written.
import { Injectable, type LoggerService, type OnApplicationShutdown } from '@nestjs/common';
import { pino, type Logger } from 'pino';
import { machineMs } from '../../kernel/time.js';
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
  /** Of requests. Gathered into few writes, since a write a request is felt; pino writes what is left when the process exits. */
  private readonly lines = pino.destination({ dest: 1, sync: false, minLength: 8192 });
  private readonly flushing: NodeJS.Timeout;

  constructor(config: PlatformConfig) {
    this.flushing = setInterval(() => this.lines.flush(), FLUSH_MS).unref();
    this.pino = pino({
      level: config.logLevel,
      redact: { paths, censor: '[hidden]' },
      base: undefined,
      mixin: () => {
        const { requestId, traceId } = ambient();
        return { ...(requestId && { requestId }), ...(traceId && { traceId }) };
      },
    });
  }

  /**
   * The line a request leaves, in pino's shape. Its fields are named where it is written, so nothing is looked for to hide; and they hold nothing
   * to escape, so they are put together by hand: it is the one line that every request pays for.
   */
  request(level: 'info' | 'warn', fields: string): void {
    if (!this.pino.isLevelEnabled(level)) return;
    this.lines.write(`{"level":${pino.levels.values[level]},"time":${machineMs()},${fields},"msg":"request"}\n`);
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
