// Webhooks over real HTTP: signed, late, doubled, out of order, replayed, tampered with, and of payments nobody knows.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CARD, House } from '../../test/payments.house.js';
import { newId, newOrgId } from '../kernel/ids.js';
import { Clock } from '../kernel/time.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { PaymentsConfig } from './payments.config.js';
import { SIGNATURE_HEADER, signWebhook } from './test-provider.rules.js';

const PATH = '/v1/payments/webhooks/test';

describe('webhooks', () => {
  let house: House;
  beforeAll(async () => (house = await House.start()));
  afterAll(() => house.stop());

  const secret = () => house.evently.api.get(PaymentsConfig, { strict: false }).testWebhookSecret;
  const now = () => house.evently.api.get(Clock).now();
  const eventOf = (
    orgId: string,
    paymentId: string,
    over: { id?: string; type?: string; amount?: number; currency?: string } = {},
  ) =>
    JSON.stringify({
      id: over.id ?? newId(orgId),
      type: over.type ?? 'charge.succeeded',
      createdAt: now().toISOString(),
      data: {
        object: 'charge', id: newId(orgId), merchant: orgId, reference: paymentId, amount: over.amount ?? 2500,
        currency: over.currency ?? 'EUR', code: null,
      }, // prettier-ignore
    });
  const bring = (body: string, signature = signWebhook(secret(), body, now()), path = PATH) =>
    house.evently.call<{ outcome: string; code: string; errors: { pointer: string; detail: string }[] }>('POST', path, body, {
      headers: signature === '' ? {} : { [SIGNATURE_HEADER]: signature },
    });
  const inbox = async (orgId: string) =>
    (
      await house.evently.sql.query<{ type: string; outcome: string }>(
        'SELECT type, outcome FROM payments.webhook_event WHERE org_id = $1 ORDER BY received_at',
        [orgId],
      )
    ).rows.map((r) => `${r.type}: ${r.outcome}`);
  const open = async () => {
    const wish = house.wish();
    return { ...wish, payment: await house.port.create(wish) };
  };

  it('comes also for what was paid at once, and changes nothing', async () => {
    const wish = house.wish();
    const { id } = await house.pay(wish);
    expect(await house.work()).toBe(1);
    expect(await inbox(wish.orgId)).toEqual(['charge.succeeded: nothing-new']);
    expect((await house.payment(wish.orgId, id)).version).toBe(2);
  });

  it('comes late with 0341', async () => {
    const wish = house.wish({ card: CARD.late });
    const { id, status } = await house.pay(wish);
    expect(status).toBe('processing');
    expect(await house.work()).toBe(0);
    expect(await house.after(2)).toBe(0);
    expect(await house.after(1)).toBe(1);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
    expect(await house.told(wish.orgId, id)).toEqual(['payment.created', 'payment.processing', 'payment.succeeded']);
  });

  it('comes twice with 0119, and takes effect once', async () => {
    const wish = house.wish({ card: CARD.doubled });
    const { id, status } = await house.pay(wish);
    expect(status).toBe('processing');
    expect(await house.after(1)).toBe(3);
    expect(await inbox(wish.orgId)).toEqual(['charge.processing: nothing-new', 'charge.succeeded: applied']);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
    expect(await house.ledger(wish.orgId)).toHaveLength(2);
  });

  it('comes out of order with 0259, and nothing goes back', async () => {
    const wish = house.wish({ card: CARD.disordered });
    const { id, status } = await house.pay(wish);
    expect(status).toBe('processing');
    expect(await house.after(0.5)).toBe(1);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
    expect(await house.after(2)).toBe(2);
    expect(await inbox(wish.orgId)).toEqual([
      'charge.succeeded: applied',
      'charge.processing: nothing-new',
      'charge.created: ignored',
    ]);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
  });

  it('declines late with 0127', async () => {
    const wish = house.wish({ card: CARD.declinesLate });
    const { id } = await house.pay(wish);
    await house.after(1);
    expect(await house.payment(wish.orgId, id)).toMatchObject({ status: 'declined', decline_code: 'card_declined' });
  });

  it('is brought again while nobody answers', async () => {
    const config = house.evently.api.get(PlatformConfig);
    const wish = house.wish({ card: CARD.late });
    const { id } = await house.pay(wish);
    config.publicUrl = 'http://127.0.0.1:9'; // Nobody listens there.
    await house.after(3);
    expect((await house.payment(wish.orgId, id)).status).toBe('processing');
    config.publicUrl = `${house.evently.url}/`;
    await house.after(1.1);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
  });

  it('is signed anew for each delivery, however late', async () => {
    const wish = house.wish({ card: CARD.late });
    const { id } = await house.pay(wish);
    await house.after(3600);
    expect((await house.payment(wish.orgId, id)).status).toBe('succeeded');
  });

  it('takes effect once when ten come at once', async () => {
    const { orgId, payment } = await open();
    const body = eventOf(orgId, payment.id);
    const replies = await Promise.all(Array.from({ length: 10 }, () => bring(body)));
    expect(replies.every((r) => r.status === 200)).toBe(true);
    expect(replies.map((r) => r.body.outcome).sort()).toEqual(['applied', ...Array<string>(9).fill('duplicate')]);
    expect(await house.ledger(orgId)).toHaveLength(2);
  });

  it('takes effect once when ten events with ids of their own say the same at once', async () => {
    const { orgId, payment } = await open();
    const replies = await Promise.all(Array.from({ length: 10 }, () => bring(eventOf(orgId, payment.id))));
    expect(replies.map((r) => r.body.outcome).sort()).toEqual(['applied', ...Array<string>(9).fill('nothing-new')]);
    expect(await house.ledger(orgId)).toHaveLength(2);
  });

  it('refuses a replay with an old timestamp, and one from the future', async () => {
    const { orgId, payment } = await open();
    const body = eventOf(orgId, payment.id);
    for (const seconds of [-301, 302]) {
      const reply = await bring(body, signWebhook(secret(), body, new Date(now().getTime() + seconds * 1000)));
      expect(reply.status).toBe(400);
      expect(reply.body.errors).toEqual([
        { pointer: `/headers/${SIGNATURE_HEADER}`, detail: expect.stringContaining('too old') },
      ]);
    }
    expect((await bring(body, signWebhook(secret(), body, new Date(now().getTime() - 290_000)))).body.outcome).toBe('applied');
  });

  it('refuses a body or time that was tampered with, another secret and no signature', async () => {
    const { orgId, payment } = await open();
    const body = eventOf(orgId, payment.id);
    const good = signWebhook(secret(), body, now());
    const bad: [string, string][] = [
      [body.replace('2500', '2501'), good],
      [`${body} `, good],
      [body, good.replace(/^t=\d+/, (t) => `t=${Number(t.slice(2)) - 1}`)],
      [body, signWebhook(`${secret()}x`, body, now())],
      [body, ''],
      [body, 'v1=00'],
      [body, 't=1,v1=zz'],
      [body, `t=${'9'.repeat(500)},v1=${'a'.repeat(64)}`],
    ];
    for (const [sent, signature] of bad) {
      const reply = await bring(sent, signature);
      expect(reply.status, signature).toBe(400);
      expect(reply.body.code).toBe('invalid_request');
    }
    expect((await house.payment(orgId, payment.id)).status).toBe('created');
    expect(await inbox(orgId)).toEqual([]);
  });

  it('takes one right signature among several, so that secrets can change', async () => {
    const { orgId, payment } = await open();
    const body = eventOf(orgId, payment.id);
    const [t, v1] = signWebhook(secret(), body, now()).split(',');
    expect((await bring(body, `${t},v1=${'0'.repeat(64)},${v1}`)).body.outcome).toBe('applied');
  });

  it('answers 404 for a provider there is none of', async () => {
    const body = eventOf(newOrgId(), newOrgId());
    for (const name of ['gold', 'TEST', '__proto__', 'test%00', encodeURIComponent('../test')]) {
      expect((await bring(body, signWebhook(secret(), body, now()), `/v1/payments/webhooks/${name}`)).status, name).toBe(404);
    }
  });

  it('keeps one of a payment nobody knows for operators, and answers 2xx', async () => {
    const orgId = newOrgId();
    const reply = await bring(eventOf(orgId, newId(orgId)));
    expect(reply).toMatchObject({ status: 200, body: { outcome: 'unknown' } });
    expect(await inbox(orgId)).toEqual(['charge.succeeded: unknown']);
    const foreign = await bring(eventOf('not-an-id', 'order-17', { id: 'evt_17' }));
    expect(foreign).toMatchObject({ status: 200, body: { outcome: 'unknown' } });
    expect(await inbox('00000000-0000-0000-0000-000000000000')).toEqual(['charge.succeeded: unknown']);
  });

  it('does not believe another organization, amount or currency', async () => {
    const { orgId, payment } = await open();
    expect((await bring(eventOf(newOrgId(), payment.id))).body.outcome).toBe('unknown');
    expect((await bring(eventOf(orgId, payment.id, { amount: 1 }))).body.outcome).toBe('mismatch');
    expect((await bring(eventOf(orgId, payment.id, { currency: 'USD' }))).body.outcome).toBe('mismatch');
    expect((await house.payment(orgId, payment.id)).status).toBe('created');
    expect(await house.ledger(orgId)).toEqual([]);
  });

  it('refuses signed nonsense without a 5xx', async () => {
    const whole = JSON.parse(eventOf(newOrgId(), newOrgId())) as { data: object };
    const nonsense = ['null', '[]', '{}', '"x"', '{"id":1,"type":"a","data":null}'].concat(
      [{ amount: 1e300 }, { amount: -1 }, { currency: 'euro' }, { id: 'a\0' }, { merchant: 5 }, { code: {} }].map((over) =>
        JSON.stringify({ ...whole, data: { ...whole.data, ...over } }),
      ),
    );
    for (const body of nonsense) expect((await bring(body)).status, body).toBe(400);
    expect((await bring('{')).status).toBe(400);
  });

  it('leaves neither inbox row nor effect when it dies between them, so that the next delivery is taken', async () => {
    const { orgId, payment } = await open();
    const body = eventOf(orgId, payment.id);
    const spy = vi.spyOn(house.events, 'announce').mockRejectedValueOnce(new Error('killed'));
    expect((await bring(body)).status).toBe(503);
    spy.mockRestore();
    expect(await inbox(orgId)).toEqual([]);
    expect((await bring(body)).body.outcome).toBe('applied');
  });

  it('forgets what is long over, and keeps what an operator must look at', async () => {
    const { orgId, payment } = await open();
    await bring(eventOf(orgId, payment.id));
    await bring(eventOf(orgId, newId(orgId)));
    await house.processor.trim();
    expect(await inbox(orgId)).toHaveLength(2);
    await house.evently.shiftClock(61 * 86_400);
    await house.processor.trim();
    expect(await inbox(orgId)).toEqual(['charge.succeeded: unknown']);
    const { rows } = await house.evently.sql.query('SELECT 1 FROM payments.test_webhook');
    expect(rows).toEqual([]);
  });
});
