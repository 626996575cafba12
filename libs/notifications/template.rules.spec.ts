// Every kind of mail in every language: escaped, in the reader's words, the event's zone and the booking's currency.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notificationRules, type Kind } from './notification.rules.js';
import {
  speechFor,
  timeText,
  wordings,
  writeAccountLetter,
  writeBookingLetter,
  type BookingLetter,
  type Letter,
} from './template.rules.js';
import type { AccountTemplate, BookingTemplate } from './wording.rules.js';

const booking: BookingLetter = {
  template: 'tickets',
  name: 'Ada',
  url: 'https://tickets.example/manage#token=abc',
  bookingId: '0197a1b2-0000-7000-8000-0000deadbeef',
  title: 'Night of Strings',
  startsAt: new Date('2027-03-28T17:30:00Z'),
  timeZone: 'Europe/Berlin',
  venue: 'Old Mill',
  tickets: [
    { typeName: 'Stalls', seat: 'Row 3, Seat 7' },
    { typeName: 'Standing', seat: null },
    { typeName: 'Standing', seat: null },
  ],
  total: { amount: 123450, currency: 'EUR' },
  refund: { amount: 5000, currency: 'EUR' },
  reason: 'requested',
};

/** The mail of a row of the table, with whatever stands in the fields that people fill in. */
function letterOf(kind: Kind, locale: string, given: { name?: string; title?: string; url?: string } = {}): Letter {
  const { template } = notificationRules[kind];
  const { name = 'Ada', title = 'Night of Strings', url = booking.url! } = given;
  return template in wordings[0].accounts
    ? writeAccountLetter({ template: template as AccountTemplate, name, url, expiresAt: booking.startsAt, timeZone: 'Europe/Berlin', organization: title }, locale)
    : writeBookingLetter(
        { ...booking, template: template as BookingTemplate, name, url, title, venue: title, tickets: [{ typeName: title, seat: name }] },
        locale,
      ); // prettier-ignore
}

const kinds = Object.keys(notificationRules) as Kind[];
const marks = /[\u2066-\u2069]/g;

/** What a reader of the HTML sees, and the only tags a mail may have. */
const tagsOf = (html: string) => [...html.matchAll(/<\/?([a-z!][a-z0-9]*)/gi)].map((m) => m[1].toLowerCase());
const ownTags = new Set([
  '!doctype',
  'html',
  'head',
  'meta',
  'title',
  'body',
  'div',
  'p',
  'table',
  'tr',
  'th',
  'td',
  'bdi',
  'br',
  'a',
]);

describe('mail templates', () => {
  it.each(kinds.flatMap((kind) => wordings.map((w) => [kind, w.language] as const)))('writes %s in %s', (kind, language) => {
    const { locale, subject, text, html } = letterOf(kind, language);
    expect(locale).toBe(language);
    for (const part of [subject, text, html]) {
      expect(part.length).toBeGreaterThan(5);
      expect(part).not.toMatch(/undefined|\[object|NaN|\bnull\b/);
    }
    expect(subject).not.toMatch(/[\r\n]/);
    expect(html).toContain(`lang="${language}" dir="${language === 'ar' ? 'rtl' : 'ltr'}"`);
    const wording = wordings.find((w) => w.language === language)!;
    expect(text).toContain(wording.footer);
    expect(text.replace(marks, '')).toContain(wording.greeting('Ada'));
  });

  it('says different words in each language', () => {
    for (const kind of kinds) {
      const subjects = wordings.map((w) => letterOf(kind, w.language).subject);
      expect(new Set(subjects).size, kind).toBe(wordings.length);
    }
  });

  it('escapes whatever people wrote, in every mail', () => {
    const evil = '<script>alert("1")</script> & \'<img src=x onerror=alert(1)>';
    for (const kind of kinds) {
      for (const { language } of wordings) {
        const { html, subject } = letterOf(kind, language, { name: evil, title: `${evil}\r\nBcc: all@example.org`, url: `https://x/#"><b>` });
        expect(tagsOf(html).filter((tag) => !ownTags.has(tag)), `${kind} in ${language}`).toEqual([]);
        expect(html).not.toContain('"><b>');
        expect(subject).not.toMatch(/[\r\n]/);
      }
    } // prettier-ignore
  });

  it('lets no text whatever add a tag, an attribute or a line to the subject', () => {
    const plain = (kind: Kind) => tagsOf(letterOf(kind, 'ar').html);
    const shapes = Object.fromEntries(kinds.map((kind) => [kind, plain(kind)]));
    fc.assert(
      fc.property(fc.constantFrom(...kinds), fc.string({ unit: 'binary', minLength: 1 }), (kind, text) => {
        const { html, subject } = letterOf(kind, 'ar', { name: `x${text}`, title: `x${text}` });
        expect(tagsOf(html)).toEqual(shapes[kind]);
        // oxlint-disable-next-line no-control-regex
        expect(subject).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
      }),
    );
  });

  it('shows the time as a clock at the event does, not as UTC', () => {
    const { text } = writeBookingLetter(booking, 'en');
    expect(text).toContain('Sunday');
    expect(text).toMatch(/7:30\sPM/); // Berlin is at +2 since that very morning.
    expect(timeText(booking.startsAt, 'America/New_York', 'de')).toContain('13:30');
  });

  it('says when a link ends, as a clock near the reader shows it', () => {
    expect(letterOf('password_reset', 'en').text).toMatch(/works once, until Sunday, March 28, 2027 at 7:30\sPM/);
    expect(letterOf('password_changed', 'en').text).not.toContain('until');
  });

  it('says nothing of a refund where there is none', () => {
    const { text } = writeBookingLetter({ ...booking, template: 'cancelled', total: null, refund: null }, 'en');
    expect(text).not.toMatch(/returned|€/);
    expect(writeBookingLetter({ ...booking, template: 'cancelled' }, 'en').text).toContain('€50.00 will be returned');
  });

  it('lists tickets once each, with how many', () => {
    const { text } = writeBookingLetter(booking, 'en');
    expect(text).toContain('Tickets: Stalls, Row 3, Seat 7\n  2 × Standing');
  });

  it('falls back by BCP 47, and to English for what we do not speak', () => {
    expect(speechFor('de-AT')).toMatchObject({ wording: { language: 'de' }, format: 'de-AT' });
    expect(speechFor('ar-EG')).toMatchObject({ wording: { language: 'ar' }, format: 'ar-EG' });
    for (const tag of ['tlh', 'zh-Hant-TW', 'not a tag', '', null, undefined, 'x'.repeat(300)])
      expect(speechFor(tag)).toMatchObject({ wording: { language: 'en' }, format: 'en' });
  });

  it('keeps what runs against the direction apart', () => {
    const arabic = writeBookingLetter(booking, 'ar');
    expect(arabic.subject).toContain('\u2068Night of Strings\u2069');
    expect(arabic.html).toContain('<bdi>Night of Strings</bdi>');
    const hebrew = writeBookingLetter({ ...booking, title: 'ליל המיתרים' }, 'en');
    expect(hebrew.subject).toContain('\u2068ליל המיתרים\u2069');
    expect(writeBookingLetter(booking, 'en').subject).toBe('Your tickets: Night of Strings');
  });

  it('gives a link only to whom it is for', () => {
    expect(writeBookingLetter({ ...booking, template: 'ticketReceived', url: null }, 'en').html).not.toContain('<a ');
    expect(writeBookingLetter(booking, 'en').html).toContain(`href="${booking.url}"`);
  });
});
