// The batch against a transaction per booking with a row lock, both in process, with the same rows and the same durability.
import { randomBytes } from 'node:crypto';
import { BookingConfig } from '../../libs/booking/booking.config.js';
import { InventoryRepository } from '../../libs/booking/inventory.repository.js';
import type { HoldRequest, HoldVerdict } from '../../libs/booking/inventory.rules.js';
import { Inventory } from '../../libs/booking/inventory.service.js';
import { newId, newOrgId } from '../../libs/kernel/ids.js';
import { Database } from '../../libs/platform/db/database.js';
import { makeDataSource } from '../../libs/platform/db/data-source.js';
import { EventPoke } from '../../libs/platform/eventstore/event.poke.js';
import { Meter } from '../../libs/platform/observe/meter.js';
import { rate, spread, type Row } from './measure.js';
import { median } from './quantile.js';
import { LockPerBooking } from './rival.js';
import { startServers } from './servers.js';
import { ClsModule } from 'nestjs-cls';

const WORKERS = 64;
const ROUNDS = 5;
const SECONDS = 3;
/** A look-up planned on an empty table is planned again after this long; both variants are warm by then. */
const WARM_SECONDS = 9;

interface Stage {
  orgId: string;
  eventId: string;
  poolId: string;
  typeId: string;
}

export async function benchBatch(): Promise<Row[]> {
  const servers = await startServers();
  ClsModule.forRoot({ global: true });
  const source = await makeDataSource({ url: servers.databaseUrl, poolSize: WORKERS + 4 }).initialize();
  try {
    const db = new Database(source);
    const stage = await makeStage(db);
    const inventory = new Inventory(
      new InventoryRepository(db),
      db,
      new BookingConfig(),
      new EventPoke({ publish: () => undefined } as never),
      new Meter(),
    );
    const lock = new LockPerBooking(db, null);
    const batch = () => held(inventory.hold(wish(stage)));
    const single = () => held(lock.hold(wish(stage)));
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
    await servers.stop();
  }
}

/** What is refused is done sooner, and would be counted as a hold. */
async function held(verdict: Promise<HoldVerdict>): Promise<void> {
  const { said } = await verdict;
  if (said !== 'held') throw new Error(`A hold was answered ${said}.`);
}

/** One event with one pool that nobody can sell out. */
async function makeStage(db: Database): Promise<Stage> {
  const orgId = newOrgId();
  const stage = { orgId, eventId: newId(orgId), poolId: newId(orgId), typeId: newId(orgId) };
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
