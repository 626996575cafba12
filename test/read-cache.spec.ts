// The read cache, from outside: ready-made bytes for everyone, one load for a crowd, nothing older than two seconds, one's own writes at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { SharedReads } from '../libs/platform/http/shared.reads.js';
import { book, expectStatus, one, shop, type Shop } from './buyer.js';
import { Harness, until } from './harness.js';

interface Availability {
  ticketTypes: { available: number }[];
}

let evently: Harness;
let s: Shop;
let addresses = 0;
beforeAll(async () => {
  evently = await Harness.start(ApiModule, undefined, {
    TRUST_PROXY: '127.0.0.1',
    RATE_LIMIT_ALLOW: '192.0.2.1',
    RATE_LIMITS: 'address=50/60',
  });
});
afterAll(() => evently.stop());

/** Somebody who was never here. */
const stranger = () => `198.51.${Math.floor(++addresses / 250)}.${addresses % 250}`;
const get = <T = never>(path: string, headers: Record<string, string> = {}, from = stranger()) =>
  evently.call<T>('GET', path, undefined, { headers: { 'x-forwarded-for': from, ...headers } });
const served = async (from: string) => {
  const { text } = await evently.call('GET', '/metrics', undefined, { headers: { 'x-forwarded-for': stranger() } });
  return Number(new RegExp(`evently_cached_reads_total\\{from="${from}"\\} (\\d+)`).exec(text)?.[1] ?? 0);
};
const free = async (from = stranger()) =>
  (await get<Availability>(`/v1/events/${s.eventId}/availability`, {}, from)).body.ticketTypes[0].available;

async function rename(title: string): Promise<void> {
  const path = `/v1/organizations/${s.orgId}/events/${s.eventId}`;
  const now = await evently.call<{ version: number }>('GET', path, undefined, { token: s.token });
  expectStatus(await evently.call('PATCH', path, { title }, { token: s.token, ifMatch: `"${now.body.version}"` }), 200);
}

describe('the read cache', () => {
  beforeAll(async () => (s = await shop(evently, [{ capacity: 1000 }])));

  it('answers again with the same bytes, its own request id and the same headers', async () => {
    const path = `/v1/events/${s.eventId}?accessCode=one`;
    const first = await get(path);
    await until('news of its making have passed', async () => {
      const before = await served('cache');
      await get(path);
      return (await served('cache')) > before;
    });
    const before = await served('cache');
    const again = await get(path, { 'x-request-id': 'mine' });
    expect(await served('cache')).toBe(before + 1);
    expect([again.status, again.text]).toEqual([200, first.text]);
    expect(again.headers.get('x-request-id')).toBe('mine');
    const names = (h: Headers) =>
      [...h.keys()].filter((n) => !['date', 'transfer-encoding', 'content-length'].includes(n)).toSorted();
    expect(names(again.headers)).toEqual(names(first.headers));
    const same = await get(path, { 'if-none-match': first.headers.get('etag')! });
    expect([same.status, same.text, same.headers.get('etag')]).toEqual([304, '', first.headers.get('etag')]);
  });

  it('loads once for a crowd that comes at once', async () => {
    const before = await served('loaded');
    const replies = await Promise.all(Array.from({ length: 40 }, () => get(`/v1/events/${s.eventId}?accessCode=two`)));
    expect(new Set(replies.map((r) => r.text)).size).toBe(1);
    expect(await served('loaded')).toBe(before + 1);
  });

  it('packs what is worth it, once, under an ETag of its own', async () => {
    const more = Array.from({ length: 20 }, (_, i) => ({ name: `Type ${i}`, capacity: 1 }));
    const big = await shop(evently, more);
    const path = `/v1/events/${big.eventId}`;
    const plain = await get(path, { 'accept-encoding': 'identity' });
    await until(
      'it is packed',
      async () => (await get(path, { 'accept-encoding': 'gzip' })).headers.get('content-encoding') === 'gzip',
    );
    const packed = await get(path, { 'accept-encoding': 'gzip' });
    expect(packed.text).toBe(plain.text);
    expect(packed.headers.get('etag')).not.toBe(plain.headers.get('etag'));
    expect((await get(path, { 'accept-encoding': 'gzip', 'if-none-match': packed.headers.get('etag')! })).status).toBe(304);
  });

  it('forgets an event that changed, at once', async () => {
    const path = `/v1/events/${s.eventId}`;
    for (const title of ['Another', 'And another']) {
      await get(path);
      await rename(title);
      expect((await get<{ title: string }>(path)).body.title).toBe(title);
    }
  });

  it('takes from Redis what another process has just loaded, unless news have overtaken it', async () => {
    const shared = evently.api.get(SharedReads);
    const [path, older] = ['three', 'four'].map((code) => `/v1/events/${s.eventId}?accessCode=${code}`);
    const theirs = { text: '{"from":"another process"}', etag: '"theirs"' };
    const before = await served('shared');
    shared.offer(path, theirs, 1000);
    expect(await shared.find(path, 1000)).toMatchObject(theirs);
    const reply = await get(path);
    expect([reply.text, reply.headers.get('etag'), await served('shared')]).toEqual([theirs.text, theirs.etag, before + 1]);
    shared.offer(older, theirs, 1000);
    await rename('News');
    expect((await get<{ title: string }>(older)).body.title).toBe('News');
  });

  it('offers what it has loaded to other processes', async () => {
    const shared = evently.api.get(SharedReads);
    const path = `/v1/events/${s.eventId}?accessCode=five`;
    await until('it is there', async () => {
      const { text } = await get(path);
      const found = await shared.find(path, 1000);
      return found?.text === text && found.ageMs < 1000;
    });
    await until('it is too old for them', async () => (await shared.find(path, 1000)) === null);
  });

  it('shows who booked what is left after it, and everybody else no later than two seconds after', async () => {
    const buyer = stranger();
    const at = await free();
    expectStatus(
      await book(
        { call: (m, p, b, o) => evently.call(m, p, b, { ...o, headers: { ...o?.headers, 'x-forwarded-for': buyer } }) },
        s,
        one(s),
      ),
      201,
    );
    const booked = Date.now();
    expect(await free(buyer)).toBe(at - 1);
    await until('others see it', async () => (await free()) === at - 1, 5000);
    expect(Date.now() - booked).toBeLessThan(2500);
  });

  it('counts against the limits of who asks', async () => {
    const greedy = stranger();
    const path = `/v1/events/${s.eventId}`;
    const statuses = [];
    for (let i = 0; i < 52; i++) statuses.push((await get(path, {}, greedy)).status);
    expect(statuses.filter((status) => status === 200).length).toBe(50);
    expect(statuses.at(-1)).toBe(429);
  });
});
