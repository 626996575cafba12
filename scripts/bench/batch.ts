// The batch against a transaction per booking with a row lock, both in process, with the same rows and the same durability.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BookingConfig } from '../../libs/booking/booking.config.js';
import { InventoryRepository } from '../../libs/booking/inventory.repository.js';
import type { HoldRequest } from '../../libs/booking/inventory.rules.js';
import { Inventory } from '../../libs/booking/inventory.service.js';
import { newId, newOrgId } from '../../libs/kernel/ids.js';
import { Database } from '../../libs/platform/db/database.js';
import { makeDataSource } from '../../libs/platform/db/data-source.js';
import { migrate } from '../../libs/platform/db/migrations.js';
import { EventPoke } from '../../libs/platform/eventstore/event.poke.js';
import { Meter } from '../../libs/platform/observe/meter.js';
import { median, rate, spread, type Row } from './measure.js';
import { ClsModule } from 'nestjs-cls';

type Infra = typeof import('../infra.mjs');

const WORKERS = 64;
const ROUNDS = 5;
const SECONDS = 3;
/** A look-up planned on an empty table is planned again after this long; both variants are warm by then. */
const WARM_SECONDS = 9;

interface Stage {
  db: Database;
  orgId: string;
  eventId: string;
  poolId: string;
  typeId: string;
}

export async function benchBatch(): Promise<Row[]> {
  const { startInfra } = (await import(new URL('../../../scripts/infra.mjs', import.meta.url).href)) as Infra;
  const folder = mkdtempSync(join(tmpdir(), 'evently-bench-'));
  chmodSync(folder, 0o711);
  const infra = await startInfra({ folder, tests: true, say: () => undefined });
  ClsModule.forRoot({ global: true });
  const source = await makeDataSource({ url: infra.databaseUrl, poolSize: WORKERS + 4 }).initialize();
  try {
    await migrate(infra.databaseUrl);
    const stage = await makeStage(new Database(source));
    const inventory = new Inventory(
      new InventoryRepository(stage.db),
      stage.db,
      new BookingConfig(),
      new EventPoke({ publish: () => undefined } as never),
      new Meter(),
    );
    const batch = () => inventory.hold(wish(stage));
    const single = () => lockPerBooking(stage, wish(stage));
    await rate(WORKERS, WARM_SECONDS, batch);
    await rate(WORKERS, WARM_SECONDS, single);
    const pairs = [];
    for (let i = 0; i < ROUNDS; i++)
      pairs.push({ batch: await rate(WORKERS, SECONDS, batch), single: await rate(WORKERS, SECONDS, single) });
    const rates = pairs.map((p) => p.batch);
    const ratios = pairs.map((p) => p.batch / p.single);
    console.log(`in process, ${WORKERS} at once: batch ${spread(rates, 0)} holds/s; row lock ${spread(pairs.map((p) => p.single), 0)} holds/s`); // prettier-ignore
    return [
      {
        name: `the batch in process / row-lock transaction per booking`,
        figure: spread(ratios),
        aim: 'at least 20',
        values: ratios,
      },
      { name: 'the batch in process, holds/s', figure: median(rates).toFixed(0), aim: '-', values: rates },
    ];
  } finally {
    await source.destroy();
    await infra.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One event with one pool that nobody can sell out. */
async function makeStage(db: Database): Promise<Stage> {
  const orgId = newOrgId();
  const stage = { db, orgId, eventId: newId(orgId), poolId: newId(orgId), typeId: newId(orgId) };
  await db.execute(
    `INSERT INTO booking.event_sale (org_id, event_id, revision, on_sale, starts_at, ends_at, time_zone, currency)
     VALUES ($1, $2, 1, true, now() + interval '30 days', now() + interval '31 days', 'UTC', 'EUR')`,
    [orgId, stage.eventId],
  );
  await db.execute(`INSERT INTO booking.inventory (org_id, pool_id, event_id, capacity) VALUES ($1, $2, $3, 2000000000)`, [
    orgId,
    stage.poolId,
    stage.eventId,
  ]);
  return stage;
}

const wish = (s: Stage): HoldRequest => ({
  kind: 'hold', orgId: s.orgId, bookingId: newId(s.orgId), eventId: s.eventId, revision: 1, holdSeconds: 600, currency: 'EUR', total: 2500, promo: null, open: false,
  accountId: null, person: null, email: 'buyer@example.org', name: 'Buyer', locale: 'en', answers: null,
  claim: { scope: randomBytes(32), key: 'bench', bodyHash: randomBytes(32) }, actor: 'anonymous', requestId: 'bench',
  lines: [{ ticketTypeId: s.typeId, poolId: s.poolId, quantity: 1, unitPrice: 2500, total: 2500, seatIds: null, salesStartAt: null, salesEndAt: null, maxPerPerson: null }],
}); // prettier-ignore

/** The usual algorithm: lock the row, check, write the same rows, commit. One buyer after another. */
async function lockPerBooking({ db }: Stage, r: HoldRequest): Promise<void> {
  await db.transaction(async () => {
    await db.prepared('b-key', `SELECT 1 FROM platform.idempotency WHERE org_id = $1 AND scope = $2 AND key = $3`, [
      r.orgId,
      r.claim.scope,
      r.claim.key,
    ]);
    await db.prepared('b-sale', `SELECT revision FROM booking.event_sale WHERE org_id = $1 AND event_id = $2 AND on_sale`, [
      r.orgId,
      r.eventId,
    ]);
    const [line] = r.lines;
    const [pool] = await db.prepared<{ free: number }>(
      'b-lock',
      `SELECT capacity - held - sold - reserved AS free FROM booking.inventory WHERE org_id = $1 AND pool_id = $2 FOR UPDATE`,
      [r.orgId, line.poolId],
    );
    if (pool.free < line.quantity) throw new Error('sold out');
    await db.prepared(
      'b-take',
      `UPDATE booking.inventory SET held = held + $3, changes = changes + 1 WHERE org_id = $1 AND pool_id = $2`,
      [r.orgId, line.poolId, line.quantity],
    );
    await db.prepared(
      'b-booking',
      `WITH b AS (INSERT INTO booking.booking (org_id, id, event_id, status, expires_at, currency, total, contact_email, contact_name, created_at)
         VALUES ($1, $2, $3, 'PENDING', platform.now() + interval '600 seconds', $4, $5, $6, $7, platform.now()) RETURNING *),
       i AS (INSERT INTO booking.item (org_id, booking_id, line, ticket_type_id, pool_id, quantity, unit_price, total)
         VALUES ($1, $2, 1, $8, $9, $10, $11, $11) RETURNING *)
       SELECT platform.event_append(ARRAY[b.org_id], ARRAY['booking:' || b.id], ARRAY[1], ARRAY['booking.held'],
         ARRAY[jsonb_build_object('orgId', b.org_id, 'bookingId', b.id, 'eventId', b.event_id, 'rows',
           jsonb_build_object('booking.booking', jsonb_build_array(booking.public_booking(b::booking.booking)), 'booking.item', jsonb_build_array(to_jsonb(i))))],
         ARRAY[$12], ARRAY[$13]) FROM b, i`,
      [
        r.orgId,
        r.bookingId,
        r.eventId,
        r.currency,
        r.total,
        r.email,
        r.name,
        line.ticketTypeId,
        line.poolId,
        line.quantity,
        line.total,
        r.actor,
        r.requestId,
      ],
    );
    await db.prepared('b-keep', `INSERT INTO platform.idempotency (org_id, scope, key, body_hash, status, subject_id, request_id) VALUES ($1, $2, $3, $4, 201, $5, $6)`, [
      r.orgId, r.claim.scope, r.claim.key, r.claim.bodyHash, r.bookingId, r.requestId,
    ]); // prettier-ignore
  });
}
