// Whatever the lines and the discount: nothing below zero, nothing lost, and never more off than was promised.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineTotals, sum, type Discount } from './price.rules.js';

const line = fc.record({
  unitPrice: fc.oneof(fc.nat(500), fc.nat(1_000_000_000)),
  quantity: fc.integer({ min: 1, max: 10_000 }),
});
const lines = fc.array(line, { minLength: 1, maxLength: 20 });
const percent = fc.integer({ min: 1, max: 10_000 }).map((n): Discount => ({ kind: 'percent', percent: n / 100 }));
const amount = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })).map(
  (n): Discount => ({ kind: 'amount', amount: n }),
); // prettier-ignore

describe('the price of lines', () => {
  it('is quantity times price without a discount', () => {
    expect(lineTotals([{ unitPrice: 2500, quantity: 2 }, { unitPrice: 0, quantity: 3 }], null)).toEqual([5000, 0]); // prettier-ignore
  });

  it('rounds each line’s percentage half up', () => {
    const of = (unitPrice: number, off: number) => lineTotals([{ unitPrice, quantity: 1 }], { kind: 'percent', percent: off });
    expect(of(25, 10)).toEqual([22]); // 2.5 off, which is 3.
    expect(of(24, 10)).toEqual([22]); // 2.4 off, which is 2.
    expect(of(1, 50)).toEqual([0]);
    expect(of(1000, 33.33)).toEqual([667]); // 333.3 off.
    expect(of(999, 100)).toEqual([0]);
  });

  it('spreads an amount over the lines and takes no more than all', () => {
    const three = [{ unitPrice: 100, quantity: 1 }, { unitPrice: 100, quantity: 1 }, { unitPrice: 100, quantity: 1 }]; // prettier-ignore
    expect(lineTotals(three, { kind: 'amount', amount: 100 })).toEqual([66, 67, 67]);
    expect(lineTotals(three, { kind: 'amount', amount: 500 })).toEqual([0, 0, 0]);
    expect(lineTotals([{ unitPrice: 0, quantity: 5 }], { kind: 'amount', amount: 500 })).toEqual([0]);
  });

  it('holds its invariants for any lines and any discount', () => {
    fc.assert(
      fc.property(lines, fc.oneof(percent, amount), (given, discount) => {
        const gross = given.map((l) => l.unitPrice * l.quantity);
        const totals = lineTotals(given, discount)!;
        const off = sum(gross) - sum(totals);
        expect(totals.every((t, i) => Number.isSafeInteger(t) && t >= 0 && t <= gross[i])).toBe(true);
        if (discount.kind === 'amount') expect(off).toBe(Math.min(discount.amount, sum(gross)));
        else {
          // Exactly, in integers: each line's discount is within half a unit of the percentage, a half rounded up.
          for (const [i, before] of gross.entries()) {
            const twice = 2n * BigInt(before) * BigInt(Math.round(discount.percent * 100));
            const cut = BigInt(before - totals[i]);
            expect(twice >= (2n * cut - 1n) * 10_000n && twice < (2n * cut + 1n) * 10_000n).toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('shares an amount fairly: no line is more than a unit from its share', () => {
    fc.assert(
      fc.property(lines, amount, (given, discount) => {
        const gross = given.map((l) => l.unitPrice * l.quantity);
        const all = sum(gross);
        if (all === 0 || discount.kind !== 'amount') return;
        const totals = lineTotals(given, discount)!;
        const cap = BigInt(Math.min(discount.amount, all));
        for (const [i, before] of gross.entries()) {
          const difference = BigInt(before - totals[i]) * BigInt(all) - cap * BigInt(before);
          expect(difference < BigInt(all) && difference > -BigInt(all)).toBe(true);
        }
      }),
    );
  });

  it('refuses what is more than money can be', () => {
    const huge = { unitPrice: Number.MAX_SAFE_INTEGER, quantity: 1 };
    expect(lineTotals([huge], null)).toEqual([Number.MAX_SAFE_INTEGER]);
    expect(lineTotals([huge, { unitPrice: 1, quantity: 1 }], null)).toBeNull();
    expect(lineTotals([{ unitPrice: Number.MAX_SAFE_INTEGER, quantity: 3 }], null)).toBeNull();
  });
});
