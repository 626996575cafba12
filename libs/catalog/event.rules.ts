// Event: what makes its times sane, and how they move (people mean the clock on their wall, so that is what is kept); in which order its parts stand.
import { DateTime } from 'luxon';
import type { FieldError } from '../kernel/errors.js';

const EARLIEST = Date.UTC(2000, 0, 1);
const LATEST = Date.UTC(2200, 0, 1);
/** Ten years: an exhibition, not a typing mistake. */
const LONGEST_MS = 3_660 * 86_400_000;

/** What is wrong with the times of an event, at their members of a body. */
export function scheduleProblems({ startsAt, endsAt }: { startsAt: Date; endsAt: Date }): FieldError[] {
  const problems: FieldError[] = [];
  for (const [name, at] of Object.entries({ startsAt, endsAt })) {
    const sane = at.getTime() >= EARLIEST && at.getTime() < LATEST;
    if (!sane) problems.push({ pointer: `/${name}`, detail: 'Send a time from the year 2000 to 2199.' });
  }
  if (problems.length > 0) return problems;
  if (endsAt <= startsAt) return [{ pointer: '/endsAt', detail: 'The end must be after the start.' }];
  if (endsAt.getTime() - startsAt.getTime() > LONGEST_MS)
    return [{ pointer: '/endsAt', detail: 'An event lasts at most ten years.' }];
  return [];
}

/** What is wrong with a time between two instants that may both be open. */
export function windowProblems(from: Date | null, until: Date | null, pointer: string): FieldError[] {
  return from && until && until <= from ? [{ pointer, detail: 'The end must be after the start.' }] : [];
}

/**
 * The instant at which a clock in `to` shows what one in `from` shows at `at`. A time that daylight saving skips there becomes
 * as much later as it skips; of a time that comes twice the first is taken (as RFC 5545, section 3.3.5).
 */
export const atSameWallTime = (at: Date, from: string, to: string): Date =>
  firstOf(DateTime.fromJSDate(at, { zone: from }).setZone(to, { keepLocalTime: true }));

/** So many days later by the calendar of the zone: the clock on the wall shows the same, also across daylight saving. */
export const shiftedByDays = (at: Date, zone: string, days: number): Date =>
  days === 0 ? at : firstOf(DateTime.fromJSDate(at, { zone }).plus({ days }));

/** Which of two equal wall times luxon takes depends on where it came from, so it is not asked. */
const firstOf = (time: DateTime): Date => (time.getPossibleOffsets()[0] ?? time).toJSDate();

/** The furthest place among an event's ticket types, or its checkout fields. */
export const POSITION_MAX = 1_000_000;

/** The place behind all others. Where the furthest is taken, it is shared: then the id decides, which grows. */
export function lastPosition(others: readonly { position: number }[]): number {
  const next = others.reduce((last, { position }) => Math.max(last, position + 1), 0);
  return Math.min(POSITION_MAX, next);
}
