// Reservations: a file of real bookings, read strictly, and what it says of each month.
import { readFileSync } from 'node:fs';
import { parse } from 'csv-parse/sync';
import { DateTime } from 'luxon';
import { groupBy } from './grouping.js';
import { UsageError } from './options.js';

export interface Reservation {
  /** YYYY-MM-DD. */
  arrival: string;
  bookedOn: string;
  /** Cents. */
  amount: number;
  cancelled: boolean;
}

const needed = ['arrival_date', 'booked_on', 'price', 'cancelled'] as const;

/** In the order they were made: by booking date, the file's order within a day. Throws UsageError with the line that is wrong. */
export function readReservations(file: string): Reservation[] {
  const rows = rowsOf(file);
  if (rows.length === 0) throw new UsageError(`${file} has no reservations.`);
  const missing = needed.filter((name) => !(name in rows[0]!.record));
  if (missing.length > 0)
    throw new UsageError(`${file} lacks the column ${missing.join(', ')}; needed are ${needed.join(', ')}.`);
  const reservations = rows.map(({ record, info: { lines } }) => {
    const wrong = (name: string, wanted: string) =>
      new UsageError(`${file}, line ${lines}: ${name} must be ${wanted}, not "${record[name]}".`);
    const dateOf = (name: string) => {
      const text = record[name]!.trim();
      if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || !DateTime.fromISO(text).isValid) throw wrong(name, 'a date such as 2017-07-01');
      return text;
    };
    const amount = centsOf(record.price!.trim());
    if (amount === undefined) throw wrong('price', 'a number such as 101.5, 0 or more');
    const cancelled = record.cancelled!.trim();
    if (cancelled !== '0' && cancelled !== '1') throw wrong('cancelled', '0 or 1');
    return { arrival: dateOf('arrival_date'), bookedOn: dateOf('booked_on'), amount, cancelled: cancelled === '1' };
  });
  return reservations.sort((a, b) => (a.bookedOn < b.bookedOn ? -1 : a.bookedOn > b.bookedOn ? 1 : 0));
}

type Row = { record: Record<string, string>; info: { lines: number } };

function rowsOf(file: string): Row[] {
  try {
    return parse(readFileSync(file), { bom: true, columns: true, skip_empty_lines: true, info: true }) as unknown as Row[];
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read as CSV (${message})`;
    throw new UsageError(`--replay: ${file} ${reason}.`);
  }
}

/** A price in units times 100, exact; digits beyond cents are rounded half up. Undefined where it is no price. */
export function centsOf(price: string): number | undefined {
  const parts = /^(\d{1,12})(?:\.(\d*))?$/.exec(price);
  if (!parts) return undefined;
  const digits = (parts[2] ?? '').padEnd(3, '0');
  return Number(parts[1]) * 100 + Number(digits.slice(0, 2)) + (Number(digits[2]) >= 5 ? 1 : 0);
}

/** One event: all reservations of an arrival date. */
export interface ArrivalDate {
  /** As in the file. */
  date: string;
  /** The same day of the week, whole weeks later. */
  shifted: string;
  rows: Reservation[];
  amounts: number[];
}

/** Days between now and the first event, so that sales are open and stay so while the replay runs. */
const leadDays = 7;

/** The arrival dates in order, all moved by the same smallest number of whole weeks that puts the first `leadDays` ahead of `today`. */
export function arrivalDates(reservations: readonly Reservation[], today: string): { dates: ArrivalDate[]; weeks: number } {
  const byDate = groupBy(reservations, (reservation) => reservation.arrival);
  const days = [...byDate.keys()].sort();
  const utc = (date: string) => DateTime.fromISO(date, { zone: 'utc' });
  const behind = utc(today).plus({ days: leadDays }).diff(utc(days[0]!), 'weeks').weeks;
  const weeks = Math.max(0, Math.ceil(behind));
  const dates = days.map((date) => {
    const rows = byDate.get(date)!;
    const amounts = [...new Set(rows.map((row) => row.amount))].sort((a, b) => a - b);
    return { date, shifted: utc(date).plus({ weeks }).toISODate()!, rows, amounts };
  });
  return { dates, weeks };
}

export interface Tally {
  bookings: number;
  cancelled: number;
  /** Cents, of what was not cancelled. */
  revenue: number;
}

export const tallyOf = (rows: readonly Reservation[]): Tally => ({
  bookings: rows.length,
  cancelled: rows.filter((row) => row.cancelled).length,
  revenue: rows.reduce((sum, row) => sum + (row.cancelled ? 0 : row.amount), 0),
});

export const sameTally = (a: Tally, b: Tally): boolean =>
  a.bookings === b.bookings && a.cancelled === b.cancelled && a.revenue === b.revenue;

export const monthOf = (date: string): string => date.slice(0, 7);
