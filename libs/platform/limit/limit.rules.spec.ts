// The algorithm against a model that remembers every grant; and the headers as the draft writes them.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitHeader, overridden, parseOverride, POLICIES, policyHeader, take, takenElsewhere } from './limit.rules.js';

const ten = { quota: 10, windowSeconds: 60 };

describe('take', () => {
  it('grants the whole quota at once, then one an interval', () => {
    const bucket = { tat: 0 };
    const at = (now: number) => take(bucket, now, { quota: 10, windowSeconds: 60 });
    for (let i = 9; i >= 0; i--) expect(at(1000)).toMatchObject({ allowed: true, remaining: i });
    expect(at(1000)).toEqual({ allowed: false, remaining: 0, resetSeconds: 60, retryAfter: 6 });
    expect(at(6999).allowed).toBe(false);
    expect(at(7000)).toMatchObject({ allowed: true, remaining: 0 });
    expect(at(7001).allowed).toBe(false);
    expect(at(67_000 + 60_000)).toMatchObject({ allowed: true, remaining: 9 });
  });

  it('never grants more than the quota at once, nor more than the quota and what a span brings back', () => {
    const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 5000 }), cost: fc.integer({ min: 1, max: 3 }) }), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 50 }), fc.integer({ min: 1, max: 60 }), steps, (quota, window, list) => {
        const bucket = { tat: 0 };
        const grants: { at: number; n: number }[] = [];
        let now = 0;
        for (const { wait, cost } of list) {
          now += wait;
          const verdict = take(bucket, now, { quota, windowSeconds: window }, cost);
          if (verdict.allowed) grants.push({ at: now, n: cost });
          expect(verdict.remaining).toBeGreaterThanOrEqual(0);
          expect(verdict.remaining).toBeLessThan(quota);
          if (!verdict.allowed) expect(verdict.retryAfter).toBeGreaterThanOrEqual(1);
        }
        for (let from = 0; from < grants.length; from++) {
          let sum = 0;
          for (let to = from; to < grants.length; to++) {
            sum += grants[to].n;
            const back = ((grants[to].at - grants[from].at) / (window * 1000)) * quota;
            expect(sum).toBeLessThanOrEqual(quota + back + 1e-3);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  it('says truly when to come again', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 600 }), (quota, window) => {
        const bucket = { tat: 0 };
        let verdict = take(bucket, 0, { quota, windowSeconds: window });
        while (verdict.allowed) verdict = take(bucket, 0, { quota, windowSeconds: window });
        expect(take({ ...bucket }, verdict.retryAfter * 1000, { quota, windowSeconds: window }).allowed).toBe(true);
        expect(take({ ...bucket }, verdict.resetSeconds * 1000, { quota, windowSeconds: window }).remaining).toBe(quota - 1);
      }),
    );
  });

  it('counts what others took, and does not stay shut for ever', () => {
    const bucket = { tat: 0 };
    takenElsewhere(bucket, 0, ten, 9);
    expect(take(bucket, 0, ten).allowed).toBe(true);
    expect(take(bucket, 0, ten).allowed).toBe(false);
    takenElsewhere(bucket, 0, ten, 1_000_000);
    expect(take(bucket, 120_000, ten).allowed).toBe(true);
  });
});

it('writes headers and reads overrides', () => {
  expect(
    policyHeader([
      { name: 'a', quota: 1, windowSeconds: 2 },
      { name: 'b', quota: 3, windowSeconds: 4 },
    ]),
  ).toBe('"a";q=1;w=2, "b";q=3;w=4');
  expect(limitHeader('a', { allowed: true, remaining: 5, resetSeconds: 7, retryAfter: 0 })).toBe('"a";r=5;t=7');
  expect(parseOverride('address=10/60')).toEqual({ name: 'address', quota: 10, windowSeconds: 60 });
  expect(parseOverride('booking=10:500/60')).toEqual({ name: 'booking', quota: 10, programs: 500, windowSeconds: 60 });
  for (const bad of [
    'booking=10:0/60',
    'address=10:500/60',
    'address=0/60',
    'address=10',
    'nobody=10/60',
    'address=10/0',
    'address=-1/60',
    '',
  ])
    expect(parseOverride(bad)).toBeNull();
});

it('lets programs do no less than people, at the rate they had unless another is said', () => {
  const booking = POLICIES.find((p) => p.name === 'booking')!;
  const after = (text: string) => overridden(booking, parseOverride(text)!);
  expect(after('booking=10/1')).toMatchObject({ quota: 10, windowSeconds: 1, programs: booking.programs! / 60 });
  expect(after('booking=999999999/60')).toMatchObject({ quota: 999_999_999, programs: 999_999_999 });
  expect(after('booking=10:20/60')).toMatchObject({ quota: 10, programs: 20, windowSeconds: 60 });
});
