// The HTTP server both apps start: Fastify under Nest, request ids, strict JSON, problem documents, health, metrics, limits.
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import cors from '@fastify/cors';
import proxyAddress from '@fastify/proxy-addr';
import type { Type } from '@nestjs/common';
import { ModulesContainer, NestFactory, Reflector } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import helmet from 'helmet';
import { edgeErrors, invalid } from '../../kernel/errors.js';
import { checkEnvironment } from '../config/config.reader.js';
import { PlatformConfig } from '../config/platform.config.js';
import { withAmbient } from '../db/ambient.js';
import { Database } from '../db/database.js';
import { LimitHook } from '../limit/limit.hook.js';
import { Health } from '../observe/health.js';
import { Log } from '../observe/log.js';
import { Meter } from '../observe/meter.js';
import { RequestWatch } from '../observe/request.watch.js';
import { serveDocs } from './docs.routes.js';
import { rememberConnections } from './drain.js';
import { EtagInterceptor } from './etag.interceptor.js';
import { HotRoutes } from './hot.routes.js';
import { ChangeInterceptor } from './change.interceptor.js';
import { IdempotencyInterceptor } from './idempotency.js';
import { parseJson } from './json.js';
import { deadlineOf } from './prefer.js';
import { ProblemFilter } from './problem.filter.js';
import { ReadCache } from './read.cache.js';
import { RouteTable } from './route.table.js';
import { answerGarbage } from './socket.problem.js';
import { validationPipe } from './validation.pipe.js';

export { LARGE_BODY } from './route.decorators.js';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const EXPOSED = ['ETag', 'X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'Idempotent-Replayed', 'Location'];

export interface ServerOptions {
  /** Called with the Fastify instance before routes are added. */
  extend?: (fastify: FastifyInstance, app: NestFastifyApplication) => void | Promise<void>;
}

/** Makes the application of a module, ready to listen. Throws ConfigError with every problem of the environment. */
export async function makeServer(module: Type, options: ServerOptions = {}): Promise<NestFastifyApplication> {
  checkEnvironment(process.env);
  const late: { filter?: ProblemFilter } = {};
  const adapter = makeAdapter((error, request, reply) => late.filter?.send(error, request, reply));
  const fastify = adapter.getInstance() as unknown as FastifyInstance;
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    bodyParser: false,
    logger: ['error', 'warn', 'fatal'],
    abortOnError: false,
  });
  const config = app.get(PlatformConfig);
  const filter = app.get(ProblemFilter);
  late.filter = filter;
  app.useLogger(app.get(Log));
  app.get(RouteTable).watch(fastify);
  app.get(RequestWatch).watch(fastify);
  const health = app.get(Health);
  surround(fastify, health, app.get(RouteTable));
  app.get(LimitHook).watch(fastify);
  app.get(HotRoutes).watch(fastify);
  parseJson(fastify, config.bodyLimit);
  if (config.corsOrigins.length > 0) {
    await fastify.register(cors as never, { origin: config.corsOrigins, credentials: true, exposedHeaders: EXPOSED } as never);
  }
  measure(app);
  rememberConnections(app.getHttpServer());
  app
    .get(ReadCache)
    .stand(app.getHttpServer(), { open: () => !health.draining, idOf: requestIdOf, addressOf: addressReader(config) });
  health.serve(fastify);
  if (hasControllers(app)) serveDocs(fastify, app);
  await options.extend?.(fastify, app);
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(filter);
  app.useGlobalInterceptors(
    app.get(LimitHook),
    app.get(ChangeInterceptor),
    new EtagInterceptor(app.get(Reflector), app.get(ReadCache)),
    app.get(IdempotencyInterceptor),
  );
  return app;
}

/** `unroutable` answers what the router gives up on before any hook: an address that does not decode. */
function makeAdapter(unroutable: (error: Error, request: FastifyRequest, reply: FastifyReply) => void): FastifyAdapter {
  return new FastifyAdapter({
    trustProxy: trustFrom(process.env.TRUST_PROXY),
    genReqId: requestIdOf,
    forceCloseConnections: 'idle',
    return503OnClosing: false, // While draining, what still arrives on an open connection is served, and the connection closed.
    routerOptions: { maxParamLength: 256, ignoreTrailingSlash: false },
    requestTimeout: 30_000,
    http: { requireHostHeader: false }, // Node's own refusal would be no problem document: surround() refuses.
    clientErrorHandler: answerGarbage,
    frameworkErrors: unroutable,
    skipMiddie: true, // No middleware is used, so no request pays for looking for some.
  } as never);
}

/** The worker has none: it serves health and metrics only. */
const hasControllers = (app: NestFastifyApplication) =>
  [...app.get(ModulesContainer).values()].some((module) => module.controllers.size > 0);

/** The caller's own X-Request-Id where it is harmless, else a new one. */
function requestIdOf(request: { headers: IncomingHttpHeaders }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Whose a request is, as Fastify's `request.ip` says it. */
function addressReader({ trustProxy }: PlatformConfig): (request: IncomingMessage) => string {
  if (trustProxy.length === 0) return (request) => request.socket.remoteAddress ?? '';
  const trusted = proxyAddress.compile(trustProxy);
  return (request) => proxyAddress(request, trusted);
}

function trustFrom(list: string | undefined): boolean | string[] {
  const proxies = (list ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean);
  return proxies.length > 0 ? proxies : false;
}

/**
 * Helmet's headers, which are the same on every reply: asked for once. Those that only a document in a browser heeds are left out:
 * each costs every reply its bytes, and a microsecond to check them.
 */
function safetyHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  helmet({
    contentSecurityPolicy: false,
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as never, response as never, (e) => {
    if (e) throw e;
  });
  return headers;
}

/** Opens the ambient store around every request, answers with its id, and says what methods an address takes when asked. */
function surround(fastify: FastifyInstance, health: Health, routes: RouteTable): void {
  fastify.decorateRequest('traceId', undefined);
  const safety = safetyHeaders();
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(safety).header('x-request-id', request.id);
    if (health.draining) void reply.header('connection', 'close');
    const trace = request.headers.traceparent;
    if (trace !== undefined) request.traceId = TRACEPARENT.exec(String(trace))?.[1];
    withAmbient({ requestId: request.id, traceId: request.traceId, deadline: deadlineOf(request.headers) }, () => {
      if (request.headers.host === undefined && request.raw.httpVersion === '1.1')
        return done(invalid([{ pointer: '/headers/host', detail: 'HTTP/1.1 needs a Host header.' }]));
      if (request.is404 && request.method === 'OPTIONS') {
        const allowed = routes.methodsFor(request.url);
        if (allowed.length === 0) return done(edgeErrors.notFound());
        return void reply
          .status(204)
          .header('allow', [...allowed, 'OPTIONS'].join(', '))
          .send();
      }
      if (request.is404 && request.method === 'QUERY') {
        // Fastify asks a QUERY for its Content-Type before it looks whether the address takes one.
        const allowed = routes.methodsFor(request.url);
        if (allowed.length > 0) void reply.header('allow', allowed.join(', '));
        return done(allowed.length > 0 ? edgeErrors.methodNotAllowed() : edgeErrors.notFound());
      }
      return done();
    });
  });
}

function measure(app: NestFastifyApplication): void {
  const meter = app.get(Meter);
  meter.watchProcess();
  meter.gauge('evently_database_connections', 'Connections of the pool, by what they do.', () => {
    const { total, idle, waiting } = app.get(Database).poolState();
    return [
      { labels: { state: 'busy' }, value: total - idle },
      { labels: { state: 'idle' }, value: idle },
      { labels: { state: 'asked_for' }, value: waiting },
    ];
  });
  meter.gauge(
    'evently_http_connections',
    'Open connections of clients.',
    () =>
      new Promise<number>((resolve, reject) =>
        app.getHttpServer().getConnections((error: Error | null, n: number) => (error ? reject(error) : resolve(n))),
      ),
  );
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes as they came, for signatures. */
    rawBody?: Buffer;
    /** W3C trace id the caller sent in traceparent. */
    traceId?: string;
  }
}
