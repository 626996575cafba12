// Plans: with much data, no statement that the product runs reads a table that grows from end to end, or most of it for a few rows.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { Meter } from '../libs/platform/observe/meter.js';
import { WorkerEngine } from '../libs/platform/queue/worker.engine.js';
import { BusyHouse } from './busy.js';
import { Harness, until } from './harness.js';
import { nodesOf, PlanWatch, problems, type Statement } from './plans.watch.js';
import { multiply, tablesOf } from './plans.worlds.js';

/** Tables that stay as small as they are, however much is sold. Every other one grows. */
const SMALL: Record<string, string> = {
  'platform.clock_shift': 'one row, in tests only',
  'platform.consumer': 'a row for each consumer in the code',
};
/** Statements that may read much, by a part of their text, each with its reason. */
const ALLOWED: Record<string, string> = {
  'FROM platform.dead_letter GROUP BY consumer': 'counts them for operators, who are to make them few',
};

let watch: PlanWatch;
let evently: Harness;
let counts: Record<string, number>;
let emptyDay: Statement[];
let fullDay: Statement[];

const bad = (statements: readonly Statement[]) =>
  statements
    .filter((s) => !Object.keys(ALLOWED).some((part) => s.sql.includes(part)))
    .flatMap((s) =>
      problems(s.plan, (table) => !(table in SMALL)).map((p) => `${p}: ${s.sql.replace(/\s+/g, ' ').slice(0, 400)}`),
    );

beforeAll(async () => {
  watch = new PlanWatch();
  evently = await Harness.start(ApiModule, WorkerModule);
  // Emptied and counted as empty, as after a first VACUUM: from now on the planner believes that reading everything is cheapest.
  await evently.sql.query('VACUUM ANALYZE');
  const big = await BusyHouse.live(evently);
  emptyDay = watch.take();
  await evently.sql.query(`
    INSERT INTO platform.dead_letter (org_id, consumer, stream, stream_version, attempts, error)
      SELECT org_id, 'nobody', stream, stream_version, 12, 'given up' FROM platform.event LIMIT 1;
    INSERT INTO auth.api_key_use (org_id, api_key_id, used_at) SELECT org_id, id, created_at FROM auth.api_key LIMIT 1;
    INSERT INTO payments.watch (org_id, subject_id, due_at) SELECT org_id, id, created_at + interval '1 year' FROM payments.payment LIMIT 1`);
  await evently.shiftClock(6); // Idle consumers write their places down, so that none of what is copied is news to them.
  await until('consumers have heard everything', async () => {
    const { rows } = await evently.sql.query(
      `SELECT 1 FROM platform.consumer WHERE target IS NOT NULL OR pg_snapshot_xmin(done) <= (SELECT max(xid) FROM platform.event)`,
    );
    return rows.length === 0;
  }); // prettier-ignore
  // Copied, one that is under way would be ten thousand that are due, and the worker would leave an index full of those it has done.
  await until('no job is left to do', async () => {
    const { rows } = await evently.sql.query(
      `SELECT 1 FROM platform.job WHERE status IN ('queued', 'running') AND run_at <= platform.now() + interval '1 minute'`,
    );
    return rows.length === 0;
  });
  counts = await multiply(
    evently.sql,
    (await tablesOf(evently.sql)).filter((t) => !(t in SMALL)),
  );
  watch.take();
  await look(await BusyHouse.live(evently));
  await look(big);
  await keepHouse();
  fullDay = watch.take();
}, 120_000);
afterAll(async () => {
  watch.stop();
  await evently?.stop();
});

/** Every page that organizers, buyers and the public read, with every filter. */
async function look(house: BusyHouse): Promise<void> {
  const { token, orgId } = house.owner;
  // Ids that were copied are none that anybody may ask for.
  const one = async (id: string, from: string) =>
    (
      await evently.sql.query<{ id: string }>(
        `SELECT ${id} AS id FROM ${from} AND right(${id}::text, 8) = right($1::text, 8) GROUP BY 1 ORDER BY count(*) DESC LIMIT 1`,
        [orgId],
      )
    ).rows[0].id;
  const e = await one('event_id', 'booking.booking WHERE org_id = $1');
  const seated = await one('event_id', 'booking.seat WHERE org_id = $1');
  const b = await one('id', `booking.booking WHERE org_id = $1 AND status = 'CONFIRMED'`);
  const t = await one('id', `booking.ticket WHERE org_id = $1 AND status = 'valid'`);
  const job = await one('id', 'platform.job WHERE org_id = $1');
  const type = await one('id', 'catalog.ticket_type WHERE org_id = $1');
  const venue = await one('id', 'catalog.venue WHERE org_id = $1');
  const o = `/v1/organizations/${orgId}`;
  const paths = [
    '/v1/me', '/v1/me/sessions', '/v1/me/organizations', '/v1/me/bookings', '/readyz', '/metrics',
    '/v1/events', '/v1/events?q=conc', '/v1/events?q=jazz', '/v1/events?q=jazz+rock', '/v1/events?near=52.5,13.4,30', '/v1/events?q=concert&near=52.5,13.4,30',
    '/v1/events?from=2028-01-01T00:00:00Z&to=2028-09-01T00:00:00Z', `/v1/events/${e}`, `/v1/events/${e}/availability`, `/v1/events/${seated}/seats`,
    `/v1/bookings/${b}`, `/v1/bookings/${b}/history`, `/v1/bookings/${b}/history?at=2030-01-01T00:00:00Z`, `/v1/bookings/${b}/tickets.pdf`, `/v1/tickets/${t}/qr.svg`,
    `/v1/jobs/${job}`, o, `${o}/members`, `${o}/invitations`, `${o}/api-keys`, `${o}/messages`, `${o}/payments`, `${o}/payments?bookingId=${b}`, `${o}/reports/sales?by=month`,
    `${o}/venues`, `${o}/venues/${venue}`, `${o}/venues/${venue}/seat-map`, `${o}/events?limit=1`, `${o}/events?status=draft`, `${o}/events?status=past`,
    `${o}/events?status=published&from=2028-01-01T00:00:00Z`, `${o}/events/${e}`, `${o}/events/${e}/pools`, `${o}/events/${e}/ticket-types`,
    `${o}/events/${e}/ticket-types/${type}`, `${o}/events/${e}/fields`, `${o}/events/${e}/promo-codes`, `${o}/events/${e}/inventory`, `${o}/events/${e}/bookings`,
    `${o}/events/${e}/bookings?status=CANCELLED&limit=5`, `${o}/events/${e}/bookings?q=same`, `${o}/events/${e}/bookings.csv`,
  ]; // prettier-ignore
  for (const path of paths) {
    const reply = await evently.call<{ nextCursor?: string | null }>('GET', path, undefined, { token });
    expect([path, reply.status]).toEqual([path, path.includes(type) ? (expect.any(Number) as number) : 200]);
    if (!reply.body?.nextCursor) continue;
    const next = `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(reply.body.nextCursor)}`;
    expect([next, (await evently.call('GET', next, undefined, { token })).status]).toEqual([next, 200]);
  }
}

/** Everything that the worker does by the clock, and what it tells operators. */
async function keepHouse(): Promise<void> {
  const { loops } = evently.worker!.get(WorkerEngine) as unknown as { loops: { name: string; work: () => Promise<unknown> }[] };
  expect(loops.map((l) => l.name)).toContain('Housekeeping.trimJobs');
  for (const { work } of loops) await work();
  await evently.worker!.get(Meter).text();
}

describe('with much data', () => {
  it('every table that grows has rows enough for the planner to have a choice', () => {
    expect(Object.entries(counts).filter(([, n]) => n < 5000)).toEqual([]);
  });

  it('every statement reads what it needs through an index', () => {
    expect(fullDay.length).toBeGreaterThan(150);
    expect(bad(fullDay)).toEqual([]);
  });

  it('none reads all of a table because it was planned while nothing was sold yet', () => {
    // Postgres' own look-ups of foreign keys say FROM ONLY.
    const planned = emptyDay.filter((s) => !s.sql.includes('FROM ONLY'));
    const inner = planned.filter((s) => s.inner);
    expect(planned.length).toBeGreaterThan(100);
    expect(inner.length).toBeGreaterThan(15);
    expect(bad(planned).filter((problem) => problem.startsWith('reads all of'))).toEqual([]);
    // What functions run is planned for good; for others the worst lasts until the table has doubled (libs/platform/queue/statistics.processor.ts).
    expect(bad(inner)).toEqual([]);
  });

  it("none reads an organization's tickets to find those of a booking, however few there were when it was planned", () => {
    const ofTickets = emptyDay.flatMap((s) => nodesOf(s.plan)).filter((node) => node['Relation Name'] === 'ticket');
    expect(ofTickets.length).toBeGreaterThan(10);
    expect(ofTickets.filter((node) => node.Filter?.includes('booking_id'))).toEqual([]);
  });
});
