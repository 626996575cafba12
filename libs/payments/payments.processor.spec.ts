// The whole house at work: the worker's own jobs and timers bring webhooks, refunds and what was left behind by a crash to their end.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { Harness, until } from '../../test/harness.js';
import { newId, newOrgId } from '../kernel/ids.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { PATIENCE_SECONDS } from './payment.rules.js';
import { PaymentsPort } from './payments.port.js';

describe('the worker', () => {
  let evently: Harness;
  beforeAll(async () => {
    evently = await Harness.start(ApiModule, WorkerModule);
    evently.worker!.get(PlatformConfig).publicUrl = evently.url;
  });
  afterAll(() => evently.stop());

  const wish = (card: string) => {
    const orgId = newOrgId();
    return { orgId, bookingId: newId(orgId), amount: 1200, currency: 'EUR', method: { provider: 'test', card } };
  };
  const statusOf = async ({ orgId, bookingId }: { orgId: string; bookingId: string }) =>
    (await evently.api.get(PaymentsPort).ofBooking(orgId, bookingId))[0].status;

  it('brings webhooks that come at once, late, twice and out of order', async () => {
    const port = evently.api.get(PaymentsPort);
    const wishes = ['4000000000000341', '4000000000000119', '4000000000000259'].map(wish);
    for (const w of wishes) {
      const { id } = await port.create(w);
      expect((await port.submit(w.orgId, id, w.method)).status).toBe('processing');
    }
    for (const w of wishes) await until(`${w.method.card} pays`, async () => (await statusOf(w)) === 'succeeded', 15_000);
    for (const w of wishes) {
      const { rows } = await evently.sql.query('SELECT 1 FROM payments.ledger_entry WHERE org_id = $1', [w.orgId]);
      expect(rows).toHaveLength(2);
    }
  });

  it('gives money back', async () => {
    const port = evently.api.get(PaymentsPort);
    const w = wish('4242424242424242');
    const { id } = await port.create(w);
    await port.submit(w.orgId, id, w.method);
    await port.refund({ ...w, key: 'all', reason: 'booking_cancelled' });
    await until('the money is back', async () => (await statusOf(w)) === 'refunded', 15_000);
  });

  it('gives up what was left behind by a crash', async () => {
    const w = wish('4242424242424242');
    await evently.api.get(PaymentsPort).create(w);
    await evently.shiftClock(PATIENCE_SECONDS + 1);
    await until('it is given up', async () => (await statusOf(w)) === 'declined', 15_000);
  });
});
