// Ticket text: writes any mix of scripts into a PDF: the right font for each run of characters, in the order the Unicode bidi algorithm gives.
import bidiFactory, { type Bidi } from 'bidi-js';
import { LRUCache } from 'lru-cache';
import type PDFDocument from 'pdfkit';
import { everyFace, facesFor, fontName, fontOf, isRtlFace, scaleOf, type Face } from './ticket-font.rules.js';

export type Paper = InstanceType<typeof PDFDocument>;

export interface TextStyle {
  size: number;
  bold?: boolean;
  color?: string;
}
export interface TextBox extends TextStyle {
  /** Left and top edge, and width, in points. */
  x: number;
  y: number;
  width: number;
  /** Which way the page runs; lines start at that side. A text in the other direction is ordered by its own. */
  rtl: boolean;
  align?: 'start' | 'center' | 'end';
  /** At most so many lines; the last ends with an ellipsis when there is more. */
  lines?: number;
}

/** Height of a line, in sizes: Naskh reaches lower than Latin. */
const LEADING = 1.32;
/** From the top of a line to its baseline, in sizes. */
const ASCENT = 0.98;
/** About the width of a space, in sizes; lines are broken by it, and drawn with their own. */
const SPACE = 0.26;
const BREAK_AFTER = /[-\u2010\u2013\u2014/]$/u;
/** Longer texts are cut before they are set: nothing on a ticket is longer, and setting takes time. */
const CHARS_MAX = 400;

// Its types describe the ES module, its only export under Node is the CommonJS function itself.
const bidi = (bidiFactory as unknown as () => Bidi)();
const graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
/** A piece of a text that one font sets in one direction; `text` is in the order in which it is drawn, except that Arabic is shaped by fontkit, which turns it. */
interface Run {
  text: string;
  face: Face;
  level: number;
}
interface Cluster {
  text: string;
  face: Face;
  level: number;
}

interface Word {
  from: number;
  to: number;
  width: number;
}

/** A text made ready to be broken into lines: clusters of characters with their font and bidi level. */
class Prepared {
  readonly clusters: Cluster[] = [];
  private measured: Word[] | null = null;

  constructor(
    text: string,
    readonly bold: boolean,
    base?: 'ltr' | 'rtl',
  ) {
    const clean = cleanText(text);
    const { levels } = bidi.getEmbeddingLevels(clean, base);
    let before: Face = 'latin';
    for (const { segment, index } of graphemes.segment(clean)) {
      const visible = segment.replace(CONTROLS, '');
      if (visible === '') continue;
      const [shown, face] = this.fit(visible, before);
      this.clusters.push({ text: shown, face, level: levels[index] });
      before = face;
    }
  }

  /** The pieces of a line from left to right (UAX 9, rule L2, done on runs instead of characters). */
  visual(from: number, to: number): Run[] {
    const runs: Run[] = [];
    for (const { text, face, level } of this.clusters.slice(from, to)) {
      const last = runs.at(-1);
      // Arabic digits and signs that run left to right are set one by one: within a run fontkit would turn them.
      if (last?.face === face && last.level === level && (level % 2 === 1 || !isRtlFace(face))) last.text += text;
      else runs.push({ text, face, level });
    }
    const levels = runs.map((run) => run.level);
    const lowestOdd = Math.min(...levels.filter((level) => level % 2 === 1));
    for (let level = Math.max(...levels); level >= lowestOdd; level--) {
      for (let i = 0; i < runs.length;) {
        let end = i;
        while (end < runs.length && runs[end].level >= level) end++;
        if (end - i > 1) runs.splice(i, end - i, ...runs.slice(i, end).toReversed());
        i = end + 1;
      }
    }
    for (const run of runs) if (run.level % 2 === 1 && !isRtlFace(run.face)) run.text = turned(run.text);
    return runs;
  }

  /**
   * Lines as ranges of clusters without the spaces around them: broken at spaces and after hyphens, within a word only where it alone
   * is wider than a line. Widths are at size 1.
   */
  lines(width: number): [from: number, to: number][] {
    const lines: [number, number][] = [];
    let [start, end, used] = [0, 0, 0];
    const close = () => {
      if (end > start) lines.push([start, end]);
      used = 0;
    };
    for (const word of this.words()) {
      const gap = end > start && word.from > end ? SPACE : 0;
      if (end > start && used + gap + word.width <= width) {
        used += gap + word.width;
        end = word.to;
        continue;
      }
      close();
      [start, end, used] = [word.from, word.to, word.width];
      while (used > width && end - start > 1) {
        const cut = start + longest(end - start - 1, (n) => widthOf(this.visual(start, start + n), this.bold) <= width);
        lines.push([start, cut]);
        start = cut;
        used = widthOf(this.visual(start, end), this.bold);
      }
    }
    close();
    return lines;
  }

  /** Pieces that stay on one line, measured once. */
  private words(): Word[] {
    if (this.measured) return this.measured;
    const words: Word[] = [];
    for (let from = 0; from < this.clusters.length;) {
      let to = from;
      while (
        to < this.clusters.length &&
        this.clusters[to].text !== ' ' &&
        (to === from || !BREAK_AFTER.test(this.clusters[to - 1].text))
      )
        to++;
      if (to > from) words.push({ from, to, width: widthOf(this.visual(from, to), this.bold) });
      from = Math.max(to, from + 1);
    }
    return (this.measured = words);
  }

  /** The characters and the font that show a cluster: the font before it if that can, so that runs stay long. */
  private fit(cluster: string, before: Face): [string, Face] {
    const likely = facesFor(cluster);
    const tried = [...new Set(likely.length > 0 ? [...likely, ...everyFace] : [before, ...everyFace])];
    const [head, ...marks] = [...cluster];
    const all = tried.find((face) => [head, ...marks].every((char) => this.has(face, char)));
    if (all) return [cluster, all];
    const base = tried.find((face) => this.has(face, head));
    if (base) return [head + marks.filter((char) => this.has(base, char)).join(''), base];
    return /^\p{Zs}/u.test(cluster) ? [' ', 'latin'] : [cluster, 'latin']; // Shown as the empty box that says: no such character here.
  }

  private has(face: Face, char: string): boolean {
    return fontOf(face, this.bold).hasGlyphForCodePoint(char.codePointAt(0)!);
  }
}

/** Marks that steer the order of the text around them and have no shape: used by the bidi algorithm, then left out. */
const CONTROLS = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/gu;

/** Composed, on one line, without pictographs: a ticket's fonts have none, and boxes in their place would look like damage. */
function cleanText(text: string): string {
  const plain = text
    .slice(0, CHARS_MAX)
    .normalize('NFC')
    .replace(/(?![#*0-9])\p{Emoji_Presentation}|\p{Extended_Pictographic}\ufe0f|[\ufe0f\u20e3]/gu, '');
  return plain
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

function turned(text: string): string {
  const clusters = [...graphemes.segment(text)].map(({ segment }) => bidi.getMirroredCharacter(segment) ?? segment);
  return clusters.toReversed().join('');
}

/** Writes a text and returns the y below it. */
export function writeText(paper: Paper, text: string, box: TextBox): number {
  const { x, y, width, rtl, size, bold = false, color = '#000', align = 'start', lines = 1 } = box;
  const prepared = prepare(text, bold);
  const broken = prepared.lines(width / size);
  paper.fillColor(color);
  for (const [i, [from, to]] of broken.slice(0, lines).entries()) {
    const runs = i === lines - 1 && broken.length > lines ? cutShort(prepared, from, width / size) : prepared.visual(from, to);
    const wide = widthOf(runs, bold);
    const drawn = Math.min(size, width / wide); // One character may be wider than its line: it is drawn smaller.
    const spare = width - drawn * wide;
    const share = align === 'center' ? 0.5 : (align === 'end') === rtl ? 0 : 1;
    let at = x + spare * share;
    for (const run of runs) {
      const name = fontName(run.face, bold);
      // pdfkit takes an open font as well, which its types do not say: so a document need not read the file again.
      paper.registerFont(name, fontOf(run.face, bold) as unknown as Buffer);
      paper.font(name).fontSize(drawn * scaleOf(run.face));
      paper.text(run.text, at, y + size * (i * LEADING + ASCENT), { lineBreak: false, baseline: 'alphabetic', features: [] });
      at += drawn * widthOf([run], bold);
    }
  }
  return y + Math.min(lines, Math.max(1, broken.length)) * size * LEADING;
}

/** How many lines a text takes at a width. */
export function countLines(text: string, width: number, { size, bold = false }: TextStyle): number {
  return prepare(text, bold).lines(width / size).length;
}

const recent = new LRUCache<string, Prepared>({ max: 500 });

function prepare(text: string, bold: boolean): Prepared {
  const key = (bold ? 'b' : 'r') + text;
  const prepared = recent.get(key) ?? new Prepared(text, bold);
  recent.set(key, prepared);
  return prepared;
}

/** As much of a text from a cluster on as fits with an ellipsis after it. */
function cutShort({ clusters, bold }: Prepared, from: number, width: number): Run[] {
  const upTo = (to: number) => {
    const kept = clusters.slice(from, to).map((cluster) => cluster.text);
    const cut = new Prepared(`${kept.join('').trimEnd()}…`, bold);
    return cut.visual(0, cut.clusters.length);
  };
  return upTo(from + longest(clusters.length - from, (n) => widthOf(upTo(from + n), bold) <= width));
}

/** The most of 1 to `max` characters that fit, by halves: shaping is slow. At least one, or a narrow box would never end. */
function longest(max: number, fits: (n: number) => boolean): number {
  let [yes, no] = [1, max + 1];
  while (no - yes > 1) {
    const middle = (yes + no) >> 1;
    if (fits(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** Width of runs at size 1. */
function widthOf(runs: Run[], bold: boolean): number {
  let width = 0;
  for (const { text, face } of runs) {
    const opened = fontOf(face, bold);
    width += (opened.layout(text).advanceWidth / opened.unitsPerEm) * scaleOf(face);
  }
  return width;
}
