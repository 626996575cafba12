// The read cache: public reads as ready-made bytes with their ETag, answered before routing's work begins. One load at a time for each address.
//
// Nothing is served that is older than two seconds, nothing that a domain event of the same event has overtaken, and nothing to an
// address that wrote within those two seconds: who writes reads his own writes. Loading passes the controller like any request.
import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { elapsedMs } from '../../kernel/time.js';
import { EventPoke } from '../eventstore/event.poke.js';
import { LimitHook, type LimitPlan } from '../limit/limit.hook.js';
import { Meter, type Counter } from '../observe/meter.js';
import { RequestWatch } from '../observe/request.watch.js';
import { seenBefore } from './etag.rules.js';
import { Rounds } from './rounds.js';
import { SharedReads, type Loaded } from './shared.reads.js';

const FRESH_MS = 1000;
/** After FRESH_MS one request loads anew, and the others are served what is there; after this nobody is. */
const STALE_MS = 2000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Smaller ones fit into one packet anyway. */
const WORTH_PACKING = 1400;
/** Of one request, not of what was read. */
const isOwn = (header: string) => /^(x-request-id|ratelimit|ratelimit-policy|connection|access-control-.*)$/.test(header);

interface Body {
  bytes: Buffer;
  etag: string;
  /** Names and values in turn. */
  headers: string[];
}

/** What was read, and when its reading began. */
type Dated = Loaded & { began: number };

interface Route {
  plan: LimitPlan;
  /** Counts a reply among those of its route. */
  watched: (status: number, ms: number) => void;
}

interface Entry {
  plain: Body;
  packed?: Body;
  route: Route;
  freshUntil: number;
  staleUntil: number;
  refreshing: boolean;
}

/** What the cache is told of requests by the server it stands before. */
export interface Door {
  /** False while draining: then connections are closed with their replies, which only the long way does. */
  open: () => boolean;
  idOf: (request: IncomingMessage) => string;
  addressOf: (request: IncomingMessage) => string;
}

const pack = promisify(gzip);

@Injectable()
export class ReadCache implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly entries = new LRUCache<string, Entry>({
    max: 20_000,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ plain, packed }) => plain.bytes.length + (packed?.bytes.length ?? 0) + 1000,
  });
  private readonly loading = new Map<string, Promise<Dated>>();
  private readonly routes = new Map<string, Route>();
  private readonly rounds = new Rounds();
  /** When something was last forgotten: what began to be loaded before is not kept after. */
  private forgotten = -Infinity;
  private writers = new Set<string>();
  private earlierWriters = new Set<string>();
  private readonly turn: NodeJS.Timeout;
  private deaf?: () => Promise<void>;
  private readonly served: Counter;

  constructor(
    private readonly limits: LimitHook,
    private readonly poke: EventPoke,
    private readonly watch: RequestWatch,
    private readonly shared: SharedReads,
    meter: Meter,
  ) {
    this.served = meter.counter('evently_cached_reads_total', 'Public reads, by how they were answered', 'from');
    this.turn = setInterval(() => this.turnWriters(), STALE_MS).unref();
  }

  async onApplicationBootstrap(): Promise<void> {
    this.deaf = await this.poke.listenToStreams((told) => {
      for (const { stream } of told) {
        if (stream.startsWith('event:')) this.forget(stream.slice('event:'.length));
        else if (stream.startsWith('venue:')) this.forgetAll(); // Any event may be there.
      }
    });
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.turn);
    await this.deaf?.();
  }

  /**
   * Answers what it has before Fastify hears of it, which would cost as much again. Call when the server has its listener.
   * `idOf` names a request; `addressOf` says whose it is.
   */
  stand(server: Server, { open, idOf, addressOf }: Door): void {
    this.rounds.heed(server);
    const listeners = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
    server.removeAllListeners('request');
    const pass = (request: IncomingMessage, response: ServerResponse) => {
      for (const listener of listeners) listener(request, response);
    };
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      if (request.method === 'GET') {
        const entry = this.entries.get(request.url!);
        if (entry && open()) {
          return this.rounds.join(() => {
            if (!this.answers(entry, request, response, { id: idOf(request), address: addressOf(request) }))
              pass(request, response);
          });
        }
      } else if (request.method !== 'HEAD') this.writers.add(addressOf(request));
      pass(request, response);
    });
  }

  /** The bytes of a read: loaded once for all who ask meanwhile, and kept. */
  async load(request: FastifyRequest, reply: FastifyReply, seconds: number, read: () => Promise<unknown>): Promise<string> {
    const key = request.raw.url!;
    const own = this.wrote(request.ip);
    const kept = own ? undefined : this.entries.get(key);
    if (kept && elapsedMs() < kept.freshUntil) {
      this.served.add('cache');
      return present({ text: kept.plain.bytes.toString(), etag: kept.plain.etag }, seconds, reply);
    }
    if (own) {
      this.served.add('loaded');
      return present(loadedOf(await read()), seconds, reply);
    }
    const loading = this.loading.get(key);
    if (loading) {
      this.served.add('awaited');
      return present(await loading, seconds, reply);
    }
    const reading = this.read(key, read);
    this.loading.set(key, reading);
    const over = () => this.loading.get(key) === reading && this.loading.delete(key);
    reading.then(over, over);
    const loaded = await reading;
    const text = present(loaded, seconds, reply);
    if (loaded.began > this.forgotten && request.method === 'GET') this.keep(request, reply, loaded);
    return text;
  }

  /** From Redis what another process has just loaded, else by the controller, for the others too. */
  private async read(key: string, read: () => Promise<unknown>): Promise<Dated> {
    const found = await this.shared.find(key, FRESH_MS);
    const foundBegan = found ? elapsedMs() - found.ageMs : -Infinity;
    if (found && foundBegan > this.forgotten) {
      this.served.add('shared');
      return { ...found, began: foundBegan };
    }
    this.served.add('loaded');
    const began = elapsedMs();
    const loaded = loadedOf(await read());
    if (began > this.forgotten) this.shared.offer(key, loaded, began + FRESH_MS - elapsedMs());
    return { ...loaded, began };
  }

  private keep(request: FastifyRequest, reply: FastifyReply, { text, etag, began }: Dated): void {
    const key = request.raw.url!;
    const told = Object.entries(reply.getHeaders()).filter(([name]) => !isOwn(name));
    const headers = told.flatMap(([name, value]) => [name, String(value)]);
    const plain = { bytes: Buffer.from(text), etag, headers };
    const route = this.routeOf(request.routeOptions.url!);
    const entry: Entry = { plain, route, freshUntil: began + FRESH_MS, staleUntil: began + STALE_MS, refreshing: false };
    this.entries.set(key, entry);
    if (plain.bytes.length >= WORTH_PACKING) void this.pack(key, entry);
  }

  private routeOf(url: string): Route {
    let route = this.routes.get(url);
    if (!route) {
      route = { plan: this.limits.planFor(`GET ${url}`), watched: this.watch.observer('GET', url) };
      this.routes.set(url, route);
    }
    return route;
  }

  /** Once for all who can read it packed. */
  private async pack(key: string, entry: Entry): Promise<void> {
    const { plain } = entry;
    const bytes = await pack(plain.bytes, { level: 4 });
    const etag = plain.etag.replace(/"$/, '-gzip"');
    const headers = [...plain.headers, 'content-encoding', 'gzip'];
    headers[headers.indexOf('etag') + 1] = etag;
    entry.packed = { bytes, etag, headers };
    if (this.entries.peek(key) === entry) this.entries.set(key, entry); // Its size is another now.
  }

  /** False for what the long way has to answer: what is too old, who has written, who asks too much. */
  private answers(
    entry: Entry,
    request: IncomingMessage,
    response: ServerResponse,
    { id, address }: { id: string; address: string },
  ): boolean {
    const began = performance.now();
    if (!this.isFresh(entry) || this.wrote(address) || mustGoTheLongWay(request)) return false;
    const limit = this.limits.admit(entry.route.plan, address);
    if (limit === null) return false;
    const { headers } = request;
    const packed = entry.packed && /\bgzip\b/.test(headers['accept-encoding'] ?? '') ? entry.packed : entry.plain;
    const seen = headers['if-none-match'];
    const same = seen !== undefined && seenBefore(seen, entry.plain.etag, entry.packed?.etag);
    if (same) response.writeHead(304, [...packed.headers.filter(notOfBody), 'x-request-id', id, ...limit]).end();
    else {
      const length = String(packed.bytes.length);
      response.writeHead(200, [...packed.headers, 'content-length', length, 'x-request-id', id, ...limit]).end(packed.bytes);
    }
    this.served.add('cache');
    entry.route.watched(same ? 304 : 200, performance.now() - began);
    return true;
  }

  /** A second old, one request goes on to load anew, and the others are served what is there. */
  private isFresh(entry: Entry): boolean {
    const now = elapsedMs();
    if (now < entry.freshUntil) return true;
    if (now >= entry.staleUntil) return false;
    if (entry.refreshing) return true;
    entry.refreshing = true;
    return false;
  }

  private wrote(address: string): boolean {
    return this.writers.has(address) || this.earlierWriters.has(address);
  }

  private turnWriters(): void {
    this.earlierWriters = this.writers;
    this.writers = new Set();
  }

  /** An event changed: its own reads and every listing. */
  private forget(eventId: string): void {
    this.forgotten = elapsedMs();
    for (const url of this.entries.keys()) if (url.includes(eventId) || /^\/v1\/events(\?|$)/.test(url)) this.entries.delete(url);
  }

  private forgetAll(): void {
    this.forgotten = elapsedMs();
    this.entries.clear();
  }
}

/** What no other request is answered like: a browser elsewhere is told whether it may read this; without a host it is refused. */
const mustGoTheLongWay = ({ headers }: IncomingMessage) => headers.origin !== undefined || headers.host === undefined;

function loadedOf(value: unknown): Loaded {
  const text = JSON.stringify(value);
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}

/** Gives the reply the headers of what was loaded; returns its text. */
function present({ text, etag }: Loaded, seconds: number, reply: FastifyReply): string {
  const vary = [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', ');
  void reply.headers({ etag, 'cache-control': `public, max-age=${seconds}`, vary });
  void reply.type('application/json; charset=utf-8');
  return text;
}

/** Of names and values in turn, those that a reply without a body has too. */
const notOfBody = (_: string, i: number, all: string[]) => !['content-type', 'content-encoding'].includes(all[i - (i % 2)]);
