// Report: the end of a rehearsal in words and figures, for the terminal.
import { cpus, totalmem } from 'node:os';
import { describe } from './client.js';
import type { Remark } from './judge.js';
import { killLine, type Kill } from './killer.js';
import { percentile, type Measure, type Operation } from './measure.js';
import type { Options } from './options.js';
import type { RushRecord, Verdict } from './verdict.js';
import { stockOf } from './watch.js';

export interface Report {
  options: Options;
  base: URL;
  record: RushRecord;
  measure: Measure;
  verdicts: readonly Verdict[];
  remarks: readonly Remark[];
  kills: readonly Kill[];
  endedAt: number;
}

/** Findings told in full; a broken counter can break the same thing a thousand times. */
const told = 4;
const requestsTold = 6;
export const percents = [50, 90, 99, 99.9, 100];

export function reportText(report: Report): string {
  const { measure, kills, verdicts, remarks } = report;
  return [
    '',
    ...headline(report),
    '',
    ...operationTable(measure),
    '',
    ...refusals(measure),
    ...(kills.length > 0 ? ['', 'Kills', ...kills.flatMap((kill) => killTold(kill, measure.openedAt))] : []),
    '',
    'Invariants (DESIGN 5)',
    ...verdicts.flatMap((verdict) => verdictLines(verdict, measure.openedAt)),
    ...(remarks.length > 0 ? ['', 'Remarks (no invariant, but not as it should be)'] : []),
    ...remarks.flatMap(({ text, example }) => [`  ${text}`, `      ${describe(example, measure.openedAt)}`]),
    '',
    conclusion(verdicts, report.options.seed),
  ].join('\n');
}

export function headline({ options, base, record, measure, endedAt }: Report): string[] {
  const { rush, seed } = options;
  const { ledger, books, scene } = record;
  const stock = stockOf(books.inventory.pools!, 'all', scene);
  const confirmed = ledger.booked().filter((intent) => intent.confirmedBy()).length;
  const seconds = (endedAt - measure.openedAt) / 1000;
  const goods = [rush.capacity > 0 ? `${rush.capacity} places` : '', rush.seats > 0 ? `${rush.seats} seats` : '']
    .filter(Boolean)
    .join(' and ');
  return [
    `Rehearsal of ${base.origin}: ${goods}, arrivals ${rush.arrivals}, seed ${seed}, ${seconds.toFixed(1)} s`,
    `On ${hardware()}`,
    `${ledger.intents.length} requests to book, ${ledger.booked().length} acknowledged, ${confirmed} confirmed; ` +
      `in the end sold ${stock.sold}, held ${stock.held}, reserved ${stock.reserved} of ${stock.capacity}`,
  ];
}

export function hardware(): string {
  const [first] = cpus();
  return `${cpus().length} x ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version} (client and, if local, server together)`;
}

export interface OperationRow {
  op: Operation;
  count: number;
  peak: number;
  latencies: number[];
}

export function operationRows(measure: Measure): OperationRow[] {
  return measure.operations().map((op) => {
    const sorted = measure.sorted(op);
    const peak = Math.max(0, ...measure.bySecond(op).map((second) => second.count));
    return { op, count: sorted.length, peak, latencies: percents.map((percent) => percentile(sorted, percent)) };
  });
}

function operationTable(measure: Measure): string[] {
  const header = ['operation', 'requests', 'peak/s', ...percents.map((percent) => (percent === 100 ? 'max' : `p${percent}`))];
  const rows = operationRows(measure).map(({ op, count, peak, latencies }) => [
    op,
    String(count),
    String(peak),
    ...latencies.map((ms) => ms.toFixed(1)),
  ]);
  return [...columns([header, ...rows]), '(latencies in milliseconds, per request as sent, waiting for a connection included)'];
}

/** Right-aligned columns, the first one left. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, n) => Math.max(...rows.map((row) => row[n]!.length)));
  return rows.map((row) => row.map((cell, n) => (n === 0 ? cell.padEnd(widths[n]!) : cell.padStart(widths[n]!))).join('  '));
}

function refusals(measure: Measure): string[] {
  const rows = (['book', 'confirm', 'cancel', 'read'] as const).flatMap((op) => {
    const outcomes = measure.outcomes(op).map(([code, count]) => `${code} ${count}`);
    return outcomes.length > 0 ? [`  ${op.padEnd(8)} ${outcomes.join(', ')}`] : [];
  });
  return ['Outcomes', ...rows];
}

function killTold(kill: Kill, openedAt: number): string[] {
  const killed = `  ${killLine({ ...kill, backAt: undefined }, openedAt)}`;
  return [killed, kill.backAt === undefined ? `  ${kill.role} was not back within two minutes` : `  ${killLine(kill, openedAt)}`];
}

function verdictLines(verdict: Verdict, openedAt: number): string[] {
  const state = { held: 'held', broken: 'BROKEN', unproven: 'UNPROVEN' }[verdict.state];
  const findings = [...verdict.broken, ...verdict.unproven];
  const more = findings.length > told ? [`     and ${findings.length - told} more of this kind`] : [];
  return [
    `  ${String(verdict.invariant).padStart(2)} ${state.padEnd(9)} ${verdict.title}`,
    `     ${verdict.looked}`,
    ...findings
      .slice(0, told)
      .flatMap(({ text, shownBy }) => [
        `     ${text}`,
        ...shownBy.slice(0, requestsTold).map((exchange) => `         ${describe(exchange, openedAt)}`),
      ]),
    ...more,
  ];
}

export function conclusion(verdicts: readonly Verdict[], seed: number): string {
  const failed = verdicts.filter(({ state }) => state !== 'held');
  if (failed.length === 0) return `Every invariant looked at held. The same run again: --seed ${seed}`;
  const names = failed.map(({ invariant, state }) => `${invariant} ${state}`).join(', ');
  return `NOT as promised: invariant ${names}. The same run again: --seed ${seed}`;
}
