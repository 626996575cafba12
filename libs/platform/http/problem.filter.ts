// The one place where anything thrown becomes an RFC 9457 problem document. Nothing of ours leaks: no stack, no SQL, no 500 for bad input.
import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { edgeErrors, Refusal } from '../../kernel/errors.js';
import { Log } from '../observe/log.js';
import { Meter, type Counter } from '../observe/meter.js';
import { RouteTable } from './route.table.js';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly refusals: Counter;

  constructor(
    private readonly log: Log,
    private readonly routes: RouteTable,
    meter: Meter,
  ) {
    this.refusals = refusalCounter(meter);
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    this.send(thrown, request, reply);
  }

  send(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.sent || reply.raw.headersSent) return;
    const refusal = this.refusalFor(thrown, request, reply);
    this.refusals.add(refusal.code);
    const wait = refusal.extra.retryAfter; // Whole seconds, told in the document and in the header alike.
    if (typeof wait === 'number') void reply.header('retry-after', String(wait));
    if (!reply.hasHeader('x-request-id')) void reply.header('x-request-id', request.id);
    if (refusal.kind === 'unavailable' && !reply.hasHeader('retry-after')) void reply.header('retry-after', '1');
    if (refusal.kind === 'unauthenticated') void reply.header('www-authenticate', 'Bearer');
    void reply
      .status(refusal.status)
      .type(PROBLEM_TYPE)
      .send(problemBody(refusal, String(request.id)));
  }

  private refusalFor(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Refusal {
    if (thrown instanceof Refusal) return thrown;
    const known = fromFramework(thrown) ?? fromPostgres(thrown);
    if (known?.code === 'not_found') {
      const allowed = this.routes.methodsFor(request.url);
      if (allowed.length > 0 && !allowed.includes(request.method)) {
        void reply.header('allow', allowed.join(', '));
        return edgeErrors.methodNotAllowed();
      }
    }
    if (known) {
      if (known.kind === 'unavailable') this.log.warn({ err: thrown }, 'A request was refused as unavailable');
      return known;
    }
    this.log.error({ err: thrown, method: request.method, route: request.routeOptions?.url }, 'A request failed unexpectedly');
    return edgeErrors.unavailable();
  }
}

export const refusalCounter = (meter: Meter): Counter =>
  meter.counter('evently_refusals_total', 'Requests refused, by problem code.', 'code');

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** A problem document's bytes: the same refusal and request id give the same bytes. */
export function problemBody(refusal: Refusal, requestId: string): string {
  const { code, status, message, extra } = refusal;
  return JSON.stringify({
    type: `https://evently.dev/problems/${code}`,
    title: code.replaceAll('_', ' '),
    status,
    code,
    detail: message,
    requestId,
    ...extra,
  });
}

function fromFramework(thrown: unknown): Refusal | undefined {
  const status = thrown instanceof HttpException ? thrown.getStatus() : (thrown as { statusCode?: number })?.statusCode;
  switch (status) {
    case 400:
      return edgeErrors.invalidRequest({ errors: [{ pointer: '', detail: shorten(thrown) }] });
    case 401:
      return edgeErrors.unauthenticated();
    case 403:
      return edgeErrors.forbidden();
    case 404:
      return edgeErrors.notFound();
    case 405:
      return edgeErrors.methodNotAllowed();
    case 408:
      return edgeErrors.invalidRequest({ errors: [{ pointer: '', detail: 'The request did not arrive in time.' }] });
    case 413:
      return edgeErrors.payloadTooLarge();
    case 414:
      return edgeErrors.notFound();
    case 415:
      return edgeErrors.unsupportedMediaType();
    default:
      return undefined;
  }
}

const shorten = (thrown: unknown) => (thrown instanceof Error ? thrown.message : 'Not readable.').slice(0, 200);

/** What Postgres says when it is away, busy, or was given what no column holds. */
function fromPostgres(thrown: unknown): Refusal | undefined {
  const e = thrown as { code?: string; message?: string; driverError?: { code?: string } };
  const code = e?.code ?? e?.driverError?.code ?? '';
  if (code === '55P03') return edgeErrors.busy();
  if (['22021', '22P05', '22P02', '22003', '22007', '22008'].includes(code)) {
    return edgeErrors.invalidRequest({ errors: [{ pointer: '', detail: 'A value is outside of what can be stored.' }] });
  }
  const away = [
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    '57P01',
    '57P02',
    '57P03',
    '53300',
    '57014',
    '40001',
    '40P01',
    '25P03',
    '53100',
  ];
  if (
    away.includes(code) ||
    /terminated unexpectedly|Connection terminated|is not queryable|timeout exceeded when trying to connect/.test(
      e?.message ?? '',
    )
  )
    return edgeErrors.unavailable();
  return undefined;
}
