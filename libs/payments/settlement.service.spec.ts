// Whatever order words about money come in: states never go back, the ledger sums to zero, and money is captured once.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { newId } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import type { PaymentStatus } from './payments.port.js';
import { PaymentsConfig } from './payments.config.js';
import { SIGNATURE_HEADER, signWebhook } from './test-provider.rules.js';
import { WebhookService } from './webhook.service.js';

const rank: Record<PaymentStatus, number> = { created: 0, processing: 1, declined: 2, succeeded: 3, refunded: 4 };

type Step =
  | { do: 'submit'; card: string }
  | { do: 'tell'; word: 'created' | 'processing' | 'succeeded' | 'declined'; twice: boolean }
  | { do: 'refund'; amount: number; key: string }
  | { do: 'work' | 'late' | 'reconcile' | 'again' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('submit' as const), card: fc.constantFrom(...Object.values(CARD)) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('tell' as const),
      word: fc.constantFrom('created' as const, 'processing' as const, 'succeeded' as const, 'declined' as const),
      twice: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('refund' as const),
      amount: fc.constantFrom(1, 700, 2500),
      key: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('work' as const, 'late' as const, 'reconcile' as const, 'again' as const) }),
  },
);

describe('settlement', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  const tell = async (orgId: string, paymentId: string, word: string, twice: boolean) => {
    const { api } = house.evently;
    const data = {
      object: 'charge',
      id: 'ch_1',
      merchant: orgId,
      reference: paymentId,
      amount: 2500,
      currency: 'EUR',
      code: null,
    };
    const body = JSON.stringify({ id: newId(orgId), type: `charge.${word}`, createdAt: '', data });
    const headers = {
      [SIGNATURE_HEADER]: signWebhook(api.get(PaymentsConfig, { strict: false }).testWebhookSecret, body, api.get(Clock).now()),
    };
    const bring = () => api.get(WebhookService, { strict: false }).receive('test', Buffer.from(body), headers);
    await Promise.all(twice ? [bring(), bring()] : [bring()]);
  };

  const take = async (s: Step, wish: ReturnType<House['wish']>, paymentId: string): Promise<unknown> => {
    switch (s.do) {
      case 'submit':
        return house.port.submit(wish.orgId, paymentId, { provider: 'test', card: s.card });
      case 'tell':
        return tell(wish.orgId, paymentId, s.word, s.twice);
      case 'refund':
        return house.port
          .refund({ ...wish, amount: s.amount, key: s.key, reason: 'r' })
          .catch((e: { code?: string; message: string }) => {
            if (e.code !== 'bad_transition' && !e.message.includes('used for another refund')) throw e;
          });
      case 'work':
        return house.work();
      case 'late':
        return house.after(3);
      case 'reconcile':
        await house.evently.shiftClock(700);
        return house.processor.settleOverdue();
      case 'again':
        return house.pay(wish);
    }
  };

  const check = async (orgId: string, before: Map<string, number>) => {
    const { rows } = await house.evently.sql.query<{
      id: string; status: PaymentStatus; amount: number; refunded_amount: number; surplus: boolean;
    }>('SELECT * FROM payments.payment WHERE org_id = $1', [orgId]); // prettier-ignore
    for (const p of rows) {
      expect(rank[p.status], `${p.id} went back to ${p.status}`).toBeGreaterThanOrEqual(before.get(p.id) ?? 0);
      before.set(p.id, rank[p.status]);
    }
    expect(
      rows.filter((p) => ['created', 'processing', 'succeeded'].includes(p.status) && !p.surplus).length,
    ).toBeLessThanOrEqual(1);
    const ledger = await house.ledger(orgId);
    const sums = new Map<string, number>();
    for (const r of ledger)
      sums.set(`${r.transaction_id} ${r.currency}`, (sums.get(`${r.transaction_id} ${r.currency}`) ?? 0) + r.amount);
    expect([...sums.values()].every((sum) => sum === 0)).toBe(true);
    for (const p of rows) {
      const held = ledger.filter((r) => r.payment_id === p.id && r.account === 'provider').map((r) => r.amount);
      expect(held.filter((a) => a > 0)).toEqual(rank[p.status] >= 3 ? [Number(p.amount)] : []); // One capture.
      const sum = held.reduce((s, a) => s + a, 0);
      expect(sum).toBe(rank[p.status] >= 3 ? Number(p.amount) - Number(p.refunded_amount) : 0);
    }
  };

  it('holds its invariants for any sequence of words, jobs, refunds and questions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        const wish = house.wish();
        const { id } = await house.port.create(wish);
        const ranks = new Map<string, number>();
        for (const s of steps) {
          await take(s, wish, id);
          await check(wish.orgId, ranks);
        }
      }),
      { numRuns: 20 },
    );
  }, 120_000);

  it('agrees with the provider once everything has come, when nobody invents news', async () => {
    const real = step.filter((s) => s.do !== 'tell');
    await fc.assert(
      fc.asyncProperty(fc.array(real, { minLength: 1, maxLength: 8 }), async (steps) => {
        const wish = house.wish();
        const { id } = await house.port.create(wish);
        for (const s of steps) await take(s, wish, id);
        for (let n = 0; n < 3; n++) {
          await house.after(700);
          await house.processor.settleOverdue();
        }
        expect(await house.balance(wish.orgId, 'provider')).toBe(await house.providerHolds(wish.orgId));
        expect(await house.port.openAmong(wish.orgId, [wish.bookingId])).toEqual(new Set());
      }),
      { numRuns: 12 },
    );
  }, 120_000);

  it('folds to the rows: every change of a row is in the stream of its payment', async () => {
    const wish = house.wish({ card: CARD.doubled });
    const { id } = await house.pay(wish);
    await house.after(1);
    await house.port.refund({ ...wish, amount: 1000, key: 'k', reason: 'r' });
    await house.work();
    const { rows } = await house.evently.sql.query<{ data: { rows?: Record<string, Record<string, unknown>[]> } }>(
      'SELECT data FROM platform.event WHERE org_id = $1 AND stream = $2 ORDER BY stream_version',
      [wish.orgId, `payment:${id}`],
    );
    const folded = new Map<string, Record<string, unknown>>();
    for (const { data } of rows)
      for (const [table, changed] of Object.entries(data.rows ?? {}))
        for (const row of changed) folded.set(`${table} ${String(row.id)}`, row);
    for (const table of ['payments.payment', 'payments.refund', 'payments.ledger_entry']) {
      const stored = await house.evently.sql.query<Record<string, unknown>>(`SELECT * FROM ${table} WHERE org_id = $1`, [
        wish.orgId,
      ]);
      expect(stored.rows.length).toBe([...folded.keys()].filter((k) => k.startsWith(`${table} `)).length);
      for (const row of stored.rows) {
        const { reason: _reason, ...kept } = folded.get(`${table} ${String(row.id)}`) ?? {};
        const { reason: _text, ...there } = JSON.parse(JSON.stringify(row)) as Record<string, unknown>;
        expect(kept).toEqual(there);
      }
    }
  });
});
