// How an event's times move: the wall clock stays, across zones and across daylight saving.
import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { atSameWallTime, lastPosition, POSITION_MAX, scheduleProblems, shiftedByDays, windowProblems } from './event.rules.js';

const at = (text: string) => new Date(text);
const wall = (instant: Date, zone: string) => DateTime.fromJSDate(instant, { zone }).toFormat('yyyy-MM-dd HH:mm:ss.SSS');
const zones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Africa/Casablanca',
  'Pacific/Apia',
  'UTC',
];
const instants = fc.date({ min: at('2000-01-01T00:00:00Z'), max: at('2199-12-31T00:00:00Z'), noInvalidDate: true });

describe('an event’s times', () => {
  it('keep the wall clock when days are added across the change of October and of March', () => {
    expect(shiftedByDays(at('2027-10-30T18:00:00Z'), 'Europe/Berlin', 1)).toEqual(at('2027-10-31T19:00:00Z'));
    expect(shiftedByDays(at('2027-03-27T19:00:00Z'), 'Europe/Berlin', 1)).toEqual(at('2027-03-28T18:00:00Z'));
    expect(shiftedByDays(at('2027-03-28T18:00:00Z'), 'Europe/Berlin', -1)).toEqual(at('2027-03-27T19:00:00Z'));
  });

  it('take the time after the gap where daylight saving skips theirs', () => {
    // 02:30 on 27 March, one day later there is no 02:30.
    expect(wall(shiftedByDays(at('2027-03-27T01:30:00Z'), 'Europe/Berlin', 1), 'Europe/Berlin')).toContain('03:30');
  });

  it('take the first of a time that comes twice', () => {
    expect(atSameWallTime(at('2027-10-31T02:30:00Z'), 'UTC', 'Europe/Berlin')).toEqual(at('2027-10-31T00:30:00Z'));
  });

  it('show the same on the wall in every zone they are moved to, but for skipped hours', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), fc.constantFrom(...zones), (instant, from, to) => {
        const moved = atSameWallTime(instant, from, to);
        const there = wall(moved, to);
        if (there === wall(instant, from)) return true;
        // Skipped: the hour before it has another offset.
        const offset = (ms: number) => DateTime.fromMillis(ms, { zone: to }).offset;
        return offset(moved.getTime()) > offset(moved.getTime() - 26 * 3_600_000);
      }),
      { numRuns: 2000 },
    );
  });

  it('show the same time of day after any number of days, but for skipped hours', () => {
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), fc.integer({ min: -400, max: 400 }), (instant, zone, days) => {
        const time = (d: Date) => wall(d, zone).slice(11);
        const moved = shiftedByDays(instant, zone, days);
        if (time(moved) === time(instant)) return true;
        const offset = (ms: number) => DateTime.fromMillis(ms, { zone }).offset;
        return offset(moved.getTime()) > offset(moved.getTime() - 26 * 3_600_000);
      }),
      { numRuns: 2000 },
    );
  });

  it('are sane', () => {
    const problems = (startsAt: string, endsAt: string) =>
      scheduleProblems({ startsAt: at(startsAt), endsAt: at(endsAt) }).map((p) => p.pointer);
    expect(problems('2027-01-01T00:00:00Z', '2027-01-01T00:00:00.001Z')).toEqual([]);
    expect(problems('2000-01-01T00:00:00Z', '2000-01-02T00:00:00Z')).toEqual([]);
    expect(problems('2027-01-01T00:00:00Z', '2027-01-01T00:00:00Z')).toEqual(['/endsAt']);
    expect(problems('1999-12-31T23:59:59Z', '2000-01-02T00:00:00Z')).toEqual(['/startsAt']);
    expect(problems('2199-12-31T00:00:00Z', '2200-01-01T00:00:00Z')).toEqual(['/endsAt']);
    expect(windowProblems(null, at('2027-01-01T00:00:00Z'), '/x')).toEqual([]);
    expect(windowProblems(at('2027-01-02T00:00:00Z'), at('2027-01-01T00:00:00Z'), '/x')).toHaveLength(1);
  });
});

describe('positions', () => {
  it('are behind all others, up to the furthest there is', () => {
    const after = (...positions: number[]) => lastPosition(positions.map((position) => ({ position })));
    expect([after(), after(0, 4, 2), after(POSITION_MAX - 1), after(POSITION_MAX)]).toEqual([0, 5, POSITION_MAX, POSITION_MAX]);
  });
});
