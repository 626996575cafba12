// Statistics: a table that has doubled is counted anew, with what that means for plans kept on other connections; one that has not is left alone.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { PlatformHouse } from '../../../test/platform.house.js';
import { newOrgId } from '../../kernel/ids.js';
import { Statistics } from './statistics.processor.js';

const org = newOrgId();
let house: PlatformHouse;
let statistics: Statistics;

const fill = (rows: number) =>
  house.sql.query(
    `INSERT INTO platform.job (org_id, id, type, data, request_id) SELECT $1, gen_random_uuid(), 'spec', '{}', 'r' FROM generate_series(1, $2::int)`,
    [org, rows],
  );
const counted = async () =>
  (await house.sql.query<{ n: number }>(`SELECT reltuples::int AS n FROM pg_class WHERE oid = 'platform.job'::regclass`)).rows[0]
    .n;

beforeAll(async () => {
  house = await PlatformHouse.open();
  statistics = new Statistics(house.db);
  await house.sql.query('ALTER TABLE platform.job SET (autovacuum_enabled = false); ANALYZE platform.job');
});
afterAll(() => house.close());

it('counts a table anew once it has doubled, and not before', async () => {
  const recounted = (rows: number) => async () => {
    await statistics.countDoubled();
    return (await counted()) === rows;
  };
  await fill(1000);
  await until('the table is counted', recounted(1000)); // Postgres tells of what was written a second later at the latest.
  await fill(900);
  // What a connection has written it tells at the latest when it ends.
  await until('Postgres has told of it', async () => {
    await house.sql.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await house.sql.query(`SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = 'platform.job'::regclass`);
    return Number(rows[0].n_live_tup) === 1900;
  });
  await statistics.countDoubled();
  expect(await counted()).toBe(1000);
  await fill(200);
  await until('the table is counted again', recounted(2100));
});
