// The batch against a transaction per booking with a row lock, with the same rows and the same durability, and against Postgres' own
// single-row inserts; all in process.
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
import { SingleInserts } from './inserts.js';
import { rate, spread, type Row } from './measure.js';
import { median } from './quantile.js';
import { LockPerBooking } from './rival.js';
import { startServers } from './servers.js';

const WORKERS = 64; // And as many connections, for who needs one each.
const SECONDS = 3;
/** A look-up planned on an empty table is planned again after this long; the variants are warm by then. */
const WARM_SECONDS = 9;

interface Stage {
  orgId: string;
  eventId: string;
  poolId: string;
  typeId: string;
}

export async function benchBatch(rounds: number): Promise<Row[]> {
  const servers = await startServers();
  const source = await makeDataSource({ url: servers.databaseUrl, poolSize: WORKERS + 4 }).initialize();
  let inserts: SingleInserts | undefined;
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
    inserts = await SingleInserts.open(servers.databaseUrl, WORKERS);
    return await compare(rounds, {
      batch: () => held(inventory.hold(wish(stage))),
      lock: () => held(lock.hold(wish(stage))),
      insert: () => inserts!.insert(),
    });
  } finally {
    await inserts?.close();
    await source.destroy();
    await servers.stop();
  }
}

type Name = 'batch' | 'lock' | 'insert';

async function compare(rounds: number, { batch, lock, insert }: Record<Name, () => Promise<unknown>>): Promise<Row[]> {
  for (const variant of [batch, lock, insert]) await rate(WORKERS, WARM_SECONDS, variant);
  const told: Record<Name, number>[] = [];
  for (let i = 0; i < rounds; i++)
    told.push({
      batch: await rate(WORKERS, SECONDS, batch),
      lock: await rate(WORKERS, SECONDS, lock),
      insert: await rate(WORKERS, SECONDS, insert),
    });
  const [batches, locks, inserts] = (['batch', 'lock', 'insert'] as const).map((name) => told.map((round) => round[name]));
  console.log(`in process, ${WORKERS} at once: batch ${spread(batches, 0)} holds/s; row lock ${spread(locks, 0)} holds/s; single-row inserts ${spread(inserts, 0)}/s`); // prettier-ignore
  const toLocks = told.map((round) => round.batch / round.lock);
  const toInserts = told.map((round) => round.batch / round.insert);
  const single = `single-row inserts, a commit each, ${WORKERS} connections`;
  return [
    {
      name: 'the batch in process / row-lock transaction per booking',
      figure: spread(toLocks),
      aim: 'at least 20',
      values: toLocks,
      ratio: true,
    },
    { name: `the batch in process / ${single}`, figure: spread(toInserts, 2), aim: '-', values: toInserts, ratio: true },
    { name: 'the batch in process, holds/s', figure: median(batches).toFixed(0), aim: '-', values: batches },
    { name: `${single}, rows/s`, figure: median(inserts).toFixed(0), aim: '-', values: inserts },
  ];
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
  claim: { scope: randomBytes(32), key: 'bench', bodyHash: randomBytes(32) }, actor: 'anonymous', requestId: 'bench', traceId: null,
  lines: [{ ticketTypeId: s.typeId, poolId: s.poolId, quantity: 1, unitPrice: 2500, total: 2500, seatIds: null, salesStartAt: null, salesEndAt: null, maxPerPerson: null }],
}); // prettier-ignore
