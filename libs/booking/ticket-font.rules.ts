// Ticket fonts: Noto (OFL) from npm, one file for each script and weight, opened once in a process.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { inflateSync } from 'node:zlib';
import { create, type Font, type GlyphRun } from 'fontkit';
import { LRUCache } from 'lru-cache';

const sans = (subset: string) => ({ file: `@fontsource/noto-sans/files/noto-sans-${subset}`, rtl: false, scale: 1 });

/** A character is looked for where its script says, then in this order. */
const faces = {
  latin: sans('latin'),
  'latin-ext': sans('latin-ext'),
  vietnamese: sans('vietnamese'),
  cyrillic: sans('cyrillic'),
  'cyrillic-ext': sans('cyrillic-ext'),
  greek: sans('greek'),
  'greek-ext': sans('greek-ext'),
  devanagari: sans('devanagari'),
  // Naskh is drawn smaller than Latin of the same size.
  arabic: { file: '@fontsource/noto-naskh-arabic/files/noto-naskh-arabic-arabic', rtl: true, scale: 1.15 },
};
export type Face = keyof typeof faces;
export const everyFace = Object.keys(faces) as Face[];

const scripts: [RegExp, Face[]][] = [
  [/\p{scx=Arabic}/u, ['arabic']],
  [/\p{scx=Cyrillic}/u, ['cyrillic', 'cyrillic-ext']],
  [/\p{scx=Greek}/u, ['greek', 'greek-ext']],
  [/\p{scx=Devanagari}/u, ['devanagari']],
];

/** Where the characters of a text are likely to be found; nothing for Latin and for what all scripts share. */
export const facesFor = (text: string): Face[] => scripts.filter(([script]) => script.test(text)).flatMap(([, some]) => some);

/** True for a font whose letters fontkit sets from right to left. */
export const isRtlFace = (face: Face): boolean => faces[face].rtl;

/** By how much a font is enlarged to look as large as the others. */
export const scaleOf = (face: Face): number => faces[face].scale;

export const fontName = (face: Face, bold: boolean): string => `${face}-${bold ? 'bold' : 'regular'}`;

const files = createRequire(import.meta.url);
const fonts = new Map<string, Font>();

/** A font stays open for the life of the process: they are small, 18 in all, and opening one takes longer than writing a page. */
export function fontOf(face: Face, bold: boolean): Font {
  const name = fontName(face, bold);
  let font = fonts.get(name);
  if (!font) {
    font = create(unpacked(readFileSync(files.resolve(`${faces[face].file}-${bold ? 700 : 400}-normal.woff`)))) as Font;
    rememberLayouts(font);
    fonts.set(name, font);
  }
  return font;
}

/**
 * A WOFF 1.0 file (w3.org/TR/WOFF) as the OpenType file in it. fontkit reads WOFF too, but inflates a whole table in JavaScript
 * for each glyph that a document uses: most of a second for a page of Arabic.
 */
function unpacked(woff: Buffer): Buffer {
  const tables = Array.from({ length: woff.readUInt16BE(12) }, (_, i) => {
    const entry = woff.subarray(44 + 20 * i, 64 + 20 * i);
    const [offset, packed, size] = [entry.readUInt32BE(4), entry.readUInt32BE(8), entry.readUInt32BE(12)];
    const stored = woff.subarray(offset, offset + packed);
    return { tag: entry.subarray(0, 4), sum: entry.subarray(16, 20), data: packed < size ? inflateSync(stored) : stored };
  });
  const head = Buffer.alloc(12 + 16 * tables.length);
  woff.copy(head, 0, 4, 8); // The flavour: TrueType or CFF outlines.
  head.writeUInt16BE(tables.length, 4); // The three search hints after it are of no use to any reader of today.
  const parts: Buffer[] = [head];
  let at = head.length;
  for (const [i, { tag, sum, data }] of tables.entries()) {
    const entry = head.subarray(12 + 16 * i, 28 + 16 * i);
    entry.set(tag);
    entry.set(sum, 4);
    entry.writeUInt32BE(at, 8);
    entry.writeUInt32BE(data.length, 12);
    const padding = Buffer.alloc(-data.length & 3);
    parts.push(data, padding);
    at += data.length + padding.length;
  }
  return Buffer.concat(parts);
}

/**
 * pdfkit has each run shaped three times, and labels, dates and titles are the same on page after page. Positions are copied, because
 * pdfkit scales them in place.
 */
function rememberLayouts(font: Font) {
  const layouts = new LRUCache<string, GlyphRun>({ max: 1000 });
  const layout = font.layout.bind(font);
  font.layout = (text) => {
    const run = layouts.get(text) ?? layout(text);
    layouts.set(text, run);
    const copy = Object.create(run) as GlyphRun;
    copy.positions = run.positions.map((position) => ({ ...position }));
    return copy;
  };
}
