// Replay report: the table per original month, file beside sales report, as text and as a page.
import { describe } from './client.js';
import type { Measure } from './measure.js';
import { documentOf, latencyPlot, operationTable, ratePlot, table } from './page.js';
import { escape } from './plot.js';
import { sumOf, type MonthResult, type ReplayResult } from './replay.js';
import { columns, hardware } from './report.js';
import { sameTally, type Tally } from './reservations.js';

export interface ReplayReport {
  file: string;
  base: URL;
  weeks: number;
  events: number;
  result: ReplayResult;
  measure: Measure;
}

const failuresTold = 5;

/** Whether every month, and every shifted month within it, is in the report as in the file. */
export const replayPassed = ({ months }: ReplayResult): boolean => months.every(monthAgrees);

const monthAgrees = ({ report, file, differing }: MonthResult): boolean =>
  report !== undefined && differing.length === 0 && sameTally(report, file);

export function replayText(report: ReplayReport): string {
  const { result, measure } = report;
  const { months, failures } = result;
  const wrong = months.filter((month) => !monthAgrees(month));
  return [
    '',
    ...headline(report),
    '',
    ...columns([head, ...rowsOf(months)]),
    ...wrong.flatMap(({ month, differing, exchange }) => [
      `${month}: the report differs${differing.length > 0 ? ` for events that now lie in ${differing.join(', ')}` : ''}`,
      `    ${describe(exchange, measure.openedAt)}`,
    ]),
    ...(failures.length > 0 ? ['', `${failures.length} requests were not answered as they must be:`] : []),
    ...failures
      .slice(0, failuresTold)
      .flatMap(({ text, exchange }) => [`  ${text}`, ...(exchange ? [`    ${describe(exchange, measure.openedAt)}`] : [])]),
    '',
    conclusion(result),
  ].join('\n');
}

export function replayPage(report: ReplayReport): string {
  const { result, measure } = report;
  const failures = result.failures
    .slice(0, 20)
    .map(({ text, exchange }) => `${text}\n${exchange ? describe(exchange, measure.openedAt) : ''}`);
  return documentOf(headline(report), { good: replayPassed(result), text: conclusion(result) }, [
    { heading: 'By original month', html: table(head, rowsOf(result.months)) },
    { heading: 'Plots', html: ratePlot(measure) + latencyPlot(measure) },
    { heading: 'Operations', html: operationTable(measure) },
    { heading: 'Not answered as they must be', html: failures.length > 0 ? `<pre>${escape(failures.join('\n\n'))}</pre>` : '' },
  ]);
}

function headline({ file, base, weeks, events, result, measure }: ReplayReport): string[] {
  const seconds = (result.soldAt - result.openedAt) / 1000;
  const made = result.months.reduce((sum, month) => sum + month.file.bookings, 0);
  const requests = (['book', 'confirm', 'cancel', 'read'] as const).reduce((sum, op) => sum + measure.count(op), 0);
  return [
    `Replay of ${file} on ${base.origin}: ${made} reservations, ${events} events, all dates ${weeks} weeks later`,
    `On ${hardware()}`,
    `Booked, confirmed and cancelled in ${seconds.toFixed(1)} s: ${Math.round(made / seconds)} reservations and ${Math.round(requests / seconds)} requests a second`,
  ];
}

const head = ['month', 'bookings', 'in report', 'cancelled', 'in report', 'revenue EUR', 'in report', 'equal'];

function rowsOf(months: readonly MonthResult[]): string[][] {
  const rows = months.map((month) => rowOf(month.month, month.file, { report: month.report, equal: monthAgrees(month) }));
  const readable = months.flatMap(({ report }) => (report ? [report] : []));
  const total = { report: sumOf(readable), equal: months.every(monthAgrees) };
  return [...rows, rowOf('all', sumOf(months.map(({ file }) => file)), total)];
}

function rowOf(name: string, file: Tally, { report, equal }: { report?: Tally; equal: boolean }): string[] {
  const said = (of: (tally: Tally) => string) => (report ? of(report) : 'unread');
  const euros = ({ revenue }: Tally) => (revenue / 100).toFixed(2);
  return [
    name,
    String(file.bookings),
    said(({ bookings }) => String(bookings)),
    String(file.cancelled),
    said(({ cancelled }) => String(cancelled)),
    euros(file),
    said(euros),
    equal ? 'yes' : 'NO',
  ];
}

function conclusion(result: ReplayResult): string {
  const wrong = result.months.filter((month) => !monthAgrees(month)).map(({ month }) => month);
  return wrong.length === 0
    ? 'The sales report says what the file says, month by month.'
    : `NOT equal: the sales report and the file differ in ${wrong.join(', ')}.`;
}
