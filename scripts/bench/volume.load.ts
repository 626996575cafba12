// Volume's loading: rows stream into Postgres by COPY, organization by organization; look-up indexes are made when all are in.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { COLUMNS, EVENTS_EACH, noRows, organization, type Rows, type Size } from './volume.rows.js';

/** Organizations of one transaction. */
const CHUNK = 4;
/** While one chunk is on its way, the next is being made. */
const AT_ONCE = 2;
const TELL_MS = 15_000;

const TABLES = Object.keys(COLUMNS) as (keyof Rows)[];

export interface Loaded {
  organizations: number;
  rows: number;
  seconds: number;
  bytes: number;
}

/** How many organizations hold so many events. */
export const organizationsOf = (size: Size) => Math.max(1, Math.round(size.events / EVENTS_EACH));

/** Fills an empty, migrated database. Stops between two chunks when the signal says so; what was loaded by then is of no use. */
export async function load(url: string, size: Size, ada: string, signal: AbortSignal): Promise<Loaded> {
  const pool = new pg.Pool({ connectionString: url, max: AT_ONCE });
  pool.on('error', () => undefined);
  try {
    const began = performance.now();
    const orgs = organizationsOf(size);
    const indexes = await dropIndexes(pool);
    const rows = await copyAll(pool, orgs, size, ada, signal);
    const say = (what: string) => console.log(`  ${what}, ${((performance.now() - began) / 1000).toFixed(0)} s since the start`);
    say('rows are in; making indexes');
    for (const { definition } of indexes) {
      signal.throwIfAborted();
      await pool.query(definition);
    }
    say('indexes are made; VACUUM ANALYZE');
    await pool.query('VACUUM ANALYZE');
    await pool.query('CHECKPOINT');
    const [{ bytes }] = (await pool.query<{ bytes: string }>('SELECT pg_database_size(current_database())::text AS bytes')).rows;
    return { organizations: orgs, rows, seconds: (performance.now() - began) / 1000, bytes: Number(bytes) };
  } finally {
    await pool.end();
  }
}

async function copyAll(pool: pg.Pool, orgs: number, size: Size, ada: string, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  let next = 0;
  let count = 0;
  let told = began;
  const lane = async () => {
    while (next < orgs) {
      signal.throwIfAborted();
      const first = next;
      next = Math.min(orgs, first + CHUNK);
      const rows = noRows();
      for (let o = first; o < next; o++) organization(o, orgs, size, ada, rows);
      await copy(pool, rows);
      count += TABLES.reduce((sum, table) => sum + rows[table].length, 0);
      if (performance.now() - told < TELL_MS) continue;
      told = performance.now();
      const rate = count / ((told - began) / 1000);
      console.log(`  ${((100 * next) / orgs).toFixed(1)} % of ${size.events} events, ${(rate / 1000).toFixed(0)} 000 rows/s`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return count;
}

/** One transaction. Foreign keys are not looked up: what they ask for is in the same chunk. */
async function copy(pool: pg.Pool, rows: Rows): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL session_replication_role = replica');
    for (const table of TABLES) {
      const into = client.query(copyFrom(`COPY ${table} (${COLUMNS[table]}) FROM STDIN`));
      await pipeline(Readable.from(lines(rows[table])), into);
    }
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

const LINES = 500;
function* lines(rows: readonly string[]): Generator<string> {
  for (let i = 0; i < rows.length; i += LINES) yield `${rows.slice(i, i + LINES).join('\n')}\n`;
}

/** Takes away the indexes that are no constraint's. */
async function dropIndexes(pool: pg.Pool): Promise<{ definition: string }[]> {
  const { rows } = await pool.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
     WHERE i.indrelid = ANY ($1::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid) ORDER BY 1`,
    [TABLES],
  );
  for (const { name } of rows) await pool.query(`DROP INDEX ${name}`);
  return rows;
}
