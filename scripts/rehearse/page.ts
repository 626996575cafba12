// Page: the report as one HTML file that needs nothing else: figures, verdicts with their requests, and plots.
import { describe } from './client.js';
import { passed } from './judge.js';
import type { Measure, Operation } from './measure.js';
import { bars, escape, lines, type Mark, type Series } from './plot.js';
import { conclusion, headline, operationRows, percents, type Report } from './report.js';
import type { Verdict } from './verdict.js';
import { stockOf } from './watch.js';

const colors = {
  book: '#3b6fd4',
  bookSlow: '#8fb0ee',
  confirm: '#1d9a6c',
  confirmSlow: '#7fd1b1',
  cancel: '#b0762a',
  refused: '#c8553d',
  quiet: '#8b94a3',
};

const style = `
:root{color-scheme:light dark;--ink:#1b2330;--paper:#fbfbfa;--line:#d9dde3;--soft:#5d6878;--bad:#b3261e;--good:#1a7f4e}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--paper:#14181f;--line:#333b47;--soft:#9aa5b4;--bad:#ff8a80;--good:#6fd3a1}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:900px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right}th:first-child,td:first-child{text-align:left}
td.text{text-align:left}.held{color:var(--good)}.broken,.unproven{color:var(--bad)}.soft{color:var(--soft)}
figure{margin:1rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
.grid{stroke:var(--line)}line.mark{stroke:var(--bad);stroke-dasharray:3 3}text.mark{fill:var(--bad)!important}.band{fill:var(--bad);opacity:.09}
.legend{margin:0;font-size:13px}.legend span{margin-right:1.2rem}.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.4em}
pre{overflow:auto;font-size:12px;background:color-mix(in srgb,var(--line) 35%,transparent);padding:.6rem;border-radius:6px}`;

/** A whole HTML document: title, lines below it, the one sentence that matters, and sections. */
export function documentOf(
  [title, ...lede]: readonly string[],
  outcome: { good: boolean; text: string },
  sections: readonly { heading: string; html: string }[],
): string {
  const parts = sections.filter(({ html }) => html !== '').map(({ heading, html }) => `<h2>${escape(heading)}</h2>${html}`);
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escape(title!)}</title><style>${style}</style></head><body>`,
    `<h1>${escape(title!)}</h1>${lede.map((line) => `<p class="soft">${escape(line)}</p>`).join('')}`,
    `<p class="${outcome.good ? 'held' : 'broken'}"><strong>${escape(outcome.text)}</strong></p>`,
    ...parts,
    '</body></html>\n',
  ].join('\n');
}

export function reportPage(report: Report): string {
  const outcome = { good: passed(report.verdicts), text: conclusion(report.verdicts, report.options.seed) };
  return documentOf(headline(report), outcome, [
    { heading: 'Invariants', html: verdictTable(report) },
    { heading: 'Plots', html: plots(report) },
    { heading: 'Operations', html: operationTable(report.measure) },
    { heading: 'Kills', html: report.kills.length > 0 ? killTable(report) : '' },
    { heading: 'Remarks', html: remarkList(report) },
  ]);
}

function verdictTable({ verdicts, measure }: Report): string {
  const rows = verdicts.map(
    (verdict) =>
      `<tr><td>${verdict.invariant}</td><td class="text">${escape(verdict.title)}<div class="soft">${escape(verdict.looked)}</div>` +
      `${findings(verdict, measure.openedAt)}</td><td class="${verdict.state}"><strong>${verdict.state}</strong></td></tr>`,
  );
  return `<table>${rows.join('')}</table>`;
}

function findings(verdict: Verdict, openedAt: number): string {
  const all = [...verdict.broken, ...verdict.unproven];
  const shown = all.slice(0, 20).map(({ text, shownBy }) => {
    const requests = shownBy.slice(0, 12).map((exchange) => escape(describe(exchange, openedAt)));
    return `<details open><summary>${escape(text)}</summary><pre>${requests.join('\n')}</pre></details>`;
  });
  return `${shown.join('')}${all.length > 20 ? `<p>and ${all.length - 20} more</p>` : ''}`;
}

function plots(report: Report): string {
  const { measure, kills } = report;
  const since = (time: number) => (time - measure.openedAt) / 1000;
  const marks: Mark[] = kills.map(({ role, at, backAt }) => ({
    at: since(at),
    to: backAt && since(backAt),
    label: `kill ${role}`,
  }));
  return [
    lines('Stock, by the inventory', 'units', stockSeries(report, since), marks),
    ratePlot(measure, marks),
    latencyPlot(measure, marks),
    bars(
      'Answers to requests to book',
      measure.outcomes('book').map(([name, value]) => ({ name, value, color: name === '201' ? colors.book : colors.refused })),
    ),
    bars(
      'Answers to confirms',
      measure.outcomes('confirm').map(([name, value]) => ({ name, value, color: colors.confirm })),
    ),
  ].join('\n');
}

export function ratePlot(measure: Measure, marks: readonly Mark[] = []): string {
  const rate = (name: string, color: string, op: Operation, only?: (code: string) => boolean): Series => {
    const points = measure.bySecond(op, only).map(({ at, count }): [number, number] => [at, count]);
    return { name, color, points: filled(points) };
  };
  const series = [
    rate('bookings acknowledged', colors.book, 'book', (code) => code === '201'),
    rate('bookings refused or lost', colors.refused, 'book', (code) => code !== '201'),
    rate('confirms', colors.confirm, 'confirm'),
    rate('cancels', colors.cancel, 'cancel'),
  ];
  return lines('Requests a second', 'a second', series, marks);
}

export function latencyPlot(measure: Measure, marks: readonly Mark[] = []): string {
  const series = (['book', 'confirm'] as const).flatMap((op): Series[] => [
    { name: `${op} p50`, color: colors[op], points: measure.bySecond(op).map(({ at, p50 }) => [at, p50] as const) },
    { name: `${op} p99`, color: colors[`${op}Slow`], points: measure.bySecond(op).map(({ at, p99 }) => [at, p99] as const) },
  ]);
  return lines('Latency, second by second', 'ms', series, marks);
}

/** Seconds in which nothing happened are zero, not a straight line between their neighbours. */
function filled(points: readonly [number, number][]): [number, number][] {
  if (points.length === 0) return [];
  const counts = new Map(points);
  return Array.from({ length: points.at(-1)![0] + 1 }, (_, at) => [at, counts.get(at) ?? 0]);
}

function stockSeries({ record }: Report, since: (time: number) => number): Series[] {
  const readings = record.samples.filter((sample) => sample.pools && since(sample.exchange.endedAt) >= 0);
  const series = (name: string, color: string, of: (stock: ReturnType<typeof stockOf>) => number): Series => ({
    name,
    color,
    steps: true,
    points: readings.map(({ exchange, pools }) => [since(exchange.endedAt), of(stockOf(pools!, 'all', record.scene))] as const),
  });
  return [
    series('capacity', colors.quiet, (stock) => stock.capacity),
    series('sold', colors.confirm, (stock) => stock.sold),
    series('held', colors.book, (stock) => stock.held),
    series('left', colors.cancel, ({ capacity, held, sold, reserved }) => capacity - held - sold - reserved),
  ];
}

export function operationTable(measure: Measure): string {
  const head = ['operation', 'requests', 'peak/s', ...percents.map((percent) => (percent === 100 ? 'max ms' : `p${percent} ms`))];
  const rows = operationRows(measure).map(({ op, count, peak, latencies }) => [
    op,
    count,
    peak,
    ...latencies.map((ms) => ms.toFixed(1)),
  ]);
  return table(head, rows);
}

function killTable({ kills, measure }: Report): string {
  const rows = kills.map(({ role, pid, at, backAt }) => [
    role,
    pid,
    `${((at - measure.openedAt) / 1000).toFixed(2)} s`,
    backAt === undefined ? 'not back' : `${((backAt - at) / 1000).toFixed(1)} s`,
  ]);
  return table(['killed', 'process', 'at', 'back after'], rows);
}

export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const cells = (row: readonly (string | number)[], tag: string) =>
    row.map((cell) => `<${tag}>${escape(String(cell))}</${tag}>`).join('');
  return `<table><tr>${cells(head, 'th')}</tr>${rows.map((row) => `<tr>${cells(row, 'td')}</tr>`).join('')}</table>`;
}

function remarkList({ remarks, measure }: Report): string {
  return remarks
    .map(({ text, example }) => `<p>${escape(text)}</p><pre>${escape(describe(example, measure.openedAt))}</pre>`)
    .join('');
}
