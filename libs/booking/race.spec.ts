// Races: two api processes' worth of everything on one event, hundreds of buyers, and whoever else changes the stock at the same time.
import { Module } from '@nestjs/common';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import {
  book,
  cancel,
  confirm,
  expectStatus,
  inventory,
  one,
  organizer,
  shop,
  type BookingBody,
  type Shop,
} from '../../test/buyer.js';
import { Harness, until, type Reply } from '../../test/harness.js';
import { Proxy } from '../../test/proxy.js';
import { VerifyModule } from '../platform/eventstore/verify.module.js';
import { Verify } from '../platform/eventstore/verify.service.js';
import { Sweep } from './sweep.service.js';

@Module({ imports: [ApiModule, VerifyModule] })
class House {}

const SEATS_A_ROW = 10;
const hall = (rows: number) => ({
  zones: [{ id: 'stalls', name: 'Stalls' }],
  sections: [
    {
      id: 'hall',
      name: 'Hall',
      rows: Array.from({ length: rows }, (_, r) => ({
        id: `${r + 1}`,
        seats: Array.from({ length: SEATS_A_ROW }, (_unused, i) => ({
          id: `${r + 1}-${i + 1}`,
          number: `${i + 1}`,
          x: i,
          y: r,
          zone: 'stalls',
        })),
      })),
    },
  ],
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const random = (n: number) => Math.floor(Math.random() * n);

describe('races between two api processes', () => {
  let first: Harness;
  let second: Harness;
  let redis: Proxy;
  beforeAll(async () => {
    redis = await Proxy.before(process.env.TEST_REDIS_URL!);
    first = await Harness.start(House, WorkerModule, { REDIS_URL: redis.through(process.env.TEST_REDIS_URL!) });
    second = await first.beside(House);
  });
  afterAll(async () => {
    await second?.stop();
    await first?.stop();
    await redis?.down();
  });

  const either = () => (random(2) === 0 ? first : second);
  const seatedShop = async (rows: number): Promise<Shop> => {
    const owner = await organizer(first);
    const venue = await first.call<{ id: string }>(
      'POST',
      `/v1/organizations/${owner.orgId}/venues`,
      { name: 'Opera', timeZone: 'Europe/Berlin', seatMap: hall(rows) },
      { token: owner.token },
    );
    return shop(first, [{ zone: 'stalls' }], { venueId: expectStatus(venue, 201).id }, owner);
  };
  /** Statuses with their codes, each once; what no race may answer shows here. */
  const kinds = (replies: Reply<BookingBody>[]) => new Set(replies.map((r) => `${r.status} ${r.body.code ?? r.body.status}`));
  const live = async (s: Shop) =>
    (
      await first.sql.query<{ id: string; status: string; seats: string[] | null }>(
        `SELECT b.id, b.status, (SELECT array_agg(u) FROM booking.item i, unnest(i.seat_ids) u WHERE i.org_id = b.org_id AND i.booking_id = b.id) AS seats
         FROM booking.booking b WHERE b.org_id = $1 AND b.event_id = $2 AND b.status <> 'CANCELLED'`,
        [s.orgId, s.eventId],
      )
    ).rows;
  const verify = async (s: Shop) => {
    const found: unknown[] = [];
    await first.api.get(Verify).run({ orgId: s.orgId, found: (d) => found.push(d) });
    expect(found).toEqual([]);
  };

  /** Hundreds who want overlapping seats, half of them by name, half the best there are. */
  const seatRush = async (s: Shop, rows: number, buyers: number): Promise<Reply<BookingBody>[]> =>
    Promise.all(
      Array.from({ length: buyers }, (_, n) => {
        const [row, seat, size] = [1 + random(rows), 1 + random(SEATS_A_ROW - 2), 1 + random(3)];
        const seatIds = Array.from({ length: size }, (_unused, i) => `${row}-${seat + i}`);
        const item = n % 2 === 0 ? { seatIds } : { quantity: size };
        return book(either(), s, [{ ticketTypeId: s.typeIds[0], ...item }]);
      }),
    );

  const seatsOnce = async (s: Shop, replies: Reply<BookingBody>[]) => {
    const taken = (await live(s)).flatMap((b) => b.seats ?? []);
    expect(new Set(taken).size).toBe(taken.length);
    const told = replies.filter((r) => r.status === 201).flatMap((r) => r.body.items.flatMap((i) => i.seatIds ?? []));
    expect(taken.sort()).toEqual(told.sort());
    await verify(s);
  };

  it('gives each seat to one of hundreds who want overlapping ones', async () => {
    const s = await seatedShop(6);
    const replies = await seatRush(s, 6, 300);
    expect([...kinds(replies)].filter((k) => !['201 PENDING', '409 seat_taken', '409 sold_out', '409 busy'].includes(k))).toEqual(
      [],
    );
    await seatsOnce(s, replies);
    // Whoever asks for one more seat gets one, until all are gone.
    for (let left = true; left;) left = (await book(either(), s, one(s))).status === 201;
    expect((await live(s)).flatMap((b) => b.seats ?? [])).toHaveLength(6 * SEATS_A_ROW);
  }, 120_000);

  it('does the same with Redis gone in the middle of it', async () => {
    const s = await seatedShop(6);
    const rush = seatRush(s, 6, 200);
    await pause(100);
    await redis.down();
    const replies = [...(await rush), ...(await seatRush(s, 6, 100))];
    await redis.up();
    expect([...kinds(replies)].filter((k) => !['201 PENDING', '409 seat_taken', '409 sold_out', '409 busy'].includes(k))).toEqual(
      [],
    );
    await seatsOnce(s, replies);
  }, 120_000);

  it('sells all of a pool and no more, best available or not, whichever process is asked', async () => {
    const s = await shop(first, [{ capacity: 50 }, { capacity: 20 }]);
    const wishes = Array.from({ length: 200 }, () =>
      random(2) === 0 ? [...one(s, 1, 0), ...one(s, 1, 1)] : one(s, 1 + random(2), 0),
    );
    const replies = await Promise.all(wishes.map((items) => book(either(), s, items)));
    expect(kinds(replies)).toEqual(new Set(['201 PENDING', '409 sold_out']));
    const held = replies.filter((r) => r.status === 201).flatMap((r) => r.body.items);
    expect((await inventory(first, s)).map((p) => p.held).sort()).toEqual(
      s.typeIds.map((t) => held.filter((i) => i.ticketTypeId === t).reduce((n, i) => n + i.quantity, 0)).sort(),
    );
    expect((await inventory(first, s)).find((p) => p.capacity === 50)!.held).toBe(50);
    await verify(s);
  }, 60_000);

  it('decides one way when a confirm meets the sweep', async () => {
    const s = await shop(first, [{ capacity: 100 }], { holdSeconds: 5 });
    const held = (await Promise.all(Array.from({ length: 60 }, () => book(either(), s, one(s))))).map((r) =>
      expectStatus(r, 201),
    );
    const clocks = await first.sql.query<{ now: Date }>('SELECT platform.now() AS now');
    const ahead = clocks.rows[0].now.getTime() - Date.now();
    const done = held.map(async (b) => {
      await pause(new Date(b.expiresAt!).getTime() - ahead - Date.now() - 60 + random(120));
      return confirm(either(), b);
    });
    const sweep = second.api.get(Sweep);
    const over = new AbortController();
    const sweeping = (async () => {
      while (!over.signal.aborted) await sweep.run();
    })();
    const replies = await Promise.all(done);
    over.abort();
    await sweeping;
    await until('every hold is decided', async () => (await live(s)).every((b) => b.status === 'CONFIRMED'));
    expect([...kinds(replies)].filter((k) => !['200 CONFIRMED', '410 hold_expired'].includes(k))).toEqual([]);
    const confirmed = new Set((await live(s)).map((b) => b.id));
    replies.forEach((r, i) =>
      expect([r.status, confirmed.has(held[i].id)]).toEqual(r.status === 200 ? [200, true] : [410, false]),
    );
    await verify(s);
  }, 60_000);

  it('decides one way when a cancel meets a confirm', async () => {
    const s = await shop(first, [{ capacity: 100 }], { cancelPolicy: { untilHours: 0 } });
    const held = (await Promise.all(Array.from({ length: 80 }, () => book(either(), s, one(s))))).map((r) =>
      expectStatus(r, 201),
    );
    const pairs = await Promise.all(held.map((b) => Promise.all([confirm(first, b), cancel(second, b)])));
    for (const [confirmed, cancelled] of pairs) {
      // A confirmed one may still be given back: the cancel wins in the end, whatever came first.
      expect(['200 CONFIRMED', '200 CANCELLED', '409 bad_transition']).toContain(
        `${confirmed.status} ${confirmed.body.code ?? confirmed.body.status}`,
      );
      expect(`${cancelled.status} ${cancelled.body.status}`).toBe('200 CANCELLED');
    }
    expect(await live(s)).toEqual([]);
    expect(await inventory(first, s)).toMatchObject([{ held: 0, sold: 0 }]);
    await verify(s);
  }, 60_000);

  it('keeps capacity while it changes under a rush', async () => {
    const s = await shop(first, [{ capacity: 100 }]);
    const path = `/v1/organizations/${s.orgId}/events/${s.eventId}/ticket-types/${s.typeIds[0]}`;
    const over = new AbortController();
    const changes = (async () => {
      const told: Reply<{ version: number; capacity: number; code?: string }>[] = [];
      for (let version = 1; !over.signal.aborted; await pause(30)) {
        const reply = await either().call<{ version: number; capacity: number }>(
          'PATCH',
          path,
          { capacity: 20 + random(100) },
          { token: s.token, ifMatch: version },
        );
        if (reply.status === 200) version = reply.body.version;
        told.push(reply);
      }
      return told;
    })();
    const replies: Reply<BookingBody>[] = [];
    for (let round = 0; round < 6; round++) {
      const some = await Promise.all(Array.from({ length: 40 }, () => book(either(), s, one(s))));
      replies.push(...some);
      await Promise.all(some.filter((r) => r.status === 201 && random(2) === 0).map((r) => cancel(either(), r.body)));
    }
    over.abort();
    const told = await changes;
    expect(
      [...new Set(told.map((r) => `${r.status} ${r.body.code ?? ''}`))].filter(
        (k) => !['200 ', '409 capacity_below_sold'].includes(k),
      ),
    ).toEqual([]);
    // Five times changed while it was prepared: come again.
    expect([...kinds(replies)].filter((k) => !['201 PENDING', '409 sold_out', '503 unavailable'].includes(k))).toEqual([]);
    const [pool] = await inventory(first, s);
    expect(pool.held).toBeLessThanOrEqual(pool.capacity);
    await verify(s);
  }, 120_000);

  it('leaves no live booking of an event that is called off while holds pour in', async () => {
    const s = await shop(first, [{ capacity: 1000 }]);
    let off = false;
    const late: Reply<BookingBody>[] = [];
    const buyers = Array.from({ length: 20 }, async () => {
      const replies: Reply<BookingBody>[] = [];
      for (let after = 0; after < 3;) {
        const began = off;
        const reply = await book(either(), s, one(s));
        if (began) late.push(reply);
        if (began) after += 1;
        replies.push(reply);
        if (reply.status === 201 && random(3) === 0) await confirm(either(), reply.body);
      }
      return replies;
    });
    await pause(400);
    expectStatus(
      await first.call('POST', `/v1/organizations/${s.orgId}/events/${s.eventId}/cancel`, {}, { token: s.token }),
      200,
    );
    off = true;
    const replies = (await Promise.all(buyers)).flat();
    expect(replies.filter((r) => r.status === 201).length).toBeGreaterThan(0);
    expect(kinds(late)).toEqual(new Set(['409 not_on_sale']));
    await until('its bookings are ended', async () => (await live(s)).length === 0, 20_000);
    expect(await inventory(first, s)).toMatchObject([{ held: 0, sold: 0 }]);
    await verify(s);
  }, 60_000);

  /** Rows kept by somebody else, for as long as work takes. */
  const keeping = async <T>(sql: string, params: unknown[], work: () => Promise<T>, rows = 1): Promise<T> => {
    const keeper = new pg.Client(first.databaseUrl);
    await keeper.connect();
    try {
      await keeper.query('BEGIN');
      expect((await keeper.query(sql, params)).rowCount).toBe(rows);
      return await work();
    } finally {
      await keeper.query('ROLLBACK');
      await keeper.end();
    }
  };

  it.each([
    ['stock', `SELECT 1 FROM booking.inventory WHERE org_id = $1 AND event_id = $2 FOR UPDATE`],
    ['booking', `SELECT 1 FROM booking.booking WHERE org_id = $1 AND event_id = $2 FOR UPDATE`],
  ])(
    'lets a row of %s that somebody keeps delay only its own event',
    async (_, lock) => {
      const [kept, other] = [
        await shop(first, [{ capacity: 50 }], { holdSeconds: 5 }),
        await shop(first, [{ capacity: 50 }], { holdSeconds: 5 }),
      ];
      const waiting = expectStatus(await book(first, kept, one(kept)), 201);
      const swept = expectStatus(await book(first, other, one(other)), 201);
      const { settled, replies } = await keeping(lock, [kept.orgId, kept.eventId], async () => {
        let done = false;
        const held = Promise.all([
          ...[first, second].map((api) => confirm(api, waiting)),
          ...[first, second].map((api) => book(api, kept, one(kept))),
        ]).finally(() => (done = true));
        // All of this ends while the row is still kept.
        for (let round = 0; round < 5; round++) {
          const some = await Promise.all(
            Array.from({ length: 10 }, (_unused, n) => book(n % 2 ? first : second, other, one(other))),
          );
          const booked = expectStatus(some[0], 201);
          expectStatus(await confirm(either(), booked), 200);
          await Promise.all(
            some.slice(1).map(async (r) => r.status === 201 && expectStatus(await cancel(either(), r.body), 200)),
          );
        }
        await until(
          'holds of the other event are swept',
          async () => !(await live(other)).some((b) => b.id === swept.id),
          12_000,
        );
        return { settled: done, replies: held };
      });
      expect(settled).toBe(false);
      const [one1, two, ...books] = await replies;
      expect([...kinds([one1, two])].filter((k) => !['200 CONFIRMED', '410 hold_expired'].includes(k))).toEqual([]);
      expect([...kinds(books)].filter((k) => !['201 PENDING', '503 overloaded'].includes(k))).toEqual([]);
      await verify(kept);
      await verify(other);
    },
    60_000,
  );

  it('tells who asks again what he has, whoever keeps the row of his event', async () => {
    const kept = await shop(first, [{ capacity: 5 }]);
    const contact = { email: 'again@example.org', name: 'Again' };
    const asked = () => book(first, kept, one(kept), { contact }, { key: 'asked-again', headers: { prefer: 'wait=2' } });
    const booked = expectStatus(await asked(), 201);
    const sql = `SELECT 1 FROM booking.inventory WHERE org_id = $1 AND event_id = $2 FOR UPDATE`;
    const again = await keeping(sql, [kept.orgId, kept.eventId], asked);
    expect(expectStatus(again, 201)).toEqual(booked);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
  });

  it('lets a seat that somebody keeps delay only its own event', async () => {
    const [kept, other] = [await seatedShop(2), await shop(first, [{ capacity: 50 }])];
    const sql = `SELECT 1 FROM booking.seat WHERE org_id = $1 AND event_id = $2 AND seat_id = '1-1' FOR UPDATE`;
    const wishes = ['1-1', '1-1', '1-2'].map((id) => [{ ticketTypeId: kept.typeIds[0], seatIds: [id] }]);
    const replies = await keeping(sql, [kept.orgId, kept.eventId], async () => {
      let told = 0;
      const waiting = wishes.map((wish) => book(first, kept, wish).finally(() => (told += 1)));
      await until('one waits for the seat', async () => (await lockWaiters()) >= 1);
      for (let round = 0; round < 20; round++)
        expectStatus(await confirm(first, expectStatus(await book(first, other, one(other)), 201)), 200);
      expect(told).toBeLessThan(wishes.length);
      return waiting;
    });
    const sold = await Promise.all(replies);
    expect(sold.filter((r) => r.status === 201)).toHaveLength(2);
    expect(sold.filter((r) => r.body.code === 'seat_taken' || r.body.code === 'busy')).toHaveLength(1);
  }, 60_000);

  const lockWaiters = async () => {
    const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
    return (await first.sql.query<{ n: number }>(sql)).rows[0].n;
  };

  it('lets more kept rows than a process has connections delay only their own events', async () => {
    const owner = await organizer(first);
    const kept: Shop[] = [];
    for (let n = 0; n < 25; n++) kept.push(await shop(first, [{ capacity: 5 }], {}, owner));
    const other = await shop(first, [{ capacity: 50 }]);
    const sql = `SELECT 1 FROM booking.inventory WHERE org_id = $1 AND event_id = ANY ($2) FOR UPDATE`;
    const replies = await keeping(sql, [owner.orgId, kept.map((s) => s.eventId)], async () => {
      let told = 0;
      const waiting = kept.map((s) => book(first, s, one(s)).finally(() => (told += 1)));
      await until('some of them wait for the rows', async () => (await lockWaiters()) >= 4);
      for (let round = 0; round < 5; round++) {
        const booked = expectStatus(await book(first, other, one(other)), 201);
        expectStatus(await confirm(first, booked), 200);
      }
      // Who says for how long he waits hears in time, and nothing is left of his wish.
      const hurried = await book(first, kept[0], one(kept[0]), {}, { headers: { prefer: 'wait=1' } });
      expect(`${hurried.status} ${hurried.body.code}`).toBe('503 overloaded');
      expect(hurried.headers.get('retry-after')).toBeTruthy();
      expect(told).toBe(0);
      return waiting;
    }, kept.length); // prettier-ignore
    expect(kinds(await Promise.all(replies))).toEqual(new Set(['201 PENDING']));
    expect(await inventory(first, kept[0])).toMatchObject([{ held: 1 }]);
  }, 60_000);

  it('lets changes that wait for a kept row keep no more than their share of the connections', async () => {
    const [kept, other] = [await shop(first, [{ capacity: 5 }]), await shop(first, [{ capacity: 50 }])];
    const at = (s: Shop) => `/v1/organizations/${s.orgId}/events/${s.eventId}/ticket-types/${s.typeIds[0]}`;
    const widen = (s: Shop) => first.call<{ code?: string }>('PATCH', at(s), { capacity: 60 }, { token: s.token, ifMatch: 1 });
    const sql = `SELECT 1 FROM booking.inventory WHERE org_id = $1 AND event_id = $2 FOR UPDATE`;
    const replies = await keeping(sql, [kept.orgId, kept.eventId], async () => {
      const changes = Array.from({ length: 40 }, () => widen(kept));
      await until('some of them wait for the row', async () => (await lockWaiters()) >= 2);
      for (let round = 0; round < 5; round++) {
        const events = await first.call('GET', `/v1/organizations/${other.orgId}/events`, undefined, { token: other.token });
        expectStatus(events, 200);
        expectStatus(await confirm(first, expectStatus(await book(first, other, one(other)), 201)), 200);
      }
      // Nobody waits for longer than a request may take: some are told while the row is still kept.
      return Promise.all(changes);
    });
    expect(new Set(replies.map((r) => `${r.status} ${r.body.code}`))).toEqual(new Set(['409 busy', '503 overloaded']));
    expectStatus(await widen(kept), 200);
  }, 60_000);
});
