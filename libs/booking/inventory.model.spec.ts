// The batch functions against a plain model of their rules: random lists of requests, real Postgres, every verdict and every row compared.
// A failure prints its seed: MODEL_SEED=... and MODEL_PATH=... run it again; MODEL_RUNS=... runs more.
import { readFileSync, readdirSync } from 'node:fs';
import { Module } from '@nestjs/common';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../test/harness.js';
import { InventoryModel } from '../../test/inventory.model.js';
import { newId, newOrgId } from '../kernel/ids.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { VerifyModule } from '../platform/eventstore/verify.module.js';
import { Verify } from '../platform/eventstore/verify.service.js';
import { PlatformModule } from '../platform/platform.module.js';
import { BookingExtended, BookingPaymentFailed } from './booking.domain-events.js';
import { Booking } from './booking.entity.js';
import { BooksRepository } from './books.repository.js';
import { InventoryRepository } from './inventory.repository.js';
import type { HoldLine, HoldRequest } from './inventory.rules.js';
import './item.entity.js';
import { confirmBatch, holdBatch, releaseBatch } from './migrations/batch.functions.js';
import { SeatRepository } from './seat.repository.js';
import { StockRepository } from './stock.repository.js';
import './ticket.entity.js';

@Module({
  imports: [PlatformModule, VerifyModule],
  providers: [BooksRepository, InventoryRepository, SeatRepository, StockRepository],
})
class Stock {}

const START = Date.parse('2030-01-01T00:00:00Z');
const SEATS = 6;

const small = fc.nat({ max: 30 });
const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const line = fc.record({
  type: small,
  quantity: fc.integer({ min: 1, max: 4 }),
  seats: fc.uniqueArray(fc.nat({ max: SEATS }), { minLength: 1, maxLength: 3 }),
});
const holdWish = fc.record({
  event: small,
  lines: fc.array(line, { minLength: 1, maxLength: 3 }),
  promo: fc.option(small, { nil: null }),
  person: fc.option(fc.nat({ max: 2 }), { nil: null }),
  key: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: small }),
  otherBody: rarely,
  stale: rarely,
  open: fc.boolean(),
  seconds: fc.constantFrom(5, 60),
});
const confirmWish = fc.record({ booking: small, wrongVersion: rarely, late: fc.boolean() });
const releaseWish = fc.record({
  booking: small,
  version: fc.constantFrom('right', 'right', 'none', 'wrong'),
  reason: fc.constantFrom('requested', 'expired', 'payment'),
});
const command = fc.oneof(
  {
    weight: 8,
    // A crowd wants what only stock can refuse: the batch decides that in one go.
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      crowd: fc.boolean(),
      wishes: fc.array(holdWish, { minLength: 1, maxLength: 8 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('confirm' as const), wishes: fc.array(confirmWish, { minLength: 1, maxLength: 6 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('release' as const), wishes: fc.array(releaseWish, { minLength: 1, maxLength: 6 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 5, 6, 60, 90_000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('sale' as const), event: small, onSale: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('capacity' as const), pool: small, capacity: fc.nat({ max: 12 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('waiting' as const), pool: small, waiting: fc.nat({ max: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('paying' as const), booking: small, paying: fc.boolean() }) },
);
const typeWish = fc.record({
  pool: small,
  maxPerPerson: fc.option(fc.integer({ min: 1, max: 5 }), { nil: null }),
  window: fc.constantFrom('open', 'open', 'open', 'later', 'until'),
});
const world = fc.record({
  pools: fc.array(fc.nat({ max: 8 }), { minLength: 1, maxLength: 3 }),
  types: fc.array(typeWish, { minLength: 1, maxLength: 4 }),
  promos: fc.array(
    fc.record({
      maxUses: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
      maxPerPerson: fc.option(fc.integer({ min: 1, max: 2 }), { nil: null }),
    }),
    { maxLength: 2 },
  ),
});
type World = typeof world extends fc.Arbitrary<infer W> ? W : never;
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never;
type HoldWish = typeof holdWish extends fc.Arbitrary<infer W> ? W : never;

/** What is for sale in one run: two events that share nothing, each with general types and one seated type. */
interface Sale {
  eventId: string;
  pools: string[];
  types: { id: string; poolId: string; maxPerPerson: number | null; from: Date | null; until: Date | null; seated: boolean }[];
  promos: { id: string; maxUses: number | null; maxPerPerson: number | null }[];
}

/** How often each verdict was given: a rule that never decides is not tested. */
const said = new Map<string, number>();

const pick = <T>(list: readonly T[], n: number): T => list[n % list.length];

class Run {
  readonly model = new InventoryModel();
  readonly orgId = newOrgId();
  private readonly sales: Sale[] = [];
  private readonly asked: HoldRequest[] = [];
  private serial = 0;

  constructor(private readonly evently: Harness) {}

  private get = <T>(token: abstract new (...args: never[]) => T): T => this.evently.api.get(token as never);

  async open(w: World): Promise<void> {
    await this.evently.sql.query('TRUNCATE platform.clock_shift');
    this.model.now = START;
    for (let e = 0; e < 2; e++) {
      const eventId = newId(this.orgId);
      const sale: Sale = { eventId, pools: [], types: [], promos: w.promos.map((p) => ({ ...p, id: newId(this.orgId) })) };
      for (const capacity of [...w.pools, SEATS]) sale.pools.push(await this.pool(eventId, capacity));
      for (const t of w.types) {
        const from = t.window === 'later' ? new Date(START + 30_000) : null;
        const until = t.window === 'until' ? new Date(START + 30_000) : null;
        sale.types.push({
          id: newId(this.orgId),
          poolId: pick(sale.pools.slice(0, -1), t.pool),
          maxPerPerson: t.maxPerPerson,
          from,
          until,
          seated: false,
        });
      }
      const seated = {
        id: newId(this.orgId),
        poolId: sale.pools[sale.pools.length - 1],
        maxPerPerson: null,
        from: null,
        until: null,
        seated: true,
      };
      sale.types.push(seated);
      this.sales.push(sale);
      await this.tellSale(eventId, { revision: 1, onSale: true, endsAt: START + 500_000 });
      const seats = Array.from({ length: SEATS }, (_, n) => ({
        seatId: `${e}-${n}`, section: 'S', sectionName: 'S', row: '1', number: `${n}`, x: n, y: 0, zone: 'z', accessible: false, companionOf: null, ordinal: n,
      })); // prettier-ignore
      await this.get(SeatRepository).place(this.orgId, eventId, seated.id, seats);
      for (const s of seats) this.model.seats.set(s.seatId, { typeId: seated.id, eventId, bookingId: null });
    }
  }

  private async pool(eventId: string, capacity: number): Promise<string> {
    const poolId = newId(this.orgId);
    await this.get(StockRepository).createPool({ orgId: this.orgId, eventId, poolId, capacity });
    this.model.pools.set(poolId, { capacity, held: 0, sold: 0, reserved: 0, waiting: 0 });
    return poolId;
  }

  private async tellSale(eventId: string, event: { revision: number; onSale: boolean; endsAt: number }): Promise<void> {
    const at = { startsAt: new Date(event.endsAt - 1000), endsAt: new Date(event.endsAt), timeZone: 'UTC', currency: 'EUR' };
    await this.get(StockRepository).tellSale({
      orgId: this.orgId,
      eventId,
      revision: event.revision,
      onSale: event.onSale,
      ...at,
    });
    this.model.events.set(eventId, event);
  }

  /** Does a command to both sides and compares all there is. */
  async step(c: Command): Promise<void> {
    switch (c.do) {
      case 'hold':
        await this.hold(c.wishes, c.crowd);
        break;
      case 'confirm':
        await this.confirm(c.wishes);
        break;
      case 'release':
        await this.release(c.wishes);
        break;
      case 'wait':
        this.model.now += c.seconds * 1000;
        await this.evently.sql.query(
          `INSERT INTO platform.clock_shift (shift) VALUES ($1) ON CONFLICT (one) DO UPDATE SET shift = clock_shift.shift + excluded.shift`,
          [`${c.seconds} seconds`],
        );
        break;
      case 'sale': {
        const { eventId } = pick(this.sales, c.event);
        const event = this.model.events.get(eventId)!;
        await this.tellSale(eventId, { ...event, onSale: c.onSale, revision: event.revision + 1 });
        break;
      }
      case 'capacity':
        await this.capacity(this.poolAt(c.pool), c.capacity);
        break;
      case 'waiting':
        await this.evently.sql.query('UPDATE booking.inventory SET waiting = $2 WHERE pool_id = $1', [
          this.poolAt(c.pool),
          c.waiting,
        ]);
        this.model.pools.get(this.poolAt(c.pool))!.waiting = c.waiting;
        break;
      case 'paying':
        await this.paying(c.booking, c.paying);
        break;
    }
    await this.compare();
  }

  private poolAt = (n: number) => pick([...this.model.pools.keys()], n);

  private async hold(wishes: HoldWish[], crowd: boolean): Promise<void> {
    const batch: HoldRequest[] = [];
    const keys = new Set<string>();
    for (const wish of wishes) {
      const request = this.request(crowd ? { ...wish, promo: null, person: null } : wish, crowd);
      if (keys.has(request.claim.key)) continue; // Nobody sends a key twice at once past the crowd's leases.
      keys.add(request.claim.key);
      batch.push(request);
    }
    const expected = this.model.hold(batch);
    const verdicts = await this.get(InventoryRepository).hold(batch, false);
    expect(verdicts.map((v) => v.said)).toEqual(expected);
    for (const v of expected) said.set(`hold ${v}`, (said.get(`hold ${v}`) ?? 0) + 1);
    for (const [i, v] of verdicts.entries()) {
      if (v.said !== 'replay') continue;
      const kept = [...this.model.keys].find(([key]) => key.endsWith(` ${batch[i].claim.key}`))![1];
      expect({ bookingId: v.bookingId, code: v.code, status: v.status }).toEqual({
        bookingId: kept.bookingId,
        code: kept.code,
        status: kept.bookingId ? 201 : 409,
      });
    }
    this.asked.push(...batch);
  }

  private request(w: HoldWish, crowd: boolean): HoldRequest {
    const sale = pick(this.sales, w.event);
    const unlimited = sale.types.filter((t) => crowd && !t.seated && !t.from && !t.until && t.maxPerPerson === null);
    const types = unlimited.length > 0 ? unlimited : sale.types;
    const seen = new Set<string>();
    const lines = w.lines.flatMap((l): HoldLine[] => {
      const type = pick(types, l.type);
      if (seen.has(type.id)) return [];
      seen.add(type.id);
      // One number past the last seat: a seat that is not there.
      const seatIds = type.seated ? l.seats.map((n) => `${this.sales.indexOf(sale)}-${n}`) : null;
      const quantity = seatIds?.length ?? l.quantity;
      const { id: ticketTypeId, poolId, maxPerPerson, from: salesStartAt, until: salesEndAt } = type;
      return [
        {
          ticketTypeId,
          poolId,
          quantity,
          unitPrice: 100,
          total: 100 * quantity,
          seatIds,
          salesStartAt,
          salesEndAt,
          maxPerPerson,
        },
      ];
    });
    const again = w.key !== null && this.asked.length > 0 ? pick(this.asked, w.key).claim : null;
    const fresh = { scope: Buffer.from('scope'), key: `key ${++this.serial}`, bodyHash: Buffer.from('body') };
    const claim = again ? { ...again, bodyHash: w.otherBody ? Buffer.from('other') : again.bodyHash } : fresh;
    return {
      kind: 'hold', orgId: this.orgId, bookingId: newId(this.orgId), eventId: sale.eventId,
      revision: this.model.events.get(sale.eventId)!.revision - (w.stale ? 1 : 0), holdSeconds: w.seconds, currency: 'EUR',
      total: lines.reduce((n, l) => n + l.total, 0), promo: w.promo !== null && sale.promos.length > 0 ? pick(sale.promos, w.promo) : null,
      accountId: null, person: w.person === null ? null : Buffer.from([1, w.person]), email: null, name: null, locale: 'en', answers: null, claim,
      open: w.open, actor: 'anonymous', requestId: 'model', traceId: null, lines,
    }; // prettier-ignore
  }

  private bookingAt = (n: number) => pick([...this.model.bookings.values()], n);

  private async confirm(wishes: { booking: number; wrongVersion: boolean; late: boolean }[]): Promise<void> {
    if (this.model.bookings.size === 0) return;
    const batch = wishes.map((w) => {
      const { request, version } = this.bookingAt(w.booking);
      const tickets = request.lines.flatMap((l, i) =>
        Array.from({ length: l.quantity }, (_, n) => ({
          id: newId(this.orgId),
          line: i + 1,
          ticketTypeId: l.ticketTypeId,
          seatId: l.seatIds?.[n] ?? null,
          code: 'code',
        })),
      );
      const poolIds = request.lines.map((l) => l.poolId);
      const about = {
        kind: 'confirm' as const,
        orgId: this.orgId,
        actor: 'anonymous',
        requestId: 'model',
        traceId: null,
        poolIds,
        tickets,
      };
      return { ...about, bookingId: request.bookingId, version: version + (w.wrongVersion ? 1 : 0), late: w.late };
    });
    const expected = this.model.confirm(batch);
    expect((await this.get(InventoryRepository).confirm(batch, false)).map((v) => v.said)).toEqual(expected);
    for (const v of expected) said.set(`confirm ${v}`, (said.get(`confirm ${v}`) ?? 0) + 1);
  }

  private async release(wishes: { booking: number; version: string; reason: string }[]): Promise<void> {
    if (this.model.bookings.size === 0) return;
    const batch = wishes.map((w) => {
      const { request, version } = this.bookingAt(w.booking);
      const about = {
        kind: 'release' as const,
        orgId: this.orgId,
        actor: 'anonymous',
        requestId: 'model',
        traceId: null,
        note: null,
        refund: 0,
      };
      const poolIds = request.lines.map((l) => l.poolId);
      const named = w.version === 'none' ? null : version + (w.version === 'wrong' ? 1 : 0);
      return { ...about, poolIds, bookingId: request.bookingId, version: named, reason: w.reason };
    });
    const expected = this.model.release(batch);
    expect((await this.get(InventoryRepository).release(batch, false)).map((v) => v.said)).toEqual(expected);
    for (const v of expected) said.set(`release ${v}`, (said.get(`release ${v}`) ?? 0) + 1);
  }

  private async capacity(poolId: string, capacity: number): Promise<void> {
    const p = this.model.pools.get(poolId)!;
    const fits = p.held + p.sold + p.reserved <= capacity;
    expect(await this.get(StockRepository).setCapacity(this.orgId, poolId, capacity)).toBe(fits);
    if (fits) p.capacity = capacity;
  }

  /** A payment begins or comes to nothing, as checkout writes it. */
  private async paying(n: number, paying: boolean): Promise<void> {
    if (this.model.bookings.size === 0) return;
    const b = this.bookingAt(n);
    if (b.status !== 'PENDING' || b.paying === paying) return;
    const { bookingId, eventId } = b.request;
    const db = this.get(Database);
    await db.transaction(async () => {
      const row = (await db.findForUpdate(Booking, { orgId: this.orgId, id: bookingId }))!;
      row.paying = paying;
      await db.saveVersioned(row);
      await this.get(EventStore).announce(
        (paying ? BookingExtended : BookingPaymentFailed)({ orgId: this.orgId, bookingId, eventId }),
        row,
      );
    });
    Object.assign(b, { paying, version: b.version + 1 });
  }

  private async compare(): Promise<void> {
    const { rows } = await this.evently.sql.query<{ state: unknown }>(
      `SELECT jsonb_build_object(
         'pools', (SELECT jsonb_object_agg(pool_id, jsonb_build_object('capacity', capacity, 'held', held, 'sold', sold, 'reserved', reserved, 'waiting', waiting)) FROM booking.inventory WHERE org_id = $1),
         'seats', (SELECT jsonb_object_agg(seat_id, coalesce(state || ' ' || booking_id, state)) FROM booking.seat WHERE org_id = $1),
         'bookings', (SELECT jsonb_object_agg(b.id, jsonb_build_object('status', b.status, 'reason', b.cancel_reason, 'expiresAt', extract(epoch FROM b.expires_at) * 1000,
            'paying', b.paying, 'version', b.version, 'tickets', (SELECT count(*) FROM booking.ticket t WHERE t.org_id = b.org_id AND t.booking_id = b.id AND t.status = 'valid')))
            FROM booking.booking b WHERE b.org_id = $1),
         'promos', (SELECT jsonb_object_agg(promo_id, used) FROM booking.promo_use WHERE org_id = $1 AND used > 0),
         'persons', (SELECT jsonb_object_agg(subject_id || ' ' || encode(person, 'hex'), used) FROM booking.person_use WHERE org_id = $1 AND used > 0)) AS state`,
      [this.orgId],
    );
    expect(rows[0].state).toEqual(this.expected());
  }

  private expected(): unknown {
    const { pools, seats, bookings, promoUse, personUse } = this.model;
    const used = (map: Map<string, number>) => {
      const some = [...map].filter(([, n]) => n > 0);
      return some.length > 0 ? Object.fromEntries(some) : null;
    };
    const seatState = (owner: string | null) =>
      owner === null ? 'free' : `${bookings.get(owner)!.status === 'CONFIRMED' ? 'sold' : 'held'} ${owner}`;
    const all = [...bookings].map(([id, { request: _r, ...b }]) => [id, b] as const);
    return {
      pools: Object.fromEntries(pools),
      seats: Object.fromEntries([...seats].map(([id, s]) => [id, seatState(s.bookingId)])),
      bookings: all.length > 0 ? Object.fromEntries(all) : null,
      promos: used(promoUse),
      persons: used(personUse),
    };
  }

  /** What is stored is what the history and the counters' books say, too. */
  async verify(): Promise<void> {
    const found: unknown[] = [];
    await this.get(Verify).run({ orgId: this.orgId, found: (d) => found.push(d) });
    expect([...found, ...(await this.get(BooksRepository).differences(this.orgId))]).toEqual([]);
  }
}

describe('the batch functions agree with their model', () => {
  let evently: Harness;
  beforeAll(async () => {
    evently = await Harness.start(Stock);
    // A clock that stands still between commands, so that the model knows what time it is.
    await evently.sql.query(`CREATE OR REPLACE FUNCTION platform.now() RETURNS timestamptz LANGUAGE sql STABLE AS
      $$ SELECT timestamptz '2030-01-01T00:00:00Z' + coalesce((SELECT shift FROM platform.clock_shift), interval '0') $$`);
  });
  afterAll(() => {
    console.log(JSON.stringify(Object.fromEntries([...said].sort())));
    return evently?.stop();
  });

  const holds = () =>
    fc.asyncProperty(world, fc.array(command, { minLength: 4, maxLength: 24 }), async (w, commands) => {
      const run = new Run(evently);
      await run.open(w);
      for (const c of commands) await run.step(c);
      await run.verify();
    });

  const { MODEL_SEED, MODEL_PATH, MODEL_RUNS } = process.env;
  const seed = MODEL_SEED ? Number(MODEL_SEED) : Math.floor(Math.random() * 2 ** 31);

  it(`verdicts, counters, seats and limits (seed ${seed})`, async () => {
    await fc.assert(holds(), { seed, path: MODEL_PATH, numRuns: Number(MODEL_RUNS ?? 250) });
  }, 600_000);

  it('has seen every verdict', () => {
    const holdsSaid = [
      'held',
      'replay',
      'reused',
      'stale',
      'not_on_sale',
      'sold_out',
      'seat_taken',
      'seat_unknown',
      'limit_exceeded',
    ];
    const confirmsSaid = ['confirmed', 'already', 'stale', 'hold_expired', 'bad_transition', 'sold_out'];
    const releasesSaid = ['cancelled', 'already', 'stale', 'alive'];
    const all = [
      ...holdsSaid.map((v) => `hold ${v}`),
      ...confirmsSaid.map((v) => `confirm ${v}`),
      ...releasesSaid.map((v) => `release ${v}`),
    ];
    if (!MODEL_PATH) expect([...said.keys()].sort()).toEqual(all.sort()); // prettier-ignore
  });

  const red = new URL('../../test/red/', import.meta.url);
  const patches = readdirSync(red).filter((name) => name.endsWith('.patch'));

  it('has patches that must be seen', () => expect(patches.length).toBeGreaterThan(0));

  it.each(patches)(
    'goes red with %s',
    async (name) => {
      const original = [holdBatch, confirmBatch, releaseBatch];
      const damaged = original.map((sql) => patched(sql, readFileSync(new URL(name, red), 'utf8')));
      expect(damaged).not.toEqual(original);
      for (const sql of damaged) await evently.sql.query(replacing(sql));
      try {
        const result = await fc.check(holds(), { seed, numRuns: 400, endOnFailure: true });
        expect(result.failed, `the model does not see ${name}`).toBe(true);
      } finally {
        for (const sql of original) await evently.sql.query(replacing(sql));
      }
    },
    600_000,
  );
});

const replacing = (sql: string) => sql.replaceAll('CREATE FUNCTION', 'CREATE OR REPLACE FUNCTION');

/** A text with a unified diff's hunks applied, those of them that fit it. */
function patched(text: string, patch: string): string {
  for (const hunk of patch.split(/^@@.*$/m).slice(1)) {
    const lines = hunk.split('\n').filter((l) => /^[ +-]/.test(l));
    const side = (sign: string) => lines.filter((l) => l[0] === ' ' || l[0] === sign).map((l) => l.slice(1)).join('\n'); // prettier-ignore
    text = text.replace(side('-'), () => side('+'));
  }
  return text;
}
