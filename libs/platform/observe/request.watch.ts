// Watching requests: rate, errors and duration of each route for Prometheus, and one log line a request.
import { Injectable } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Log } from './log.js';
import { Meter, type Sample } from './meter.js';

/** Upper bounds of the duration buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const NAME = 'evently_http_request_duration_seconds';

/** Durations of one method, route and status. Plain numbers: a request costs a loop over at most 13 of them. */
class Durations {
  readonly buckets = new Float64Array(BUCKETS.length + 1);
  count = 0;
  sum = 0;

  observe(seconds: number): void {
    let i = 0;
    while (i < BUCKETS.length && seconds > BUCKETS[i]) i++;
    this.buckets[i] += 1;
    this.count += 1;
    this.sum += seconds;
  }

  samples(labels: Record<string, string | number>): Sample[] {
    let below = 0;
    const out: Sample[] = BUCKETS.map((le, i) => ({
      metricName: `${NAME}_bucket`,
      labels: { ...labels, le },
      value: (below += this.buckets[i]),
    }));
    out.push({ metricName: `${NAME}_bucket`, labels: { ...labels, le: '+Inf' }, value: this.count });
    out.push({ metricName: `${NAME}_sum`, labels, value: this.sum });
    out.push({ metricName: `${NAME}_count`, labels, value: this.count });
    return out;
  }
}

/** What happened at one route: durations by status. */
class RouteRecord {
  readonly byStatus = new Map<number, Durations>();

  constructor(
    readonly method: string,
    readonly url: string,
  ) {}

  observe(status: number, ms: number): void {
    let durations = this.byStatus.get(status);
    if (!durations) this.byStatus.set(status, (durations = new Durations()));
    durations.observe(ms / 1000);
  }
}

/** Routes that carry this in their config are neither counted nor logged: health and metrics. */
export const UNWATCHED = { unwatched: true };

type Hook = ((request: FastifyRequest, reply: FastifyReply, done: () => void) => void) & { watches?: true };

@Injectable()
export class RequestWatch {
  private readonly records: RouteRecord[] = [];

  constructor(
    private readonly log: Log,
    meter: Meter,
  ) {
    const help = 'How long requests took, by method, route pattern and status.';
    meter.histogram(NAME, help, () =>
      this.records.flatMap((r) =>
        [...r.byStatus].flatMap(([status, d]) => d.samples({ method: r.method, route: r.url, status })),
      ),
    );
  }

  /** Gives each route a hook of its own that knows the route's record, so that no request looks one up. Call before routes are added. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', (options) => {
      if ((options.config as Partial<typeof UNWATCHED> | undefined)?.unwatched) return;
      const others = [options.onResponse ?? []].flat().filter((hook) => !(hook as Hook).watches);
      const method = Array.isArray(options.method) ? options.method.join(',') : options.method;
      options.onResponse = [...others, this.hookFor(method, options.url)] as never;
    });
    const unknown = this.hookFor('ANY', 'none');
    fastify.addHook('onResponse', (request, reply, done) => {
      if (request.is404) unknown(request, reply, done);
      else done();
    });
  }

  /** Counts replies of a route that no hook sees; they leave no line in the log. */
  observer(method: string, url: string): (status: number, ms: number) => void {
    const record = this.recordOf(method, url);
    return (status, ms) => record.observe(status, ms);
  }

  private recordOf(method: string, url: string): RouteRecord {
    let record = this.records.find((r) => r.method === method && r.url === url);
    if (!record) this.records.push((record = new RouteRecord(method, url)));
    return record;
  }

  private hookFor(method: string, url: string): Hook {
    const record = this.recordOf(method, url);
    const route = JSON.stringify(url);
    const hook: Hook = (request, reply, done) => {
      const status = reply.statusCode;
      const ms = reply.elapsedTime;
      record.observe(status, ms);
      // The request's own ids, since the ambient ones may be gone when the reply has left. Never the address asked for: it may hold a secret.
      const trace = request.traceId === undefined ? '' : `,"traceId":"${request.traceId}"`;
      const told = `"method":"${request.method}","route":${route},"status":${status},"ms":${Math.round(ms * 100) / 100}`;
      this.log.request(status >= 500 ? 'warn' : 'info', `${told},"requestId":"${request.id}"${trace}`);
      done();
    };
    hook.watches = true;
    return hook;
  }
}
