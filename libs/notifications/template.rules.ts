// Templates: the words of a language, the facts of a message, one calm layout; as subject, text and HTML. All that is given is escaped.
import { moneyText, type Money } from '../kernel/money.js';
import { dateFormat } from '../kernel/time.js';
import { arabic } from './arabic.rules.js';
import { english } from './english.rules.js';
import { german } from './german.rules.js';
import type { BookingTemplate, AccountTemplate, Words, Wording } from './wording.rules.js';

/** The first is for everybody whose language is not here. A new language is a file and its name in this list. */
export const wordings: readonly Wording[] = [english, german, arabic];

/** A message about an account or a membership. */
export interface AccountLetter {
  template: AccountTemplate;
  name: string | null;
  /** Where the button leads; null for a mail that only tells. */
  url: string | null;
  /** When the link ends, shown in the reader's zone. */
  expiresAt: Date | null;
  timeZone: string | null;
  organization: string | null;
}

/** A message about a booking. Times are shown in the event's zone, money in the booking's currency. */
export interface BookingLetter {
  template: BookingTemplate;
  name: string | null;
  /** Where the reader manages the booking; null for one who does not (the holder of a single ticket). */
  url: string | null;
  bookingId: string;
  title: string;
  startsAt: Date;
  timeZone: string;
  venue: string | null;
  tickets: { typeName: string; seat: string | null }[];
  total: Money | null;
  refund: Money | null;
  reason: string | undefined;
}

export interface Letter {
  /** BCP 47, of the words. */
  locale: string;
  subject: string;
  text: string;
  html: string;
}

interface Speech {
  wording: Wording;
  /** For Intl: the reader's own tag where its language is ours (`de-AT`), so that dates look like home. */
  format: string;
}

/** Lookup of RFC 4647, section 3.4, over primary languages; English for no tag, a broken one, or a language we do not speak. */
export function speechFor(tag: string | null | undefined): Speech {
  try {
    const locale = new Intl.Locale(tag ?? 'en');
    const wording = wordings.find((w) => w.language === locale.language);
    if (wording) return { wording, format: locale.baseName };
  } catch {
    // Not a language tag.
  }
  return { wording: wordings[0], format: wordings[0].language };
}

export function writeAccountLetter(letter: AccountLetter, tag: string | null): Letter {
  const speech = speechFor(tag);
  const { wording, format } = speech;
  const words = wording.accounts[letter.template]({
    organization: given(wording, letter.organization ?? 'Evently'),
    until: letter.expiresAt ? given(wording, timeText(letter.expiresAt, letter.timeZone ?? 'UTC', format)) : '',
  });
  return lay(speech, words, { name: letter.name, url: letter.url, details: [] });
}

export function writeBookingLetter(letter: BookingLetter, tag: string | null): Letter {
  const speech = speechFor(tag);
  const { wording, format } = speech;
  const { labels } = wording;
  const words = wording.bookings[letter.template]({
    title: given(wording, letter.title),
    refund: letter.refund && letter.refund.amount > 0 ? given(wording, moneyText(letter.refund, format)) : null,
    reason: letter.reason,
  });
  const details: Detail[] = [
    [labels.event, [oneLine(letter.title)]],
    [labels.when, [timeText(letter.startsAt, letter.timeZone, format)]],
    [labels.where, letter.venue ? [oneLine(letter.venue)] : []],
    [labels.tickets, ticketLines(letter.tickets)],
    [labels.total, letter.total ? [moneyText(letter.total, format)] : []],
    [labels.booking, [letter.bookingId]],
  ];
  return lay(speech, words, { name: letter.name, url: letter.url, details: details.filter(([, values]) => values.length > 0) });
}

/** Date and time as a clock at the event shows them, with the zone's name. */
export function timeText(at: Date, timeZone: string, locale: string): string {
  const day = { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' } as const;
  return dateFormat(locale, { ...day, hour: 'numeric', minute: '2-digit', timeZone, timeZoneName: 'short' }).format(at);
}

type Detail = [label: string, values: string[]];

/** A mail lists so many kinds of tickets; the PDF has them all. */
const MAX_TICKET_LINES = 30;

function ticketLines(tickets: BookingLetter['tickets']): string[] {
  const counts = new Map<string, number>();
  for (const { typeName, seat } of tickets) {
    const line = oneLine(seat ? `${typeName}, ${seat}` : typeName);
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const lines = [...counts].map(([line, n]) => (n > 1 ? `${n} × ${line}` : line));
  return lines.length > MAX_TICKET_LINES ? [...lines.slice(0, MAX_TICKET_LINES), '…'] : lines;
}

interface Sheet {
  name: string | null;
  url: string | null;
  details: Detail[];
}

function lay({ wording }: Speech, words: Words, { name, url, details }: Sheet): Letter {
  const greeting = wording.greeting(name ? given(wording, name) : null);
  const action = words.action && url ? { label: words.action, url } : null;
  const paragraphs = [greeting, ...words.lines];
  const after = words.after ?? [];
  const text = [
    ...paragraphs,
    details.map(([label, values]) => `${label}: ${values.join('\n  ')}`).join('\n'),
    action ? `${action.label}:\n${action.url}` : '',
    ...after,
    `-- \n${wording.footer}`,
  ];
  return {
    locale: wording.language,
    subject: oneLine(words.subject),
    text: `${text.filter(Boolean).join('\n\n')}\n`,
    html: htmlOf(wording, { title: words.subject, paragraphs, details, action, after }),
  };
}

interface Page {
  title: string;
  paragraphs: string[];
  details: Detail[];
  action: { label: string; url: string } | null;
  after: string[];
}

/** Inline styles only: many mail programs drop the head. Direction is said on the outermost box too, for those that drop html and body. */
function htmlOf(wording: Wording, { title, paragraphs, details, action, after }: Page): string {
  const { language, direction, footer } = wording;
  const side = direction === 'rtl' ? 'right' : 'left';
  const p = (line: string) => `<p style="margin:0 0 16px">${escape(line)}</p>`;
  const row = ([label, values]: Detail) =>
    `<tr><th scope="row" style="text-align:${side};vertical-align:top;font-weight:normal;color:#5b6472;padding:4px 0;width:30%">${escape(label)}</th>` +
    `<td style="vertical-align:top;padding:4px 0">${values.map((v) => `<bdi>${escape(v)}</bdi>`).join('<br>')}</td></tr>`;
  const table = `<table width="100%" cellspacing="0" cellpadding="0" style="margin:0 0 24px;border-top:1px solid #e3e7ec;border-bottom:1px solid #e3e7ec">${details.map(row).join('')}</table>`;
  const button = action
    ? `<p style="margin:0 0 24px"><a href="${escape(action.url)}" style="display:inline-block;padding:12px 20px;border-radius:6px;background:#1f4fd8;color:#ffffff;text-decoration:none">${escape(action.label)}</a></p>`
    : '';
  return (
    `<!doctype html><html lang="${language}" dir="${direction}"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(oneLine(title))}</title></head>` +
    `<body style="margin:0;background:#f4f6f8"><div lang="${language}" dir="${direction}" style="max-width:560px;margin:0 auto;padding:32px 24px;background:#ffffff;` +
    `font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;font-size:16px;line-height:1.5;color:#1a2230;text-align:${side}">` +
    `${paragraphs.map(p).join('')}${details.length > 0 ? table : ''}${button}${after.map(p).join('')}` +
    `<p style="margin:24px 0 0;font-size:13px;color:#5b6472">${escape(footer)}</p></div></body></html>`
  );
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
export const escape = (text: string) => text.replace(/[&<>"']/g, (c) => entities[c]);

/** Names and titles come from people: no line breaks, no controls, no direction marks that would turn the words around them. */
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]+/g, ' ').trim();

const rightToLeft = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/;
const leftToRight = /[A-Za-z\u00c0-\u024f\u0370-\u058f]/;

/** A text put into a sentence; isolated (Unicode UAX 9, FSI and PDI) where it may run against the sentence's direction. */
function given(wording: Wording, text: string): string {
  const line = oneLine(text).replace(/[\u2066-\u2069]/g, '');
  const other = wording.direction === 'rtl' ? leftToRight : rightToLeft;
  return other.test(line) || (wording.direction === 'rtl' && /\d/.test(line)) ? `\u2068${line}\u2069` : line;
}
