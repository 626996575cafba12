// Ticket paper: the same bytes for the same ticket, a page for each, and lines in which every script stands in its right order.
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { qrPng, qrSvg, ticketsPdf, type PaperBooking } from './ticket-paper.rules.js';
import { countLines, writeText, type Paper, type TextBox } from './ticket-text.rules.js';
import { isRightToLeft, ticketDate, ticketLocale, ticketPrice, ticketTimes, ticketWords } from './ticket-words.rules.js';

const code = `eyJhbGciOiJFZERTQSIsImtpZCI6InRpY2tldC0yMDMxLWEifQ.${'eyJ0aWQiOiIw'.repeat(11)}.${'pQ3_xK9v-Lm2'.repeat(7)}AA`;
const berlin = {
  title: 'Große Öffnungsfeier',
  startsAt: new Date('2031-04-19T17:30:00Z'),
  endsAt: new Date('2031-04-19T20:00:00Z'),
  timeZone: 'Europe/Berlin',
  venue: { name: 'Philharmonie', address: 'Herbert-von-Karajan-Straße 1, 10785 Berlin' },
};
const seated = {
  code,
  ticketType: 'A',
  seat: { section: 'Parkett', row: 'H', number: '12' },
  holder: 'Ada',
  price: { amount: 4950, currency: 'EUR' },
};
const booking = (more: Partial<PaperBooking> = {}): PaperBooking => ({
  id: '01890a5d-ac96-774b-bcce-b302099a8057',
  event: berlin,
  tickets: [seated],
  locale: 'de',
  createdAt: new Date('2031-01-01T00:00:00Z'),
  ...more,
});

/** What `writeText` draws, by lines from the top, each from left to right. */
function drawn(text: string, box: Partial<TextBox> = {}): { text: string; x: number; font: string }[][] {
  const lines = new Map<number, { text: string; x: number; font: string }[]>();
  let font = '';
  const paper = {
    fillColor: () => paper,
    registerFont: () => paper,
    fontSize: () => paper,
    font: (name: string) => ((font = name), paper),
    text: (part: string, x: number, y: number) => {
      const line = lines.get(y) ?? [];
      lines.set(y, line);
      line.push({ text: part, x, font });
      return paper;
    },
  };
  writeText(paper as unknown as Paper, text, { x: 100, y: 0, width: 400, size: 10, rtl: false, ...box });
  const all = [...lines.entries()].sort(([a], [b]) => a - b).map(([, line]) => line);
  for (const line of all) expect(line.map(({ x }) => x)).toEqual(line.map(({ x }) => x).sort((a, b) => a - b));
  return all;
}
const parts = (text: string, box: Partial<TextBox> = {}) => drawn(text, box).map((line) => line.map((run) => run.text));

describe('QR', () => {
  it('is an SVG and a PNG of the same modules, with a quiet zone of four', async () => {
    const svg = await qrSvg(code);
    const modules = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]);
    expect((modules - 2 * 4 - 17) % 4).toBe(0); // 17 + 4 x version.
    const png = await qrPng(code);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([modules * 8, modules * 8]);
    expect(await qrPng(code)).toEqual(png);
    expect(await qrSvg(`${code}x`)).not.toBe(svg);
  });
});

describe('PDF', () => {
  /** Page contents, inflated. */
  const contents = (pdf: Buffer) =>
    [...pdf.toString('latin1').matchAll(/FlateDecode\n>>\nstream\n([\s\S]*?)\nendstream/g)].flatMap(([, data]) => {
      const text = inflateSync(Buffer.from(data, 'latin1')).toString('latin1');
      return text.includes(' re\n') ? [text] : [];
    });
  const pages = (pdf: Buffer) => pdf.toString('latin1').match(/\/Type \/Page\n/g)?.length;

  it('has an A4 page for each ticket, with its QR, and its language', async () => {
    const pdf = await ticketsPdf(booking({ tickets: [seated, { ...seated, seat: null, holder: null }, seated] }));
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    expect(pdf.subarray(-6).toString()).toBe('%%EOF\n');
    expect(pages(pdf)).toBe(3);
    expect(pdf.toString('latin1')).toContain('/MediaBox [0 0 595.28 841.89]');
    expect(pdf.toString('latin1')).toContain('/Lang (de)');
    for (const page of contents(pdf)) expect(page.match(/ re\n/g)!.length).toBeGreaterThan(500);
    expect(pdf.length).toBeLessThan(120_000);
  });

  it('is the same for the same booking, and another for another time, code or word', async () => {
    const one = await ticketsPdf(booking());
    expect(await ticketsPdf(booking())).toEqual(one);
    for (const other of [{ createdAt: new Date(0) }, { tickets: [{ ...seated, code: `${code}x` }] }, { locale: 'en' }]) {
      expect((await ticketsPdf(booking(other))).equals(one)).toBe(false);
    }
  });

  it('is made of whatever organizers and buyers write, in every language', async () => {
    const long = 'Donaudampfschifffahrtsgesellschaft '.repeat(40);
    const odd = [
      '',
      ' ',
      '\u0000\u202e\ud800',
      '日本武道館',
      'שלום',
      '🎉👩‍👩‍👧',
      'ا',
      'e\u0301\u0302\u0303',
      long,
      long.replaceAll(' ', ''),
      'مرحبا '.repeat(99),
    ];
    for (const [i, text] of odd.entries()) {
      const ticket = {
        ...seated,
        holder: text,
        ticketType: text,
        seat: { section: text, row: text, number: text, accessible: true },
      };
      const venue = { name: text, address: text };
      const locale = ['ar', 'ar-EG', 'fr', 'ja', 'xx-not-a-locale-at-all', null][i % 6];
      const pdf = await ticketsPdf(
        booking({ event: { ...berlin, title: text, venue }, tickets: [ticket, { ...ticket, seat: null }], locale }),
      );
      expect(pages(pdf)).toBe(2); // Nothing ran over onto another page.
    }
  });
});

describe('text', () => {
  it('runs from the left, in one run where one font has all of it', () => {
    expect(parts('Ada Lovelace, 1815')).toEqual([['Ada Lovelace, 1815']]);
    expect(drawn('Ada')[0][0].x).toBe(100);
    expect(drawn('Ada', { align: 'end' })[0][0].x).toBeGreaterThan(470);
    expect(drawn('Ada', { rtl: true })[0][0].x).toBeGreaterThan(470);
    expect(drawn('Ada', { rtl: true, align: 'end' })[0][0].x).toBe(100);
  });

  it('takes each character from a font that has it', () => {
    const fonts = (text: string) => drawn(text)[0].map((run) => run.font.replace('-regular', ''));
    expect(fonts('Łódź')).toEqual(['latin-ext', 'latin', 'latin-ext']);
    expect(fonts('Иван')).toEqual(['cyrillic']);
    expect(fonts('Ελένη')).toEqual(['greek']);
    expect(fonts('Tuyết')).toEqual(['latin', 'vietnamese', 'latin']);
    expect(fonts('नमस्ते')).toEqual(['devanagari']);
    expect(fonts('مرحبا')).toEqual(['arabic']);
    expect(drawn('Ada', { bold: true })[0][0].font).toBe('latin-bold');
  });

  it('leaves Arabic words whole for fontkit to turn, and puts words and numbers in between in their order', () => {
    expect(parts('مرحبا بالعالم')).toEqual([['مرحبا بالعالم']]);
    expect(parts('قاعة Berlin الكبرى')).toEqual([['الكبرى', ' ', 'Berlin', 'قاعة ']]);
    expect(parts('الصف 12')).toEqual([['12', 'الصف ']]);
    expect(parts('(العرض 2)')).toEqual([['(', '2', 'العرض ', ')']]);
    expect(parts('السعر ١٢٫٥٠')).toEqual([['١', '٢', '٫', '٥', '٠', 'السعر ']]);
    expect(parts('Hall قاعة 5 East')).toEqual([['Hall ', '5', 'قاعة ', ' East']]);
  });

  it('keeps marks of direction out of the drawing, and pictures too', () => {
    expect(parts('\u200e1\u200f2 \u202eabc\u202c')[0].join('')).not.toMatch(/[\u200e\u200f\u202a-\u202e]/u);
    expect(parts('Party 🎉 5 ⭐️ #1')).toEqual([['Party 5 #1']]);
    expect(parts('a\u0000b\n c')).toEqual([['a b c']]);
  });

  it('breaks lines at spaces, in the order of reading, and ends with an ellipsis what is too long', () => {
    const text = 'one two three four five six seven eight nine ten';
    const lines = parts(text, { width: 80, lines: 9 }).map((line) => line.join(''));
    expect(lines.join(' ')).toBe(text);
    expect(lines.length).toBe(countLines(text, 80, { size: 10 }));
    expect(parts(text, { width: 80, lines: 2 })[1].join('')).toMatch(/^four five six.*…$/);
    const arabic = parts('واحد اثنان ثلاثة أربعة خمسة ستة', { width: 70, lines: 9, rtl: true }).map((line) => line.join(''));
    expect(arabic.length).toBeGreaterThan(1);
    expect(arabic.join(' ')).toBe('واحد اثنان ثلاثة أربعة خمسة ستة');
    expect(parts('x'.repeat(100), { width: 80, lines: 99 }).flat().join('')).toBe('x'.repeat(100));
  });

  it('never draws beside its box', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 80 }),
        fc.integer({ min: 30, max: 400 }),
        fc.boolean(),
        (text, width, rtl) => {
          for (const line of drawn(text, { width, rtl, lines: 3 })) expect(line[0].x).toBeGreaterThanOrEqual(100 - 1e-6);
        },
      ),
      { numRuns: 300, examples: [['\ufdfd', 30, true]] }, // A character as long as a sentence.
    );
  });
});

describe('words', () => {
  it('are there in full in each language, in English elsewhere', () => {
    for (const locale of ['en', 'de-AT', 'fr', 'es-MX', 'it', 'ar-EG']) {
      expect(Object.keys(ticketWords(locale))).toEqual(Object.keys(ticketWords('en')));
      for (const word of Object.values(ticketWords(locale))) expect(word.trim()).not.toBe('');
    }
    expect(ticketWords('ja')).toBe(ticketWords('en'));
    expect([isRightToLeft('ar-EG'), isRightToLeft('fa'), isRightToLeft('de')]).toEqual([true, false, false]);
    expect(['de-CH', null, '', 'xx', '../..', 'ar'].map(ticketLocale)).toEqual(['de-CH', 'en', 'en', 'en', 'en', 'ar']);
  });

  it('give date and time in the zone of the event, with the other day where it ends on one', () => {
    const { startsAt, endsAt } = berlin;
    expect(ticketDate('en-GB', 'Europe/Berlin', startsAt)).toMatch(/^Saturday,? 19 April 2031$/);
    expect(ticketDate('de', 'Pacific/Auckland', startsAt)).toBe('Sonntag, 20. April 2031');
    expect(ticketDate('ar-SA', 'Asia/Riyadh', startsAt)).toMatch(/2031|٢٠٣١/);
    expect(ticketTimes('de', 'Europe/Berlin', startsAt, endsAt)).toBe('19:30 – 22:00 MESZ');
    expect(ticketTimes('de', 'Europe/Berlin', new Date('2031-01-19T18:30:00Z'), new Date('2031-01-19T20:00:00Z'))).toBe(
      '19:30 – 21:00 MEZ',
    );
    expect(ticketTimes('en-GB', 'Europe/London', startsAt, new Date('2031-04-20T01:00:00Z'))).toMatch(
      /^18:30 – 02:00 \(20 Apr\) BST$/,
    );
  });

  it('give prices exactly, and the word for free', () => {
    const price = (locale: string, amount: number, currency: string) =>
      ticketPrice(locale, { amount, currency }).replace(/[\u00a0\u202f]/g, ' ');
    expect(price('de', 123450, 'EUR')).toBe('1.234,50 €');
    expect(price('en', 5, 'USD')).toBe('$0.05');
    expect(price('en', 1500, 'JPY')).toBe('¥1,500');
    expect(price('en', Number.MAX_SAFE_INTEGER, 'USD')).toBe('$90,071,992,547,409.91');
    expect(price('de', 0, 'EUR')).toBe('Kostenlos');
  });
});
