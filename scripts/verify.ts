// `npm run verify`: folds the whole event store and compares it with what is stored; rebuilds a row from its history. Exit 0: equal,
// 1: differences, 2: it could not look.
import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ApiModule } from '../apps/api/api.module.js';
import { isId } from '../libs/kernel/ids.js';
import { checkEnvironment } from '../libs/platform/config/config.reader.js';
import type { Difference } from '../libs/platform/eventstore/books.spi.js';
import { CannotRebuild, Rebuild, type RebuildPlan } from '../libs/platform/eventstore/rebuild.service.js';
import { VerifyModule } from '../libs/platform/eventstore/verify.module.js';
import { VerifyRepository } from '../libs/platform/eventstore/verify.repository.js';
import { Verify, type VerifyProgress } from '../libs/platform/eventstore/verify.service.js';

const USAGE = `npm run verify -- [--org ID] [--json]
npm run verify -- --rebuild TABLE KEY... [--yes] [--json]

Folds every stream of the event store and compares with the stored rows, then compares counters with what they count.
  --org ID                only this organization
  --json                  one JSON document instead of a table
  --rebuild TABLE KEY...  shows what would make that row agree with its history (KEY: the values of its primary key); --yes does it
Exit status: 0 all is equal (or rebuilt), 1 there are differences, 2 it could not look.`;

/** More are counted, not shown; and not kept in memory. */
const SHOWN = 200;
const SHOWN_JSON = 10_000;

@Module({ imports: [ApiModule, VerifyModule] })
class VerifyHouse {}

/** A mistake in how it was called. */
class Usage extends Error {}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: {
        org: { type: 'string' },
        json: { type: 'boolean', default: false },
        rebuild: { type: 'boolean', default: false },
        yes: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
      allowPositionals: true,
    });
    if (values.org !== undefined && !isId(values.org))
      throw new Error(`--org needs the id of an organization, not ${values.org}.`);
    if (!values.rebuild && positionals.length > 0) throw new Error(`What is ${positionals[0]}?`);
    if (values.rebuild && positionals.length < 2)
      throw new Error('--rebuild needs a table and the values of the row’s primary key.');
    if (values.yes && !values.rebuild) throw new Error('--yes goes with --rebuild.');
    return { ...values, positionals };
  } catch (e) {
    throw new Usage((e as Error).message);
  }
}

async function main(): Promise<number> {
  const args = readArguments();
  if (args.help) {
    console.log(USAGE);
    return 0;
  }
  checkEnvironment(process.env);
  const app = await NestFactory.createApplicationContext(VerifyHouse, { logger: false, abortOnError: false });
  try {
    const pending = await app.get(VerifyRepository).pending();
    if (pending.length > 0)
      throw new CannotRebuild(`The database lacks migrations (${pending.join(', ')}): run npm run migrate.`);
    if (args.rebuild) return await rebuild(app.get(Rebuild), args);
    return await verify(app.get(Verify), args);
  } finally {
    await app.close();
  }
}

async function verify(it: Verify, { org, json }: { org?: string; json: boolean }): Promise<number> {
  const began = performance.now();
  const shown: Difference[] = [];
  const most = json ? SHOWN_JSON : SHOWN;
  const so = await it.run({
    orgId: org,
    found: (d) => shown.length < most && shown.push(d),
    progress: json ? undefined : tellProgress,
  });
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
  if (json) console.log(JSON.stringify({ equal: so.differences === 0, ...so, seconds, shown }, null, 2));
  else {
    if (shown.length > 0) console.log(table(shown));
    if (so.differences > shown.length)
      console.log(`... and ${so.differences - shown.length} more. --json shows up to ${SHOWN_JSON}.`);
    const read = `${so.organizations} organizations, ${so.events} domain events, ${so.rows} rows in ${seconds} s`;
    console.log(so.differences === 0 ? `Equal: ${read}.` : `${so.differences} differences: ${read}.`);
  }
  return so.differences === 0 ? 0 : 1;
}

/** Every few seconds, where somebody watches. */
let toldAt = performance.now();
function tellProgress({ organizations, events, differences }: VerifyProgress): void {
  if (!process.stderr.isTTY || performance.now() - toldAt < 2000) return;
  toldAt = performance.now();
  console.error(`... ${organizations} organizations, ${events} domain events, ${differences} differences`);
}

async function rebuild(
  it: Rebuild,
  { positionals, yes, json }: { positionals: string[]; yes: boolean; json: boolean },
): Promise<number> {
  const [name, ...key] = positionals;
  const plan = yes ? await it.apply(name, key) : await it.plan(name, key);
  if (json) console.log(JSON.stringify({ ...plan, done: yes }, null, 2));
  else console.log(describe(plan, yes));
  const left = plan.lost.length + (yes ? 0 : plan.changes.length);
  return left === 0 ? 0 : 1;
}

function describe({ table: name, key, changes, lost, empty }: RebuildPlan, done: boolean): string {
  const lines: string[] = [];
  if (changes.length > 0) lines.push(table(changes));
  if (changes.length === 0) lines.push(`${name} ${key} agrees with its history.`);
  else lines.push(done ? `Rebuilt from its history.` : 'Nothing was changed. Add --yes to do it.');
  if (empty.length > 0) lines.push(`History does not know ${empty.join(', ')}: empty in the new row, to be filled by hand.`);
  if (lost.length > 0) lines.push(`History knows only a digest of ${lost.join(', ')}: take the text from a backup.`);
  return lines.join('\n');
}

const columns = ['orgId', 'table', 'key', 'column', 'stored', 'expected'] as const;
const titles = ['organization', 'table', 'key', 'column', 'stored', 'history says'];
const MAX_WIDTH = 44;

function table(differences: readonly Difference[]): string {
  const cut = (text: string) => (text.length > MAX_WIDTH ? `${text.slice(0, MAX_WIDTH - 1)}…` : text);
  const cells = differences.map((d) => columns.map((c) => (c === 'key' || c === 'orgId' ? String(d[c]) : cut(d[c] ?? 'null'))));
  const widths = titles.map((t, i) => Math.max(t.length, ...cells.map((row) => row[i].length)));
  const line = (row: readonly string[]) => row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd(); // prettier-ignore
  return [line(titles), line(widths.map((w) => '-'.repeat(w))), ...cells.map(line)].join('\n');
}

try {
  process.exitCode = await main();
} catch (e) {
  console.error(e instanceof Usage ? `${e.message}\n\n${USAGE}` : `Verify could not look: ${(e as Error).message}`);
  process.exitCode = 2;
}
