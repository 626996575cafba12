// The read cache: public reads as ready-made bytes with their ETag, answered before routing's work begins. One load at a time for each address.
//
// Nothing is served that is older than two seconds, nothing that a domain event of the same event has overtaken, and nothing to an
// address that wrote within those two seconds: who writes reads his own writes. Loading passes the controller like any request.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { machineMs } from '../../kernel/time.js';
import { EventPoke } from '../eventstore/event.poke.js';
import { LimitHook, type LimitPlan } from '../limit/limit.hook.js';
import { Meter, type Counter } from '../observe/meter.js';

const FRESH_MS = 1000;
/** After FRESH_MS one request loads anew, and the others are served what is there; after this nobody is. */
const STALE_MS = 2000;
const MOST_BYTES = 64 * 1024 * 1024;
/** Smaller ones fit into one packet anyway. */
const WORTH_PACKING = 1400;
/** Of one request, not of what was read. */
const OWN_HEADERS = new Set(['x-request-id', 'ratelimit', 'ratelimit-policy', 'connection']);

interface Body {
  bytes: Buffer;
  etag: string;
  /** Names and values in turn. */
  headers: string[];
}

interface Entry {
  plain: Body;
  packed?: Body;
  plan: LimitPlan;
  freshUntil: number;
  staleUntil: number;
  refreshing: boolean;
}

const pack = promisify(gzip);

@Injectable()
export class ReadCache implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly entries = new LRUCache<string, Entry>({
    max: 20_000,
    maxSize: MOST_BYTES,
    sizeCalculation: ({ plain, packed }) => plain.bytes.length + (packed?.bytes.length ?? 0) + 1000,
  });
  private readonly loading = new Map<string, Promise<string>>();
  /** Raised when something is forgotten: what was loaded before is not kept after. */
  private forgotten = 0;
  private writers = new Set<string>();
  private earlierWriters = new Set<string>();
  private readonly turn: NodeJS.Timeout;
  private deaf?: () => Promise<void>;
  private readonly served: Counter;

  constructor(
    private readonly limits: LimitHook,
    private readonly poke: EventPoke,
    meter: Meter,
  ) {
    this.served = meter.counter('evently_cached_reads_total', 'Public reads, by how they were answered', 'from');
    this.turn = setInterval(() => this.turnWriters(), STALE_MS).unref();
  }

  async onApplicationBootstrap(): Promise<void> {
    this.deaf = await this.poke.listen((told) => {
      for (const { stream } of told) if (stream.startsWith('event:')) this.forget(stream.slice('event:'.length));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.turn);
    await this.deaf?.();
  }

  /** Answers what it has while `open`. Call before any other hook is added. */
  watch(fastify: FastifyInstance, open: () => boolean): void {
    fastify.addHook('onRequest', (request, reply, done) => {
      if (request.method !== 'GET') {
        if (request.method !== 'HEAD') this.writers.add(request.ip);
        return done();
      }
      const entry = this.entries.get(request.raw.url!);
      if (!entry || !open() || !this.mayServe(entry, request)) return done();
      const limit = this.limits.admit(entry.plan, request.ip);
      if (limit === null) return done(); // Refused on the long way, in words.
      this.answer(entry, limit, request, reply);
    });
  }

  /** The bytes of a read: loaded once for all who ask meanwhile, and kept. */
  async load(request: FastifyRequest, reply: FastifyReply, seconds: number, read: () => Promise<unknown>): Promise<string> {
    const key = request.raw.url!;
    const own = this.wrote(request.ip);
    let bytes = own ? undefined : this.loading.get(key);
    this.served.add(bytes ? 'awaited' : 'loaded');
    if (!bytes) {
      const [began, then] = [machineMs(), this.forgotten];
      bytes = read().then((value) => JSON.stringify(value));
      if (!own) {
        this.loading.set(key, bytes);
        const over = () => this.loading.get(key) === bytes && this.loading.delete(key);
        bytes.then(over, over);
      }
      const text = await bytes;
      this.present(text, seconds, reply);
      if (then === this.forgotten && request.method === 'GET') this.keep(request, reply, { text, began });
      return text;
    }
    const text = await bytes;
    this.present(text, seconds, reply);
    return text;
  }

  private present(text: string, seconds: number, reply: FastifyReply): void {
    const etag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
    void reply.headers({ etag, 'cache-control': `public, max-age=${seconds}`, vary: 'accept-encoding' });
    void reply.type('application/json; charset=utf-8');
  }

  private keep(request: FastifyRequest, reply: FastifyReply, { text, began }: { text: string; began: number }): void {
    const key = request.raw.url!;
    const told = Object.entries(reply.getHeaders()).filter(([name]) => !OWN_HEADERS.has(name));
    const headers = told.flatMap(([name, value]) => [name, String(value)]);
    const etag = String(reply.getHeader('etag'));
    const plain = { bytes: Buffer.from(text), etag, headers };
    const plan = this.limits.planFor(`GET ${request.routeOptions.url}`);
    const entry: Entry = { plain, plan, freshUntil: began + FRESH_MS, staleUntil: began + STALE_MS, refreshing: false };
    this.entries.set(key, entry);
    if (plain.bytes.length >= WORTH_PACKING) void this.pack(key, entry);
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

  private mayServe(entry: Entry, request: FastifyRequest): boolean {
    const now = machineMs();
    if (now >= entry.staleUntil || this.wrote(request.ip)) return false;
    if (now < entry.freshUntil || entry.refreshing) return true;
    entry.refreshing = true;
    return false;
  }

  private answer(entry: Entry, limit: string[], request: FastifyRequest, reply: FastifyReply): void {
    this.served.add('cache');
    request.quiet = true;
    const { headers } = request;
    const packed = entry.packed && /\bgzip\b/.test(headers['accept-encoding'] ?? '') ? entry.packed : entry.plain;
    const seen = headers['if-none-match'];
    const own = ['x-request-id', request.id, ...limit];
    reply.hijack();
    if (seen !== undefined && isSame(seen, entry)) {
      reply.raw.writeHead(304, [...packed.headers.filter(notOfBody), ...own]).end();
      return;
    }
    reply.raw.writeHead(200, [...packed.headers, 'content-length', String(packed.bytes.length), ...own]).end(packed.bytes);
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
    this.forgotten += 1;
    for (const url of this.entries.keys()) if (url.includes(eventId) || /^\/v1\/events(\?|$)/.test(url)) this.entries.delete(url);
  }
}

function isSame(seen: string, { plain, packed }: Entry): boolean {
  return seen.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '');
    return bare === plain.etag || bare === packed?.etag || bare === '*';
  });
}

/** Of names and values in turn, those that a reply without a body has too. */
const notOfBody = (_: string, i: number, all: string[]) => !['content-type', 'content-encoding'].includes(all[i - (i % 2)]);

declare module 'fastify' {
  interface FastifyRequest {
    /** Counted, but without a line in the log. */
    quiet?: boolean;
  }
}
