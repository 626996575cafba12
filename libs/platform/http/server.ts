// The HTTP server both apps start: Fastify under Nest, request ids, strict JSON, problem documents, drain on SIGTERM.
import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { Type } from '@nestjs/common';
import { NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { edgeErrors, invalid } from '../../kernel/errors.js';
import { checkEnvironment } from '../config/config.reader.js';
import { PlatformConfig } from '../config/platform.config.js';
import { ambient } from '../db/ambient.js';
import { Log } from '../observe/log.js';
import { EtagInterceptor } from './etag.interceptor.js';
import { IdempotencyInterceptor } from './idempotency.js';
import { ProblemFilter } from './problem.filter.js';
import { RouteTable } from './route.table.js';
import { validationPipe } from './validation.pipe.js';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export { LARGE_BODY } from './route.decorators.js';

export interface ServerOptions {
  /** Called with the Fastify instance before routes are added. */
  extend?: (fastify: FastifyInstance, app: NestFastifyApplication) => void | Promise<void>;
}

/** Makes the application of a module, ready to listen. Throws ConfigError with every problem of the environment. */
export async function makeServer(module: Type, options: ServerOptions = {}): Promise<NestFastifyApplication> {
  checkEnvironment(process.env);
  const adapter = new FastifyAdapter({
    trustProxy: trustFrom(process.env.TRUST_PROXY),
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    requestTimeout: 30_000,
    return503OnClosing: true,
  } as never);
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: ['error', 'warn', 'fatal'],
    abortOnError: false,
  });
  const log = app.get(Log);
  const config = app.get(PlatformConfig);
  app.useLogger(log);
  app.get(RouteTable).watch(fastify);
  surround(fastify);
  parseJson(fastify, config.bodyLimit);
  await fastify.register(helmet as never, { contentSecurityPolicy: false } as never);
  if (config.corsOrigins.length > 0) {
    const exposedHeaders = [
      'ETag',
      'X-Request-Id',
      'Retry-After',
      'RateLimit',
      'RateLimit-Policy',
      'Idempotent-Replayed',
      'Location',
    ];
    await fastify.register(cors as never, { origin: config.corsOrigins, credentials: true, exposedHeaders } as never);
  }
  await options.extend?.(fastify, app);
  const reflector = app.get(Reflector);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(app.get(ProblemFilter));
  app.useGlobalInterceptors(new EtagInterceptor(reflector), app.get(IdempotencyInterceptor));
  app.enableShutdownHooks();
  return app;
}

/** The caller's own X-Request-Id where it is harmless, else a new one. */
function requestIdOf(request: { headers: Record<string, unknown> }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

function trustFrom(list: string | undefined): boolean | string[] {
  const proxies = (list ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean);
  return proxies.length > 0 ? proxies : false;
}

/** Opens the ambient store around every request, and answers with its id. */
function surround(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    const store = ambient();
    store.run({ ifNested: 'override' }, () => {
      store.set('requestId', String(request.id));
      const trace = TRACEPARENT.exec(String(request.headers.traceparent ?? ''))?.[1];
      if (trace) store.set('traceId', trace);
      done();
    });
  });
}

/** JSON only, whole and valid UTF-8; an empty body is no body. */
function parseJson(fastify: FastifyInstance, bodyLimit: number): void {
  const parse = fastify.getDefaultJsonParser('error', 'error');
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/(?:[\w.+-]+\+)?json(?:;|$)/,
    { parseAs: 'buffer', bodyLimit },
    (request: FastifyRequest, body: Buffer, done) => {
      if (body.length === 0) return done(null, undefined);
      if (!isUtf8(body)) return done(invalid([{ pointer: '', detail: 'The body is not valid UTF-8.' }]));
      request.rawBody = body;
      return parse(request, body.toString('utf8'), (error, value) => {
        if (error) done(invalid([{ pointer: '', detail: `The body is not valid JSON: ${error.message}`.slice(0, 200) }]));
        else done(null, value);
      });
    },
  );
  fastify.addContentTypeParser('*', (request: FastifyRequest, payload, done) => {
    if (request.headers['content-length'] === '0') return done(null, undefined);
    payload.resume();
    return done(edgeErrors.unsupportedMediaType());
  });
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes as they came, for signatures. */
    rawBody?: Buffer;
  }
}
