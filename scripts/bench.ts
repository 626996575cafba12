// `npm run bench [-- ROW ...] [--rounds N] [--events N --bookings N]`: figures as ratios to a baseline of the same run, on servers of its own, with fsync on.
import 'reflect-metadata';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { benchBatch } from './bench/batch.js';
import { House } from './bench/house.js';
import { HttpBench } from './bench/http.js';
import { benchSeats } from './bench/seats.js';
import { benchVolume, volumeOptions } from './bench/volume.js';
import type { Row } from './bench/measure.js';
import { plot } from './bench/plot.js';
import { median } from './bench/quantile.js';

/** Rows in process, and rows over HTTP, which share a house. */
const inProcess: Record<string, (rounds: number) => Promise<Row[]>> = { seats: benchSeats, batch: benchBatch };
const overHttp: Record<string, (bench: HttpBench) => Promise<Row[]>> = {
  'hot-event': (b) => b.hotEvent(),
  nothing: (b) => b.nothing(),
  'two-apis': (b) => b.twoApis(),
  'many-events': (b) => b.manyEvents(),
  ending: (b) => b.ending(),
  confirmed: (b) => b.confirmed(),
  alone: (b) => b.alone(),
  read: (b) => b.read(),
  overload: (b) => b.overload(),
  cpu: (b) => b.cpu(),
};

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
  return median(times);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '5' }, ...volumeOptions },
  });
  const usual = [...Object.keys(inProcess), ...Object.keys(overHttp)];
  const names = [...usual, 'volume']; // Takes an hour and tens of gigabytes: only where it is asked for.
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`No such row: ${unknown.join(', ')}. There are: ${names.join(', ')}.`);
  const asked = positionals.length > 0 ? positionals : usual;
  const machine = `${cpus()[0].model} x ${cpus().length}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  console.log(`${machine}; fdatasync ${(flushMs() * 1000).toFixed(0)} us; fsync, full_page_writes and synchronous_commit on`);
  const rounds = Number(values.rounds);
  const done: Row[] = [];
  for (const name of asked.filter((n) => inProcess[n])) done.push(...(await inProcess[name](rounds)));
  if (asked.includes('volume')) done.push(...(await benchVolume(values)));
  const http = asked.filter((n) => overHttp[n]);
  if (http.length > 0) done.push(...(await measureHttp(http, rounds)));
  console.log('');
  for (const r of done) console.log(`${r.name.padEnd(86)} ${r.figure.padStart(24)}${r.aim && `   aim: ${r.aim}`}`);
  const bench = { at: new Date().toISOString(), machine, rows: done };
  writeFileSync('bench.json', `${JSON.stringify(bench, null, 2)}\n`);
  writeFileSync('bench.svg', plot(bench));
  console.log('\nWritten to bench.json and bench.svg.');
}

async function measureHttp(names: string[], rounds: number): Promise<Row[]> {
  const house = await House.start();
  try {
    const bench = new HttpBench(house, rounds);
    const done: Row[] = [];
    for (const name of names) {
      console.log(`\n${name}`);
      done.push(...(await overHttp[name](bench)));
    }
    return done;
  } finally {
    await house.stop();
  }
}

try {
  await main();
  process.exit(0);
} catch (e) {
  console.error((e as Error).message);
  process.exit(1);
}
