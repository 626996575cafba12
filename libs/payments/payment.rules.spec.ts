// The rules of money without a database: states only climb, every posting sums to zero, a signature is of one body at one time.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { captured, imbalance, refundFailed, refundOwed, refundPaid, type Posting } from './ledger.rules.js';
import { nextPayment, nextRefund } from './payment.rules.js';
import { signatureFault, signWebhook, testCard, testCardEndings } from './test-provider.rules.js';

const amount = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('payment states', () => {
  it.each([
    ['payment', nextPayment, 'created'],
    ['refund', nextRefund, 'requested'],
  ] as const)('of a %s can all be reached, and never come back', (_, table, first) => {
    const next = table as Readonly<Record<string, readonly string[]>>;
    const reach = (from: string): Set<string> => new Set(next[from].flatMap((s) => [s, ...reach(s)])); // Ends: no way leads back.
    expect([...reach(first), first].sort()).toEqual(Object.keys(next).sort());
    for (const state of Object.keys(next)) expect(reach(state).has(state)).toBe(false);
  });
});

describe('the ledger', () => {
  const postings = (a: number, surplus: boolean) =>
    [captured(a, surplus), refundOwed(a, surplus), refundPaid(a), refundFailed(a, surplus)].filter(
      (p): p is Posting => p !== null,
    );

  it('sums to zero in every posting of any amount', () => {
    fc.assert(fc.property(amount, fc.boolean(), (a, surplus) => postings(a, surplus).every((p) => imbalance(p) === 0n)));
  });

  it('notices a posting that does not', () => {
    const off: Posting = { kind: 'capture', lines: [{ account: 'provider', amount: 2 ** 53 - 1 }, { account: 'revenue', amount: 2 - 2 ** 53 }] }; // prettier-ignore
    expect(imbalance(off)).toBe(1n);
  });

  it('leaves nobody owing anything once all is captured and given back', () => {
    fc.assert(
      fc.property(amount, fc.boolean(), (a, surplus) => {
        const lines = [captured(a, surplus), refundOwed(a, surplus), refundPaid(a)].flatMap((p) => p?.lines ?? []);
        const of = (account: string) => lines.filter((l) => l.account === account).reduce((sum, l) => sum + l.amount, 0);
        return of('provider') === 0 && of('buyer') === 0 && of('revenue') + of('refunds') === 0;
      }),
    );
  });
});

describe('a webhook signature', () => {
  const secret = 'a-secret-of-thirty-two-characters';
  const now = new Date('2027-05-01T18:00:00.700Z');

  it('holds for its own body within five minutes, and for nothing else', () => {
    fc.assert(
      fc.property(fc.json(), fc.integer({ min: -299, max: 299 }), (body, seconds) => {
        const at = new Date(now.getTime() + seconds * 1000);
        return signatureFault(secret, Buffer.from(body), signWebhook(secret, body, now), at) === null;
      }),
    );
    fc.assert(
      fc.property(fc.string(), fc.string(), (body, other) => {
        fc.pre(body !== other);
        return signatureFault(secret, Buffer.from(other), signWebhook(secret, body, now), now) !== null;
      }),
    );
  });

  it('never throws, whatever is sent as one', () => {
    const piece = fc.constantFrom('t=', 'v1=', ',', '=', '1795000000', 'ab', 'z', ' ', 'f'.repeat(64));
    const header = fc.oneof(fc.string(), fc.array(piece).map((p) => p.join('')), fc.array(fc.string()), fc.constant(undefined)); // prettier-ignore
    fc.assert(fc.property(header, (h) => typeof signatureFault(secret, Buffer.from('{}'), h, now) === 'string'));
  });

  it('differs where the dot between time and body would move', () => {
    const header = signWebhook(secret, '1.{}', now);
    const moved = header.replace(/^t=(\d+)/, (_, t: string) => `t=${t}1`);
    expect(signatureFault(secret, Buffer.from('.{}'), moved, now)).not.toBeNull();
  });
});

describe('test cards', () => {
  it('are known by 16 digits and the last four', () => {
    for (const ending of testCardEndings()) expect(testCard(`400000000000${ending}`)?.last4).toBe(ending);
    for (const bad of [
      '424242424242424',
      '42424242424242420',
      '4242-4242-4242-4242',
      '4000000000001111',
      '٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢',
      4242424242424242,
      null,
    ])
      expect(testCard(bad)).toBeNull();
  });
});
