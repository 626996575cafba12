// The plot of a benchmark: well-formed, every row in it, and each point on the right side of its aim.
import { describe, expect, it } from 'vitest';
import { escape } from '../rehearse/plot.js';
import type { Row } from './measure.js';
import { plot } from './plot.js';

const rows: Row[] = [
  { name: 'one / "two" & <three>', figure: '5.0 [4.0-8.0]', aim: 'at least 10', values: [4, 5, 8], ratio: true },
  { name: 'fast / slow', figure: '1.20 [0.90-1.30]', aim: 'at least 0.9', values: [0.9, 1.2, 1.3], ratio: true },
  { name: 'late / early', figure: '1.60 [1.50-1.70] (8 / 5 ms)', aim: 'at most 1.5', values: [1.5, 1.6, 1.7], ratio: true },
  { name: "limiter, of the api's time", figure: '2.0 %', aim: 'at most 3 %', values: [0.02], ratio: true },
  { name: 'batch / inserts', figure: '0.43 [0.37-0.57]', aim: '-', values: [0.37, 0.43, 0.57], ratio: true },
  { name: 'nothing / something', figure: '0.00 [0.00-0.00]', aim: 'at least 1', values: [0, 0, 0], ratio: true },
  { name: '  batch, 64 connections: replies/s (p50 38.4)', figure: '1600 [1147-1645]', aim: '', values: [1147, 1600, 1645] },
  { name: 'best seats of 20 000', figure: '0.020 ms', aim: 'under 20 ms', values: [0.02] },
];
const svg = plot({ at: '2031-01-01T00:00:00.000Z', machine: 'two cores & more', rows });

/** What is wrong with a document of elements, attributes and text; the plot uses nothing else of XML. */
function faults(xml: string): string[] {
  const found: string[] = [];
  const open: string[] = [];
  const tag = /<(\/?)([a-z]+)((?:\s+[a-zA-Z][\w-]*="[^"<]*")*)\s*(\/?)>/gy;
  for (let at = 0; at < xml.length;) {
    const next = xml.indexOf('<', at);
    const text = xml.slice(at, next === -1 ? undefined : next);
    if (/&(?!(amp|lt|gt|quot|#\d+);)/.test(text)) found.push(`a bare & in ${text}`);
    if (next === -1) break;
    tag.lastIndex = next;
    const [whole, closing, name, , alone] = tag.exec(xml) ?? [];
    if (!whole) return [...found, `no tag: ${xml.slice(next, next + 60)}`];
    if (closing && open.pop() !== name) found.push(`</${name}> closes something else`);
    if (!closing && !alone) open.push(name);
    if (open.length === 0 && next + whole.length < xml.trimEnd().length) found.push('a second root');
    at = next + whole.length;
  }
  return [...found, ...open.map((name) => `<${name}> stays open`)];
}

describe('the plot of a benchmark', () => {
  it('is one well-formed SVG document, also of no rows', () => {
    for (const each of [svg, plot({ at: 'now', machine: 'none', rows: [] })]) {
      expect(each).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
      expect(faults(each)).toEqual([]);
      expect(each).not.toMatch(/NaN|Infinity|undefined/);
    }
    expect(faults('<svg><g></svg>')).not.toEqual([]); // It would be seen.
    expect(faults('<svg>a & b</svg>')).not.toEqual([]);
  });

  it.each(rows)('has $name', ({ name, figure }) => {
    expect(svg).toContain(`>${escape(name.trim())}<`);
    expect(svg).toContain(escape(figure.split(' (')[0]));
  });

  it('draws the median on the side of the aim where it belongs, whichever way the aim points', () => {
    const line = Number(/class="aim" x1="([\d.]+)"/.exec(svg)![1]);
    const points = [...svg.matchAll(/<circle class="(\w+)" cx="([\d.]+)"/g)].map(([, verdict, x]) => [
      verdict,
      Number(x) >= line,
    ]);
    expect(points).toEqual([['missed', false], ['met', true], ['missed', false], ['met', true], ['aimless', false], ['missed', false]]); // prettier-ignore
  });

  it('can be read in light and in dark', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
  });
});
