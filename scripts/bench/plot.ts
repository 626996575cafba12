// Plot: a benchmark's rows as one SVG: each ratio's median and its least and most against its aim, and the plain figures below.
import { escape } from '../rehearse/plot.js';
import type { Row } from './measure.js';
import { median } from './quantile.js';

export interface Bench {
  at: string;
  machine: string;
  rows: readonly Row[];
}

const width = 1000;
const edge = 24;
const ratioTall = 38;
const plainTall = 18;
const top = 92;

const style = `
  text { font: 12px system-ui, sans-serif; fill: #1c2430; } .title { font-size: 16px; font-weight: 600; } .soft { fill: #5b6675; }
  .paper { fill: #fff; } .grid { stroke: #d8dde4; } .aim { stroke: #1c2430; stroke-dasharray: 4 3; }
  .bar { stroke-width: 6; stroke-linecap: round; stroke-opacity: .45; }
  .met { stroke: #1a7f4b; fill: #1a7f4b; } .missed { stroke: #b3261e; fill: #b3261e; } .aimless { stroke: #5b6675; fill: #5b6675; }
  text.met, text.missed, text.aimless { stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6e9ee; } .soft { fill: #9aa5b4; } .paper { fill: #14181f; } .grid { stroke: #333b47; } .aim { stroke: #e6e9ee; }
    .met { stroke: #6fd3a1; fill: #6fd3a1; } .missed { stroke: #ff8a80; fill: #ff8a80; } .aimless { stroke: #9aa5b4; fill: #9aa5b4; }
  }`;

/** How far each round came: 1 is the aim, 2 twice as good, whether it asks for much or for little. Without an aim: the ratio itself. */
interface Reach {
  row: Row;
  least: number;
  middle: number;
  most: number;
  verdict: 'met' | 'missed' | 'aimless';
}

function reachOf(row: Row): Reach {
  const [, way, figure, percent] = /^at (least|most) ([\d.]+)( %)?$/.exec(row.aim) ?? [];
  const aim = Number(figure ?? 1) / (percent ? 100 : 1);
  const reach = (value: number) => (way === 'most' ? aim / value : value / aim);
  const ends = row.values.map(reach);
  const middle = reach(median(row.values));
  const verdict = way === undefined ? 'aimless' : middle >= 1 ? 'met' : 'missed';
  return { row, least: Math.min(...ends), middle, most: Math.max(...ends), verdict };
}

export function plot({ at, machine, rows }: Bench): string {
  const reaches = rows.filter(({ ratio }) => ratio).map(reachOf);
  const plain = rows.filter(({ ratio }) => !ratio);
  const axis = axisOf(reaches);
  const below = top + reaches.length * ratioTall + 44;
  const tall = below + plain.length * plainTall + edge;
  const content = [
    said(edge, 30, 'Ratios of one run, each against its aim', 'title'),
    said(edge, 50, `${at}, ${machine}`, 'soft'),
    said(edge, 68, 'Point: median; bar: least to most of the rounds. Right of the line the aim is met; without an aim the line is 1.', 'soft'),
    ...axis.ticks.map((share) => tick(share, axis.x(share), top + reaches.length * ratioTall)),
    ...reaches.map((reach, n) => ratioAt(reach, top + n * ratioTall, axis.x)),
    ...plain.map((row, n) => plainAt(row, below + n * plainTall)),
  ]; // prettier-ignore
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${tall}" width="${width}" height="${tall}" role="img" aria-label="Benchmark">` +
    `<style>${style}</style><rect class="paper" width="${width}" height="${tall}"/>\n${content.join('\n')}\n</svg>\n`
  );
}

/** Powers of two around the aim, as many as the rows need. */
function axisOf(reaches: readonly Reach[]): { x: (share: number) => number; ticks: number[] } {
  const power = (share: number) => Math.log2(share);
  const known = reaches.flatMap(({ least, most }) => [least, most]).filter((share) => share > 0 && Number.isFinite(share));
  const from = Math.min(-2, ...known.map((share) => Math.floor(power(share))));
  const to = Math.max(1, ...known.map((share) => Math.ceil(power(share))));
  const x = (share: number) => {
    const within = Math.min(to, Math.max(from, power(share))); // Nothing done at all is drawn at the edge.
    return edge + 8 + ((within - from) / (to - from)) * (width - 2 * edge - 16);
  };
  return { x, ticks: Array.from({ length: to - from + 1 }, (_, n) => 2 ** (from + n)) };
}

function tick(share: number, x: number, bottom: number): string {
  const label = share === 1 ? 'aim' : share < 1 ? `1/${1 / share}` : `${share} x`;
  const line = `<line class="${share === 1 ? 'aim' : 'grid'}" x1="${px(x)}" x2="${px(x)}" y1="${top - 6}" y2="${bottom}"/>`;
  return line + said(x, bottom + 14, label, 'soft', 'middle');
}

function ratioAt({ row, least, middle, most, verdict }: Reach, y: number, x: (share: number) => number): string {
  const figure = row.figure.split(' (')[0];
  const told = verdict === 'aimless' ? `${figure}, no aim` : `${figure}, aim ${row.aim}: ${verdict}`;
  const bar = `<line class="bar ${verdict}" x1="${px(x(least))}" x2="${px(x(most))}" y1="${y + 24}" y2="${y + 24}"/>`;
  const point = `<circle class="${verdict}" cx="${px(x(middle))}" cy="${y + 24}" r="5"/>`;
  return said(edge, y + 12, row.name, '') + said(width - edge, y + 12, told, verdict, 'end') + bar + point;
}

function plainAt({ name, figure, aim }: Row, y: number): string {
  const told = aim && aim !== '-' ? `${figure}, aim ${aim}` : figure;
  return said(edge + (name.startsWith(' ') ? 12 : 0), y, name.trim(), 'soft') + said(width - edge, y, told, 'soft', 'end');
}

const said = (x: number, y: number, text: string, look: string, anchor = 'start') =>
  `<text x="${px(x)}" y="${y}" class="${look}" text-anchor="${anchor}">${escape(text)}</text>`;

const px = (at: number) => at.toFixed(1);
