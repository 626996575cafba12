// Payments under test: the api over real HTTP, and its jobs and timers done when a test says so, so that nothing is slept for.
import { Module } from '@nestjs/common';
import { ApiModule } from '../apps/api/api.module.js';
import type { Payment } from '../libs/payments/payments.port.js';
import { PaymentsPort } from '../libs/payments/payments.port.js';
import { DeliverTestWebhook, SubmitRefund } from '../libs/payments/payments.jobs.js';
import { PaymentsWorker } from '../libs/payments/payments.module.js';
import { PaymentsProcessor } from '../libs/payments/payments.processor.js';
import { SettlementService } from '../libs/payments/settlement.service.js';
import { TestProvider } from '../libs/payments/test-provider.client.js';
import { newId, newOrgId } from '../libs/kernel/ids.js';
import { PlatformConfig } from '../libs/platform/config/platform.config.js';
import { Database } from '../libs/platform/db/database.js';
import { EventStore } from '../libs/platform/eventstore/event.store.js';
import { JobWorker } from '../libs/platform/queue/job.worker.js';
import { Harness } from './harness.js';

@Module({ imports: [ApiModule, PaymentsWorker], providers: [JobWorker] })
class PaymentsHouse {}

export const CARD = {
  pays: '4242424242424242',
  declines: '4000000000000002',
  late: '4000000000000341',
  doubled: '4000000000000119',
  disordered: '4000000000000259',
  declinesLate: '4000000000000127',
  refundFails: '4000000000005126',
  refundLate: '4000000000007726',
};

export interface LedgerRow {
  transaction_id: string;
  payment_id: string;
  kind: string;
  account: string;
  currency: string;
  amount: number;
}

export class House {
  readonly port: PaymentsPort;
  readonly processor: PaymentsProcessor;
  readonly provider: TestProvider;
  readonly settlement: SettlementService;
  readonly db: Database;
  readonly events: EventStore;
  private readonly jobs: JobWorker;

  private constructor(readonly evently: Harness) {
    const { api } = evently;
    api.get(PlatformConfig).publicUrl = evently.url;
    this.port = api.get(PaymentsPort);
    this.processor = api.get(PaymentsProcessor, { strict: false });
    this.provider = api.get(TestProvider, { strict: false });
    this.settlement = api.get(SettlementService, { strict: false });
    this.db = api.get(Database);
    this.events = api.get(EventStore);
    this.jobs = api.get(JobWorker);
    this.jobs.register(SubmitRefund.type, (d: { orgId: string; refundId: string }) => this.processor.submitRefund(d));
    this.jobs.register(DeliverTestWebhook.type, (d: { orgId: string; webhookId: string }) =>
      this.processor.deliverTestWebhook(d),
    );
  }

  static async start(): Promise<House> {
    return new House(await Harness.start(PaymentsHouse));
  }

  stop(): Promise<void> {
    return this.evently.stop();
  }

  /** A wish for a new booking of a new organization, unless given. */
  wish(over: { orgId?: string; bookingId?: string; amount?: number; card?: string } = {}) {
    const orgId = over.orgId ?? newOrgId();
    const bookingId = over.bookingId ?? newId(orgId);
    return {
      orgId,
      bookingId,
      amount: over.amount ?? 2500,
      currency: 'EUR',
      method: { provider: 'test', card: over.card ?? CARD.pays },
    };
  }

  /** Created and submitted, as booking does it. */
  async pay(wish: ReturnType<House['wish']>): Promise<Payment> {
    const created = await this.port.create(wish);
    return this.port.submit(wish.orgId, created.id, wish.method);
  }

  async payment(
    orgId: string,
    id: string,
  ): Promise<{ status: string; version: number; surplus: boolean; refunded_amount: number }> {
    const { rows } = await this.evently.sql.query('SELECT * FROM payments.payment WHERE org_id = $1 AND id = $2', [orgId, id]);
    return rows[0] as never;
  }

  /** Does every job that is due now; returns how many. */
  async work(): Promise<number> {
    let done = 0;
    for (;;) {
      const due = await this.jobs.due(100, false);
      if (due.length === 0) return done;
      for (const { orgId, id } of due) await this.jobs.run(orgId, id);
      done += due.length;
    }
  }

  /** Moves the clock, then does what became due. */
  async after(seconds: number): Promise<number> {
    await this.evently.shiftClock(seconds);
    return this.work();
  }

  /** Types of a payment's domain events, in order. */
  async told(orgId: string, paymentId: string): Promise<string[]> {
    const { rows } = await this.evently.sql.query<{ type: string }>(
      'SELECT type FROM platform.event WHERE org_id = $1 AND stream = $2 ORDER BY stream_version',
      [orgId, `payment:${paymentId}`],
    );
    return rows.map((r) => r.type);
  }

  async ledger(orgId: string): Promise<LedgerRow[]> {
    const { rows } = await this.evently.sql.query<LedgerRow>(
      'SELECT * FROM payments.ledger_entry WHERE org_id = $1 ORDER BY id',
      [orgId],
    );
    return rows.map((r) => ({ ...r, amount: Number(r.amount) }));
  }

  /** What one account of an organization stands at. */
  async balance(orgId: string, account: string): Promise<number> {
    return (await this.ledger(orgId)).filter((r) => r.account === account).reduce((sum, r) => sum + r.amount, 0);
  }

  /** What the provider's own books say it holds for an organization: succeeded charges less succeeded refunds. */
  async providerHolds(orgId: string): Promise<number> {
    const { rows } = await this.evently.sql.query<{ held: string }>(
      `SELECT coalesce((SELECT sum(amount) FROM payments.test_charge WHERE org_id = $1 AND outcome = 'succeeded' AND settles_at <= platform.now()), 0)
            - coalesce((SELECT sum(amount) FROM payments.test_refund WHERE org_id = $1 AND outcome = 'succeeded' AND settles_at <= platform.now()), 0) AS held`,
      [orgId],
    );
    return Number(rows[0].held);
  }
}
