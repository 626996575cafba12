// Time: the one clock everyone asks, and what makes a time zone or an instant valid.
import { Remembered } from './remember.js';

/** The injected clock. It follows the database's clock, `platform.now()`, so that SQL and TypeScript agree; tests shift it. */
export abstract class Clock {
  abstract now(): Date;
}

/** Milliseconds of this machine's own clock: for ids and for the injected clock's offset, never for a decision. It may be set back. */
export const machineMs = (): number => Date.now();

/** Milliseconds since some moment, which nobody can set back: for measuring how long something takes, or is kept. */
export const elapsedMs = (): number => performance.now();

const zones = new Map<string, boolean>();

/** True for an IANA zone name this runtime knows (`Europe/Berlin`); offsets such as `+02:00` are refused, they do not follow daylight saving. */
export function isTimeZone(name: string): boolean {
  if (typeof name !== 'string' || name.length > 64 || !/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return false;
  let known = zones.get(name);
  if (known === undefined) {
    try {
      known = Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
    } catch {
      known = false;
    }
    if (zones.size < 2000) zones.set(name, known);
  }
  return known;
}

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/;

/** Reads an RFC 3339 instant between the years 1970 and 9999; null for anything else (30 February included). */
export function parseInstant(text: string): Date | null {
  if (typeof text !== 'string') return null;
  const m = RFC3339.exec(text);
  if (!m) return null;
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number);
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lastDay || hour > 23 || minute > 59 || second > 59) return null;
  const at = new Date(text.toUpperCase());
  const ms = at.getTime();
  return Number.isNaN(ms) || ms < 0 || ms > 253402300799999 ? null : at;
}

const formats = new Remembered<Intl.DateTimeFormat>(500);

/** A formatter, remembered: making one costs a hundred times its use. */
export const dateFormat = (locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat =>
  formats.of(`${locale} ${JSON.stringify(options)}`, () => new Intl.DateTimeFormat(locale, options));

/** `YYYY-MM` of an instant as people in that zone see it. */
export function monthIn(zone: string, at: Date): string {
  const parts = dateFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit' }).formatToParts(at);
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}`;
}
