// Rehearse on Evently itself: a sale passes the judge; with one acknowledged booking taken away behind Evently's back it does not.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { main } from '../scripts/rehearse/main.js';
import { Harness, until } from './harness.js';

const folder = mkdtempSync(join(tmpdir(), 'evently-rehearse-evently-'));
let evently: Harness;

beforeAll(async () => (evently = await Harness.start(ApiModule, WorkerModule)));
afterAll(async () => {
  await evently?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function rehearse(...argv: string[]): Promise<{ status: number; text: string }> {
  let text = '';
  const screen = { write: (line: string) => (text += line) };
  const all = ['--url', evently.url, '--report', join(folder, 'report.html'), '--duration', '2', '--hold-seconds', '5', ...argv];
  const status = await main({ argv: all, env: { EVENTLY_HOME: folder }, out: screen, err: screen });
  return { status, text };
}

async function confirmed(): Promise<string[]> {
  const { rows } = await evently.sql.query<{ id: string }>(`SELECT id FROM booking.booking WHERE status = 'CONFIRMED'`);
  return rows.map(({ id }) => id);
}

/** Takes a newly confirmed booking out of the tables, as a bad restore or a careless hand would; its id. */
async function takeOneAway(): Promise<string> {
  const earlier = await confirmed();
  const taken = await until('a confirmed booking', async () => (await confirmed()).find((id) => !earlier.includes(id)), 60_000);
  const hand = await evently.sql.connect();
  try {
    await hand.query('BEGIN');
    await hand.query('SET LOCAL session_replication_role = replica'); // Or its foreign keys would not let it go alone.
    await hand.query('DELETE FROM booking.booking WHERE id = $1', [taken]);
    await hand.query('COMMIT');
  } finally {
    hand.release();
  }
  return taken;
}

it('passes a sale of places and seats, sold out to the last', async () => {
  const { status, text } = await rehearse('--buyers', '40', '--capacity', '8', '--seats', '10', '--seed', '11');
  expect(text).toContain('Every invariant looked at held');
  expect(text).toContain('in the end sold 18, held 0, reserved 0 of 18');
  expect(status).toBe(0);
}, 180_000);

it('exits with 1 when one acknowledged booking was taken away, and names it', async () => {
  const [{ status, text }, id] = await Promise.all([
    rehearse('--buyers', '30', '--capacity', '8', '--seed', '12', '--patience', '20'),
    takeOneAway(),
  ]);
  expect(text).toMatch(new RegExp(`2 BROKEN[\\s\\S]*Booking ${id} was acknowledged \\(\\w+\\) and now reads 404 not_found`));
  expect(status).toBe(1);
}, 180_000);
