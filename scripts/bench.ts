// `npm run bench [-- seats|batch ...]`: figures as ratios to a baseline of the same run, on servers of its own, with fsync on.
import 'reflect-metadata';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { benchBatch } from './bench/batch.js';
import { benchSeats } from './bench/seats.js';
import type { Row } from './bench/measure.js';

const rows: Record<string, () => Promise<Row[]>> = { seats: benchSeats, batch: benchBatch };

/** Milliseconds of one fdatasync of 8 kB where the data will be: the flush that every commit waits for. Median of 200. */
function flushMs(): number {
  const folder = mkdtempSync(join(tmpdir(), 'evently-flush-'));
  const fd = openSync(join(folder, 'probe'), 'w');
  const page = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let i = 0; i < 200; i++) {
    writeSync(fd, page);
    const began = performance.now();
    fdatasyncSync(fd);
    times.push(performance.now() - began);
  }
  closeSync(fd);
  rmSync(folder, { recursive: true });
  return times.sort((a, b) => a - b)[100];
}

async function main(): Promise<void> {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !rows[name]);
  if (unknown.length > 0) throw new Error(`No such row: ${unknown.join(', ')}. There are: ${Object.keys(rows).join(', ')}.`);
  const machine = `${cpus()[0].model} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  console.log(`${machine}; fdatasync ${(flushMs() * 1000).toFixed(0)} us; fsync, full_page_writes and synchronous_commit on`);
  const done: Row[] = [];
  for (const name of asked.length > 0 ? asked : Object.keys(rows)) done.push(...(await rows[name]()));
  console.log('');
  for (const r of done) console.log(`${r.name.padEnd(58)} ${r.figure.padStart(24)}   aim: ${r.aim}`);
  writeFileSync('bench.json', `${JSON.stringify({ at: new Date().toISOString(), machine, rows: done }, null, 2)}\n`);
  console.log('\nWritten to bench.json.');
}

try {
  await main();
  process.exit(0);
} catch (e) {
  console.error((e as Error).message);
  process.exit(1);
}
