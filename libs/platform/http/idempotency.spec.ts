// One effect per key, whatever the client, the network and the crash do; the reply is the same bytes again; versions, ETags and pages.
import { Body, Controller, Get, Injectable, Module, Post, Put, Query } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Harness, until, type Reply } from '../../../test/harness.js';
import { edgeErrors, errors } from '../../kernel/errors.js';
import { newOrgId } from '../../kernel/ids.js';
import { decodeCursor, pageOf } from '../../kernel/pages.js';
import { Database } from '../db/database.js';
import { PlatformModule } from '../platform.module.js';
import { IntField, PageQuery, TextField } from './fields.js';
import { Answers, Cacheable, CanAnyone, IdParam, Idempotent, IfMatch } from './route.decorators.js';

const refusals = errors({
  specTaken: ['conflict', 'Taken.'],
  specGone: ['gone', 'Gone.'],
  specPay: ['payment', 'Pay.'],
});

class Wish {
  @TextField({ max: 50 }) text: string;
}
class Made {
  @IntField() n: number;
  @TextField() text: string;
}

/** What the handler does after it has left its effect. */
let then: (wish: Wish) => unknown;

@Injectable()
class WishService {
  constructor(private readonly db: Database) {}
  async make(wish: Wish): Promise<unknown> {
    const [{ n }] = await this.db.query<{ n: number }>('INSERT INTO wish (text) VALUES ($1) RETURNING n', [wish.text]);
    const more = await then(wish);
    return more ?? { n, text: wish.text, random: Math.random(), version: n };
  }
  list(after: number, limit: number) {
    return this.db.query<{ n: number; text: string }>('SELECT n, text FROM wish WHERE n > $1 ORDER BY n LIMIT $2', [
      after,
      limit,
    ]);
  }
}

@Controller('v1/organizations/:o/wishes')
class WishController {
  constructor(private readonly wishes: WishService) {}
  @Post() @CanAnyone('create', 'Wish') @Answers(201, Made) @Idempotent() make(@Body() wish: Wish) {
    return this.wishes.make(wish);
  }
  @Post('natural') @CanAnyone('create', 'Wish') @Answers(201, Made) @Idempotent('natural') natural(@Body() wish: Wish) {
    return this.wishes.make(wish);
  }
  @Post('quiet') @CanAnyone('create', 'Wish') @Answers(204) @Idempotent() async quiet(@Body() wish: Wish) {
    await this.wishes.make(wish);
  }
  @Put(':w') @CanAnyone('update', 'Wish') @Answers(200, Made) put(@IdParam('w') id: string, @IfMatch() version: number) {
    if (version !== 7) throw edgeErrors.staleVersion();
    return { id, version: 8 };
  }
  @Get('fresh') @CanAnyone('read', 'Wish') fresh() {
    return { version: 7, text: 'ä' };
  }
  @Get('public') @CanAnyone('read', 'Wish') @Cacheable(30) cached() {
    return { text: 'for all' };
  }
  @Get() @CanAnyone('read', 'Wish') async list(@Query() page: PageQuery) {
    const [after] = decodeCursor(page.cursor, 1) ?? [0];
    const rows = await this.wishes.list(Number(after), page.limit + 1);
    return pageOf(
      rows,
      page.limit,
      (r) => [r.n],
      (r) => r,
    );
  }
}

@Module({ imports: [PlatformModule], controllers: [WishController], providers: [WishService] })
class WishModule {}

interface Body {
  n: number;
  code: string;
}

let evently: Harness;
let org: string;
let keys = 0;
beforeAll(async () => {
  evently = await Harness.start(WishModule);
  await evently.sql.query('CREATE TABLE wish (n int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, text text)');
});
afterAll(() => evently.stop());
beforeEach(() => {
  org = newOrgId();
  then = () => undefined;
});

const post = (text: string, key: string | undefined, way = '', headers: Record<string, string> = {}): Promise<Reply<Body>> =>
  evently.call<Body>('POST', `/v1/organizations/${org}/wishes${way}`, { text }, { key, headers });
const made = async (text: string) =>
  (await evently.sql.query('SELECT count(*)::int AS n FROM wish WHERE text = $1', [text])).rows[0].n as number;
const fresh = () => `key-${keys++}`;
const same = (a: Reply<Body>, b: Reply<Body>) =>
  expect([b.status, b.text, b.headers.get('etag')]).toEqual([a.status, a.text, a.headers.get('etag')]);

describe.each([
  ['transaction', ''],
  ['natural', '/natural'],
])('a kept reply (%s)', (mode, way) => {
  it('comes again as the same bytes, with its status and ETag, and has one effect', async () => {
    const key = fresh();
    const first = await post(key, key, way);
    expect(first.status).toBe(201);
    for (let i = 0; i < 3; i++) same(first, await post(key, key, way));
    expect(await made(key)).toBe(1);
    expect((await post(key, key, way)).headers.get('idempotent-replayed')).toBe('true');
  });

  it('belongs to one organization, path and key', async () => {
    const key = fresh();
    const first = await post(key, key, way);
    org = newOrgId();
    const elsewhere = await post(key, key, way);
    expect(elsewhere.body.n).not.toBe(first.body.n);
    expect((await post(key, fresh(), way)).body.n).not.toBe(first.body.n);
    expect((await post(key, undefined, way)).body.n).not.toBe(first.body.n);
  });

  it('is refused to another body: 422, and nothing happens', async () => {
    const key = fresh();
    await post(key, key, way);
    const other = await post(`${key}-other`, key, way);
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(await made(`${key}-other`)).toBe(0);
  });

  it.each([
    ['402', () => refusals.specPay()],
    ['409', () => refusals.specTaken()],
    ['410', () => refusals.specGone()],
  ])('is a verdict too: %s', async (status, refusal) => {
    const key = fresh();
    then = () => {
      throw refusal();
    };
    const first = await post(key, key, way);
    then = () => undefined;
    expect(first.status).toBe(Number(status));
    same(first, await post(key, key, way));
    if (mode === 'transaction') expect(await made(key)).toBe(0); // A refusal leaves nothing behind but itself.
  });

  it.each([
    ['400', () => edgeErrors.invalidRequest()],
    ['403', () => edgeErrors.forbidden()],
    ['404', () => edgeErrors.notFound()],
    ['409', () => edgeErrors.busy()],
    ['429', () => edgeErrors.rateLimited()],
    ['503', () => edgeErrors.unavailable()],
    ['503', () => new Error('a bug')],
  ])('is not kept of %s: the key may be used again', async (status, error) => {
    const key = fresh();
    then = () => {
      throw error();
    };
    expect((await post(key, key, way)).status).toBe(Number(status));
    then = () => undefined;
    expect((await post(key, key, way)).status).toBe(201);
    if (mode === 'transaction') expect(await made(key)).toBe(1);
  });

  it('is the same for all who send the key at once', async () => {
    const key = fresh();
    then = () => new Promise((resolve) => setTimeout(resolve, 30)); // Long enough that all of them are under way.
    const replies = await Promise.all(Array.from({ length: 5 }, () => post(key, key, way)));
    const good = replies.filter((r) => r.status === 201);
    expect(good.length).toBeGreaterThan(0);
    expect(new Set(good.map((r) => r.text)).size).toBe(1);
    for (const r of replies) if (r.status !== 201) expect(r.body.code).toBe('busy');
    if (mode === 'transaction') expect(await made(key)).toBe(1);
  });

  it('is forgotten after 24 hours', async () => {
    const key = fresh();
    const first = await post(key, key, way);
    await evently.sql.query(
      `UPDATE platform.idempotency SET created_at = created_at - interval '23 hours 59 minutes' WHERE key = $1`,
      [key],
    );
    same(first, await post(key, key, way));
    await evently.sql.query(`UPDATE platform.idempotency SET created_at = created_at - interval '2 minutes' WHERE key = $1`, [
      key,
    ]);
    const second = await post(`${key}-new`, key, way);
    expect(second.status).toBe(201);
    same(second, await post(`${key}-new`, key, way));
  });
});

describe('keys', () => {
  it('have one effect when the connection dies before the commit, and when it dies after it', async () => {
    const key = fresh();
    then = () => evently.api.get(Database).query('SELECT pg_terminate_backend(pg_backend_pid())');
    expect((await post(key, key)).status).toBe(503);
    expect(await made(key)).toBe(0);
    then = () => undefined;
    const { status, text } = await post(key, key); // Its reply is lost on the way, and the client asks again.
    expect([status, (await post(key, key)).text]).toEqual([201, text]);
    expect(await made(key)).toBe(1);
  });

  it('are told busy when the first takes too long, and get its reply later', async () => {
    const key = fresh();
    let go: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    then = async () => void (await gate);
    const first = post(key, key);
    await until('the first to hold its row', async () => {
      const { rows } = await evently.sql.query(
        `SELECT 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE 'INSERT INTO wish%'`,
      );
      return rows.length > 0;
    });
    const second = await post(key, key);
    expect([second.status, second.body.code]).toEqual([409, 'busy']);
    go();
    same(await first, await post(key, key));
  });

  it('keep a reply without a body', async () => {
    const key = fresh();
    const first = await post(key, key, '/quiet');
    expect([first.status, first.text]).toEqual([204, '']);
    same(first, await post(key, key, '/quiet'));
    expect(await made(key)).toBe(1);
  });

  it.each(['x'.repeat(256), 'ümlaut'])('that are none are refused: %s', async (key) => {
    expect((await post('a', undefined, '', { 'idempotency-key': Buffer.from(key, 'utf8').toString('latin1') })).status).toBe(400);
  });

  it('are no reason to keep what was said where others could read it', async () => {
    const key = fresh();
    await post('a password', key);
    const { rows } = await evently.sql.query('SELECT reply, body_hash FROM platform.idempotency WHERE key = $1', [key]);
    expect(rows[0].reply.toString('latin1')).not.toContain('password');
  });
});

describe('versions and caches', () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    evently.call('GET', `/v1/organizations/${org}/wishes/${path}`, undefined, { headers });
  const put = (ifMatch?: string) => evently.call<Body>('PUT', `/v1/organizations/${org}/wishes/${org}`, {}, { ifMatch });

  it('a resource has its version as a strong ETag, and is not sent again to who has it', async () => {
    const first = await get('fresh');
    expect(first.headers.get('etag')).toBe('"7"');
    for (const seen of ['"7"', 'W/"7"', '"1", "7"', '*']) {
      const again = await get('fresh', { 'if-none-match': seen });
      expect([again.status, again.text, again.headers.get('etag')]).toEqual([304, '', '"7"']);
    }
    expect((await get('fresh', { 'if-none-match': '"8"' })).status).toBe(200);
  });

  it('a write needs the version it was decided on: 428 without, 412 with another, the new ETag with the right one', async () => {
    expect((await put()).status).toBe(428);
    for (const stale of ['"6"', '7', 'W/"7"', '*', '"x"', '"99999999999"']) expect((await put(stale)).status).toBe(412);
    const { status, headers } = await put('"7"');
    expect([status, headers.get('etag')]).toEqual([200, '"8"']);
  });

  it('a public read may be cached, and is known by its bytes', async () => {
    const first = await get('public');
    expect(first.headers.get('cache-control')).toBe('public, max-age=30');
    expect(first.headers.get('content-type')).toContain('application/json');
    expect((await get('public', { 'if-none-match': first.headers.get('etag')! })).status).toBe(304);
  });
});

describe('pages', () => {
  const page = (query: string) =>
    evently.call<{ items: { n: number }[]; nextCursor: string | null }>('GET', `/v1/organizations/${org}/wishes${query}`);

  it('show everything once, also while it is written to', async () => {
    for (let i = 0; i < 7; i++) await post(`p${i}`, undefined);
    const seen: number[] = [];
    let cursor: string | null = '';
    do {
      const reply: Awaited<ReturnType<typeof page>> = await page(`?limit=3${cursor ? `&cursor=${cursor}` : ''}`);
      seen.push(...reply.body.items.map((i) => i.n));
      cursor = reply.body.nextCursor;
      if (seen.length < 10) await post('another', undefined);
    } while (cursor);
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    expect(seen.length).toBe((await page('?limit=200')).body.items.length);
  });

  it.each(['garbage', 'W10', 'WzEsMl0', 'bnVsbA', 'WyJcdTAwMDAiXQ'])('refuse a cursor that is none: %s', async (cursor) => {
    expect((await page(`?cursor=${cursor}`)).status).toBe(400);
  });
});
