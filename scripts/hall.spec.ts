// A made hall is a valid seat map of the wished size.
import { describe, expect, it } from 'vitest';
import { flatSeats, seatMapProblems, zoneSizes } from '../libs/catalog/seat-map.rules.js';
import { hall } from './hall.js';

describe('hall', () => {
  it.each([1, 7, 59, 60, 500, 20_000, 100_000])('of %i seats is a valid map with as many seats', (seats) => {
    const map = hall(seats);
    expect(seatMapProblems(map)).toEqual([]);
    const flat = flatSeats(map);
    expect(flat).toHaveLength(seats);
    expect(new Set(flat.map(({ x, y }) => `${x}/${y}`)).size).toBe(seats); // Nobody sits on another's lap.
    expect([...zoneSizes(map).values()].reduce((a, b) => a + b)).toBe(seats);
  });

  it('has accessible seats with a companion beside each', () => {
    const flat = flatSeats(hall(2000));
    const accessible = flat.filter((seat) => seat.accessible);
    expect(accessible.length).toBeGreaterThan(4);
    for (const { seatId, ordinal } of accessible) {
      expect(flat.filter((seat) => seat.companionOf === seatId).map((seat) => Math.abs(seat.ordinal - ordinal))).toEqual([1]);
    }
  });

  it('refuses sizes that no map may have', () => {
    for (const seats of [0, -1, 1.5, Number.NaN, 100_001]) expect(() => hall(seats)).toThrow('1 to 100000');
  });
});
