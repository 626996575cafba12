// Connections at their worst moments: ended by Postgres with the very bytes that hand it on to the next who wants it, and cut off without a word.
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Proxy } from '../../../test/proxy.js';
import { endSilent, makeDataSource, pipeline, unlimit } from './data-source.js';
import { Database } from './database.js';
import { Express } from './express.js';

/** An ErrorResponse of the protocol: what a dying Postgres says, whoever listens. */
function goodbye(): Buffer {
  const fields = Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0');
  const head = Buffer.alloc(5);
  head.write('E');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}

let proxy: Proxy;
const uncaught: unknown[] = [];
const note = (e: unknown) => void uncaught.push(e);
beforeAll(async () => {
  proxy = await Proxy.before(process.env.TEST_DATABASE_URL!);
  process.prependListener('uncaughtException', note);
});
afterAll(async () => {
  process.removeListener('uncaughtException', note);
  await proxy.down();
});

it('fails the next query of that connection, not the process', async () => {
  const source = await makeDataSource({ url: proxy.through(process.env.TEST_DATABASE_URL!), poolSize: 1 }).initialize();
  try {
    const db = new Database(source);
    proxy.onReply = (reply, asked) => (asked.includes('the last words') ? Buffer.concat([reply, goodbye()]) : 'pass');
    const last = db.query('SELECT 1 AS one -- the last words');
    // It waits for the pool's one connection, and gets it in the same breath as the goodbye.
    const next = db.transaction(() => db.query('SELECT 2 AS two'));
    expect(await last).toEqual([{ one: 1 }]);
    await expect(next).rejects.toThrow(/not queryable|terminat/);
    expect(await db.transaction(() => db.query('SELECT 3 AS three'))).toEqual([{ three: 3 }]);
  } finally {
    await source.destroy();
  }
  expect(uncaught).toEqual([]);
});

const SILENT_MS = 300;

it('is ended when it is in use and says nothing for too long, and the next one serves', async () => {
  const pool = endSilent(new pg.Pool({ connectionString: proxy.through(process.env.TEST_DATABASE_URL!), max: 1 }), SILENT_MS);
  pool.on('error', () => undefined);
  const processOf = async () => (await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0].pid;
  try {
    const first = await processOf();
    await new Promise((resolve) => setTimeout(resolve, 2 * SILENT_MS));
    expect(await processOf()).toBe(first); // Idle it may say nothing.
    const client = await pool.connect();
    await client.query('BEGIN');
    await unlimit(client);
    const { rows } = await client.query<{ pid: number }>(`SELECT pg_backend_pid() AS pid, pg_sleep(${(2 * SILENT_MS) / 1000})`);
    expect(rows[0].pid).toBe(first); // So it may when it was asked for what takes long.
    await client.query('COMMIT');
    client.release();
    proxy.forsake();
    await expect(pool.query('SELECT 1')).rejects.toThrow(/terminated/);
    expect(await processOf()).not.toBe(first);
  } finally {
    await pool.end();
  }
});

it('takes statements that were sent without waiting in their order, each for itself, and another connection where it breaks', async () => {
  const source = makeDataSource({ url: proxy.through(process.env.TEST_DATABASE_URL!), poolSize: 1 });
  const express = new Express(pipeline(source));
  const ask = async (sql: string) => Object.values((await express.query(sql)).rows[0] as object)[0] as unknown;
  const order: string[] = [];
  const told = (name: string, sql: string) => ask(sql).finally(() => order.push(name));
  try {
    proxy.onReply = () => 'pass';
    const mine = 'pg_backend_pid() AS pid';
    const asked = [told('slow', `SELECT ${mine}, pg_sleep(0.2)`), told('wrong', 'SELECT 1 / 0'), told('quick', `SELECT ${mine}`)];
    const [slow, wrong, quick] = await Promise.allSettled(asked);
    expect(order).toEqual(['slow', 'wrong', 'quick']);
    expect(wrong).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
    expect(quick).toEqual(slow);
    const ended = ask('SELECT pg_terminate_backend(pg_backend_pid())');
    const behind = ask(`SELECT ${mine}`);
    const again = ended.catch(() => ask(`SELECT ${mine}`)); // In the same breath, while who is behind has not heard of it yet.
    const [first, second, third] = await Promise.allSettled([ended, behind, again]);
    expect([first.status, second.status, third.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(third).not.toEqual(slow);
  } finally {
    await express.end();
  }
});
