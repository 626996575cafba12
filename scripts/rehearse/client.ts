// Client: one HTTP exchange over kept-alive connections; a connection that breaks is recorded as an outcome, never thrown.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

export type Operation = 'setup' | 'book' | 'confirm' | 'cancel' | 'read' | 'seats' | 'inventory' | 'list' | 'report';

export interface Call {
  op: Operation;
  method: 'GET' | 'POST';
  path: string;
  token?: string;
  key?: string;
  body?: string;
  /** Break the connection this many milliseconds after sending, as a phone in a tunnel does. */
  severAfterMs?: number;
}

/** What was asked and what came back. Times are milliseconds since 1970 on this machine's clock. */
export interface Exchange {
  op: Operation;
  method: string;
  path: string;
  key?: string;
  requestId: string;
  sentAt: number;
  endedAt: number;
  /** 0 where no whole reply came: the request may or may not have taken effect. */
  status: number;
  /** The problem's `code`, else the status, else the connection error. */
  code: string;
  body: Buffer;
  retryAfterMs?: number;
  serverDate?: number;
}

/** A reply that takes longer counts as lost; the next attempt uses the same key. */
const replyTimeoutMs = 30_000;

export const now = (): number => performance.timeOrigin + performance.now();
export const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, Math.max(0, ms)));

export class Client {
  private readonly agent: http.Agent;
  private readonly transport: typeof http | typeof https;
  inFlight = 0;

  constructor(
    readonly base: URL,
    connections: number,
    private readonly heard: (exchange: Exchange) => void = () => {},
  ) {
    this.transport = base.protocol === 'https:' ? https : http;
    this.agent = new this.transport.Agent({ keepAlive: true, maxSockets: connections, scheduling: 'lifo' });
  }

  async send(call: Call): Promise<Exchange> {
    const requestId = randomUUID();
    this.inFlight++;
    const exchange = await this.exchange(call, requestId);
    this.inFlight--;
    this.heard(exchange);
    return exchange;
  }

  close(): void {
    this.agent.destroy();
  }

  private exchange(call: Call, requestId: string): Promise<Exchange> {
    const { op, method, path, key } = call;
    const sentAt = now();
    return new Promise((resolve) => {
      const finish = (rest: Pick<Exchange, 'status' | 'code' | 'body'> & Partial<Exchange>) =>
        resolve({ op, method, path, key, requestId, sentAt, endedAt: now(), ...rest });
      const lost = (error: Error & { code?: string }) =>
        finish({ status: 0, code: error.code ?? error.message, body: Buffer.alloc(0) });
      const request = this.transport.request(
        new URL(path, this.base),
        { method, agent: this.agent, timeout: replyTimeoutMs, headers: headersOf(call, requestId) },
        (reply) => {
          const chunks: Buffer[] = [];
          reply.on('data', (chunk: Buffer) => chunks.push(chunk));
          reply.on('error', lost);
          // A reply cut short has effects we cannot know: it must not count as an acknowledgement.
          reply.on('close', () => {
            if (!reply.complete) lost(Object.assign(new Error('reply cut short'), { code: 'CUT_SHORT' }));
          });
          reply.on('end', () => {
            if (!reply.complete) return;
            const body = Buffer.concat(chunks);
            const status = reply.statusCode ?? 0;
            finish({ status, code: codeOf(status, body), body, ...hintsOf(reply.headers) });
          });
        },
      );
      request.on('error', lost);
      request.on('timeout', () => request.destroy(Object.assign(new Error('no reply in time'), { code: 'NO_REPLY_IN_TIME' })));
      request.end(call.body);
      if (call.severAfterMs !== undefined) {
        setTimeout(() => request.destroy(Object.assign(new Error('severed'), { code: 'SEVERED_BY_BUYER' })), call.severAfterMs);
      }
    });
  }
}

function headersOf(call: Call, requestId: string): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = { accept: 'application/json', 'x-request-id': requestId };
  if (call.token) headers.authorization = `Bearer ${call.token}`;
  if (call.key) headers['idempotency-key'] = call.key;
  if (call.body !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = Buffer.byteLength(call.body);
  }
  return headers;
}

function hintsOf(headers: http.IncomingHttpHeaders): Pick<Exchange, 'retryAfterMs' | 'serverDate'> {
  const after = headers['retry-after'];
  const seconds = after === undefined ? Number.NaN : Number(after);
  const until = after === undefined ? Number.NaN : Date.parse(after) - Date.now();
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : Number.isFinite(until) ? Math.max(0, until) : undefined;
  const date = Date.parse(headers.date ?? '');
  return { retryAfterMs, serverDate: Number.isNaN(date) ? undefined : date };
}

function codeOf(status: number, body: Buffer): string {
  if (status < 400) return String(status);
  const problem = jsonOf<{ code?: unknown }>(body);
  return typeof problem?.code === 'string' ? problem.code : String(status);
}

/** The body as JSON, or undefined where it is none. */
export function jsonOf<T>(body: Buffer): T | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as T;
  } catch {
    return undefined;
  }
}

/** How much of a body is told: enough for the id, the state and the code. */
const bodyTold = 240;

/** One line that lets an operator find the request: what, with which key, when after `from`, the answer, no secrets. */
export function describe(exchange: Exchange, from: number): string {
  const { method, path, key, status, code, requestId, sentAt, endedAt } = exchange;
  const answer = status === 0 ? `no reply (${code})` : `${status}${code === String(status) ? '' : ` ${code}`}`;
  const text = exchange.body
    .subarray(0, 4000)
    .toString('utf8')
    .replace(/"(accessToken|refreshToken|key|code)":"[^"]{24,}"/g, '"$1":"..."');
  const seconds = ((sentAt - from) / 1000).toFixed(3);
  return (
    `+${seconds} s  ${method} ${path}${key ? `  Idempotency-Key ${key}` : ''}  ->  ${answer} in ${Math.round(endedAt - sentAt)} ms` +
    `  (X-Request-Id ${requestId})${text ? `  ${text.length > bodyTold ? `${text.slice(0, bodyTold)}...` : text}` : ''}`
  );
}
