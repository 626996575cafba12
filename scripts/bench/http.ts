// Over HTTP, everything on: one hot event against the rivals, the route that does nothing and bare Fastify; two apis; many events; one buyer; reads; overload.
import { writeFileSync } from 'node:fs';
import { setTimeout as rest } from 'node:timers/promises';
import { House, type Event, type Measured, type Organizer, type Profile, type Rival, sampleReply } from './house.js';
import type { Load } from './load.js';
import { rates, ratio, said, type Row } from './measure.js';
import { median } from './quantile.js';

const SECONDS = 3;
/** Node compiles the paths of a request for some ten seconds of load; a server that sells is warm. */
const WARM_SECONDS = 15;
const NOTHING = '/v1/events/{a}/nothing';
/** Fewer than are asked for in a run. */
const PLACES = 1000;
/** As short as a hold may be. */
const ENDING_SECONDS = 5;

type Server = Awaited<ReturnType<House['api']>>;

/** What the rows share: servers are started when the first row wants them and stay, idle, while others are measured. */
export class HttpBench {
  private readonly servers = new Map<string, Promise<Server>>();
  private stage?: Promise<{ organizer: Organizer; event: Event }>;

  constructor(
    private readonly house: House,
    private readonly rounds: number,
  ) {}

  /** Holds on one event against a transaction per booking, with a lock in Redis or without, whichever is better in that round. */
  async hotEvent(): Promise<Row[]> {
    const rows: Row[] = [];
    for (const [connections, aim] of [
      [64, 12],
      [256, 25],
    ] as const) {
      const rounds = await this.interleave({
        batch: () => this.hold('batch', connections),
        lock: () => this.hold('lock', connections),
        redisLock: () => this.hold('redis-lock', connections),
      });
      const name = `holds/s, hot event / lock-per-booking, ${connections} connections`;
      rows.push(
        ratio(name, `at least ${aim}`, rounds, (r) => r.batch.rate / Math.max(r.lock.rate, r.redisLock.rate)),
        ...rates(`${connections} connections`, rounds),
      );
    }
    return rows;
  }

  /** What is left of the speed of a route that does nothing, and of bare Fastify: with an API key, and for guests, who have nothing to show and get a token. */
  async nothing(): Promise<Row[]> {
    const bare = await this.server('bare', () => this.house.bare(JSON.stringify(sampleReply)));
    const wish = await this.wish();
    const keyed = { ...(await this.wish('API key')), connections: 64 };
    const api = await this.api('batch');
    const rounds = await this.interleave({
      keyed: () => this.run(api, keyed),
      keyedNothing: () => this.run(api, { ...keyed, path: NOTHING }),
      guests: () => this.hold('batch', 64),
      guestsNothing: () => this.passThrough(),
      bare: () => this.run(bare, { ...wish, connections: 64, path: '/post' }),
    });
    const holds = (who: string) => `holds/s / no-op POST/s of the same server, ${who}`;
    const nothings = (who: string) => `no-op POST/s / bare Fastify POST/s, ${who}`;
    return [
      ratio(holds('authenticated by an API key'), 'at least 0.7', rounds, (r) => r.keyed.rate / r.keyedNothing.rate),
      ratio(holds('guests'), 'at least 0.7', rounds, (r) => r.guests.rate / r.guestsNothing.rate),
      ratio(nothings('authenticated by an API key'), 'at least 0.55', rounds, (r) => r.keyedNothing.rate / r.bare.rate),
      ratio(nothings('guests'), 'at least 0.55', rounds, (r) => r.guestsNothing.rate / r.bare.rate),
      ...rates('64 connections', rounds),
    ];
  }

  /** One hot event with its buyers spread over two api processes: not slower together than one, and not a place sold twice. */
  async twoApis(): Promise<Row[]> {
    const rows: Row[] = [];
    const one = await this.api('batch');
    const two = [one, await this.server('second', () => this.house.api('batch'))];
    const wish = await this.wish();
    for (const connections of [64, 256]) {
      const rounds = await this.interleave({
        one: () => this.run(one, { ...wish, connections }),
        two: () => this.run(two, { ...wish, connections }),
      });
      const name = `holds/s, hot event, two api processes / one, ${connections} connections in all`;
      rows.push(
        ratio(name, 'at least 0.9', rounds, (r) => r.two.rate / r.one.rate),
        ...rates(`${connections} connections`, rounds),
      );
    }
    const { organizer } = await this.ready();
    const few = asTarget(await this.house.event(organizer, 2500, { title: 'Few places', capacity: PLACES }));
    const { byStatus } = await this.run(two, { ...wish, targets: [few], connections: 256 }, ['201', '409', '503']);
    const sold = byStatus['201'] ?? 0;
    return [...rows, { name: `of ${PLACES} places, held by two apis`, figure: String(sold), aim: `${PLACES}`, values: [sold] }];
  }

  /** One event against a thousand. */
  async manyEvents(): Promise<Row[]> {
    const { organizer, event } = await this.ready();
    const targets: NonNullable<Load['targets']> = [];
    for (let i = 0; i < 1000; i++) targets.push(asTarget(await this.house.event(organizer, 2500, { title: `Concert ${i}` })));
    const wish = await this.wish();
    const api = await this.api('batch');
    const rounds = await this.interleave({
      one: () => this.run(api, { ...wish, connections: 64, targets: [asTarget(event)] }),
      thousand: () => this.run(api, { ...wish, connections: 64, targets }),
    });
    return [
      ratio('holds/s, one hot event / 1 000 events', 'at least 0.9', rounds, (r) => r.one.rate / r.thousand.rate),
      ratio('holds/s, 1 000 events / one hot event', 'at least 0.9', rounds, (r) => r.thousand.rate / r.one.rate),
      ...rates('64 connections', rounds),
    ];
  }

  /** Nobody pays: as many holds end as are made, each of them a change of its row, of the stock, and a domain event. */
  async ending(): Promise<Row[]> {
    const { organizer } = await this.ready();
    const brief = await this.house.event(organizer, 2500, { title: 'Nobody pays', holdSeconds: ENDING_SECONDS });
    const load = { ...(await this.wish()), targets: [asTarget(brief)], connections: 64 };
    const api = await this.api('batch');
    const path = `/v1/organizations/${organizer.orgId}/events/${brief.eventId}/inventory`;
    const ended = async () => {
      for (let i = 0; (await organizer.call<{ held: number }[]>('GET', path)).some(({ held }) => held > 0); i++) {
        if (i === 600) throw new Error('Holds whose time was over two minutes ago have not ended.');
        await rest(200);
      }
    };
    const rounds = await this.interleave({
      lasting: () => this.hold('batch', 64),
      ending: async () => {
        await this.run(api, { ...load, seconds: ENDING_SECONDS + 1 }); // From then on the first of them end.
        const measured = await this.run(api, load);
        await ended();
        return measured;
      },
    });
    const told = ratio('holds/s while as many end / while none ends', '-', rounds, (r) => r.ending.rate / r.lasting.rate);
    return [{ ...told, ratio: false }, ...rates('64 connections', rounds)]; // It has no aim to be drawn against.
  }

  /** Free bookings, booked and confirmed with their tickets signed. */
  async confirmed(): Promise<Row[]> {
    const { organizer } = await this.ready();
    const free = await this.house.event(organizer, 0, { title: 'Free concert' });
    const followUp = { method: 'POST' as const, path: '/v1/bookings/{id}/confirm', body: '{}' };
    const api = await this.api('batch');
    const load = { ...(await this.wish()), targets: [asTarget(free)], followUp };
    const rows: Row[] = [];
    for (const connections of [64, 256]) {
      const rounds = await this.interleave({ confirmed: () => this.run(api, { ...load, connections }) });
      rows.push(...rates(`free, ${connections} connections`, rounds));
    }
    return rows;
  }

  /** One buyer alone: what queueing costs who needs none. */
  async alone(): Promise<Row[]> {
    const rounds = await this.interleave({
      batch: () => this.hold('batch', 1),
      unqueued: () => this.hold('unqueued', 1),
      lock: () => this.hold('lock', 1),
    });
    return [
      ratio('latency of one buyer, with batching / without', 'at most 1.05', rounds, (r) => r.batch.p50 / r.unqueued.p50),
      ratio('latency of one buyer, with batching / lock-per-booking', 'at most 0.8', rounds, (r) => r.batch.p50 / r.lock.p50),
      ...rates('one connection', rounds),
    ];
  }

  /** Reads of an event. */
  async read(): Promise<Row[]> {
    const { event } = await this.ready();
    const api = await this.api('batch');
    const path = `/v1/events/${event.eventId}`;
    const bytes = await (await fetch(`http://127.0.0.1:${api.port}${path}`)).text();
    const bare = await this.server('bare-read', () => this.house.bare(bytes));
    const get = (of: Server, at: string, more: Partial<Load> = {}) =>
      this.run(of, { connections: 64, seconds: SECONDS, method: 'GET', path: at, ...more });
    const rounds = await this.interleave({ read: () => get(api, path), bare: () => get(bare, '/get') });
    const half = Math.round(median(rounds.map((r) => r.read.rate)) / 2);
    const calm = await get(api, path, { arrivals: half });
    return [
      ratio(
        `event read/s / bare Fastify sending the same ${Buffer.byteLength(bytes)} bytes`,
        'at least 0.8',
        rounds,
        (r) => r.read.rate / r.bare.rate,
      ),
      {
        name: `event read p99 at ${half} arrivals/s, half the peak, ms`,
        figure: calm.p99.toFixed(1),
        aim: 'under 10',
        values: [calm.p99],
      },
      ...rates('64 connections', rounds),
    ];
  }

  /** Goodput beyond the peak: three times the connections, and half as many arrivals again as can be served. */
  async overload(): Promise<Row[]> {
    const rounds = await this.interleave({ peak: () => this.hold('batch', 256), crowd: () => this.hold('batch', 768) });
    const peak = median(rounds.map((r) => r.peak.rate));
    const api = await this.api('batch');
    const wish = await this.wish();
    const open = await this.interleave({
      flood: () => this.run(api, { ...wish, connections: 2000, seconds: 6, arrivals: Math.round(peak * 1.5) }),
    });
    return [
      ratio('goodput with 768 connections / 256', 'at least 0.95', rounds, (r) => r.crowd.rate / r.peak.rate),
      ratio('goodput at 1.5 times the peak arrivals / peak', 'at least 0.7', open, (r) => r.flood.rate / peak),
      ...rates('256 / 768 connections', rounds),
      ...rates('open loop', open),
    ];
  }

  /** Where the api's time goes while it books as fast as it can, and while it does nothing as fast as it can. */
  async cpu(): Promise<Row[]> {
    const aims: Record<string, string> = { limiter: 'at most 3 %', pricing: 'at most 2 %' };
    await this.profile('nothing', () => this.passThrough());
    const within = await this.profile('holds', () => this.hold('batch', 64));
    return Object.entries(within).map(([name, share]) => ({
      name: `${name}, of the api's processor time for holds`, figure: `${(share * 100).toFixed(1)} %`, aim: aims[name] ?? '-', values: [share], ratio: name in aims,
    })); // prettier-ignore
  }

  private async profile(what: string, load: () => Promise<Measured>): Promise<Record<string, number>> {
    const api = await this.api('batch');
    for (let s = 0; s < WARM_SECONDS; s += SECONDS) await load();
    await api.ask('profile');
    const { rate } = await load();
    const { parts, within, busy, profile } = await api.ask<Profile>('profiled');
    const file = `api-${what}.cpuprofile`;
    writeFileSync(file, JSON.stringify(profile));
    console.log(`${what}: api busy ${(busy * 100).toFixed(0)} % at ${rate.toFixed(0)}/s; by whose code ran (${file} has all):`);
    for (const { part, share } of parts.slice(0, 16)) console.log(`  ${(share * 100).toFixed(1).padStart(5)} %  ${part}`);
    return within;
  }

  private api(rival: Rival): Promise<Server> {
    return this.server(rival, () => this.house.api(rival));
  }

  private server(name: string, make: () => Promise<Server>): Promise<Server> {
    let server = this.servers.get(name);
    if (!server) this.servers.set(name, (server = make()));
    return server;
  }

  private ready(): Promise<{ organizer: Organizer; event: Event }> {
    return (this.stage ??= (async () => {
      const organizer = await this.house.organizer(await this.api('batch'));
      this.house.worker();
      return { organizer, event: await this.house.event(organizer, 2500) };
    })());
  }

  /** A wish for one ticket, of a guest or by an organizer's program; each buyer has an address and a key of his own. */
  private async wish(who: 'guest' | 'API key' = 'guest'): Promise<Omit<Load, 'ports' | 'connections'>> {
    const { event, organizer } = await this.ready();
    const token = who === 'API key' && { authorization: `Bearer ${organizer.apiKey}` };
    const contact = { email: 'guest-{n}@example.org', name: 'Guest' };
    return {
      seconds: SECONDS, method: 'POST', path: '/v1/events/{a}/bookings', headers: { 'idempotency-key': 'key-{n}', ...token },
      body: JSON.stringify({ items: [{ ticketTypeId: '{b}', quantity: 1 }], contact }), targets: [asTarget(event)],
    }; // prettier-ignore
  }

  private async passThrough(): Promise<Measured> {
    return this.run(await this.api('batch'), { ...(await this.wish()), connections: 64, path: NOTHING });
  }

  private async hold(rival: Rival, connections: number): Promise<Measured> {
    return this.run(await this.api(rival), { ...(await this.wish()), connections });
  }

  private async run(
    at: Server | Server[],
    load: Omit<Load, 'ports'>,
    expected = ['200', '201', '304', '503'],
  ): Promise<Measured> {
    const result = await this.house.load([at].flat(), load);
    const odd = Object.keys(result.byStatus).filter((status) => !expected.includes(status));
    if (odd.length > 0) throw new Error(`${load.method} ${load.path} was answered ${JSON.stringify(result.byStatus)}.`);
    return result;
  }

  /** Each variant warmed up once, then all of them in turn, round by round. */
  private async interleave<K extends string>(variants: Record<K, () => Promise<Measured>>): Promise<Record<K, Measured>[]> {
    const names = Object.keys(variants) as K[];
    for (const name of names) for (let s = 0; s < WARM_SECONDS; s += SECONDS) await variants[name]();
    const rounds: Record<K, Measured>[] = [];
    for (let i = 0; i < this.rounds; i++) {
      const round = {} as Record<K, Measured>;
      for (const name of i % 2 === 0 ? names : names.toReversed()) round[name] = await variants[name]();
      rounds.push(round);
      console.log(names.map((name) => said(name, round[name])).join('\n'));
    }
    return rounds;
  }
}

const asTarget = ({ eventId, typeId }: Event) => ({ a: eventId, b: typeId });
