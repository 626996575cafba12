// The log: pino, structured, with request and trace id of the ambient work; secrets and personal fields are never written.
import { Injectable, type LoggerService } from '@nestjs/common';
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
const paths = hidden.flatMap((k) => [k, `*.${k}`, `*.*.${k}`, `headers["${k}"]`]);

@Injectable()
export class Log implements LoggerService {
  readonly pino: Logger;
  /** For the line a request leaves: its fields are named where it is written, so nothing is looked for to hide. */
  readonly requests: Logger;

  constructor(config: PlatformConfig) {
    this.requests = pino({ level: config.logLevel, base: undefined });
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
