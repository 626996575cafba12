// The test provider: a small company of our own that moves no money but behaves like a real one: its own books and transactions,
// idempotency keys, declines by card number, refunds, and webhooks that come late, doubled and out of order where a card says so.
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { FieldError } from '../kernel/errors.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { Seal } from '../platform/config/seal.js';
import { Database } from '../platform/db/database.js';
import { Log } from '../platform/observe/log.js';
import type { PaymentMethod } from './payments.port.js';
import {
  ABANDONED,
  type Charge,
  type ChargeAnswer,
  PaymentProvider,
  type ProviderEvent,
  ProviderError,
} from './provider.client.js';
import type { RefundAnswer, Repayment, WebhookHeaders } from './provider.client.js';
import { type TestCharge, TestProviderRepository, type TestRefund } from './test-provider.repository.js';
import { testCard, testCardByLast4, testCardEndings } from './test-provider.rules.js';
import { TestWebhooks } from './test-webhook.client.js';

@Injectable()
export class TestProvider extends PaymentProvider implements OnModuleInit {
  readonly name = 'test';

  constructor(
    private readonly db: Database,
    private readonly books: TestProviderRepository,
    private readonly webhooks: TestWebhooks,
    private readonly seal: Seal,
    private readonly config: PlatformConfig,
    private readonly log: Log,
  ) {
    super();
  }

  onModuleInit(): void {
    if (this.config.nodeEnv === 'production')
      this.log.warn({}, 'The payment provider "test" is on: it confirms without taking real money');
  }

  check(method: PaymentMethod): FieldError[] {
    if (testCard(method.card)) return [];
    const detail = `Send a test card: 16 digits that end with ${testCardEndings().join(', ')}, such as 4242424242424242.`;
    return [{ pointer: '/card', detail }];
  }

  async create(charge: Charge, method: PaymentMethod, key: string): Promise<ChargeAnswer> {
    const known = testCard(method.card);
    if (!known) throw new ProviderError('invalid_card', false, 'This is no test card.');
    const { last4, card } = known;
    const { outcome, code = null, settlesMs, webhooks } = card.charge;
    const fingerprint = this.seal.make('payments.test-card', String(method.card));
    return this.alone(async () => {
      const wish = { ...wishOf(charge, charge.paymentId, key), fingerprint, last4, outcome, code, settlesMs };
      const made = await this.books.addCharge(wish);
      if (made) {
        await this.webhooks.plan('charge', made, webhooks);
        return chargeAnswer(made, made.atOnce);
      }
      const before = await this.books.chargeByKey(charge.orgId, key);
      if (!before) throw new ProviderError('conflict', true, 'The charge is being made.');
      if (before.last4 !== null && !sameWish(before, wish)) throw keyReused();
      return chargeAnswer(before, before.atOnce);
    });
  }

  find(charge: Charge, key: string): Promise<ChargeAnswer | null> {
    return this.alone(async () => {
      const found = await this.books.chargeByKey(charge.orgId, key);
      return found && chargeAnswer(found, found.settled);
    });
  }

  /** Takes the key itself, so that a `create` which is still on its way finds it used. */
  cancel(charge: Charge, key: string): Promise<ChargeAnswer> {
    return this.alone(async () => {
      const wish = wishOf(charge, charge.paymentId, key);
      const none = { fingerprint: '', last4: null, outcome: 'declined' as const, code: ABANDONED, settlesMs: 0 };
      const stands = (await this.books.addCharge({ ...wish, ...none })) ?? (await this.books.chargeByKey(charge.orgId, key));
      if (!stands) throw new ProviderError('conflict', true, 'The charge is being made.');
      return chargeAnswer(stands, stands.settled);
    });
  }

  refund(repayment: Repayment, key: string): Promise<RefundAnswer> {
    return this.alone(async () => {
      const charge = await this.books.lockChargeOf(repayment.orgId, repayment.paymentId);
      if (!charge?.last4 || !charge.settled || charge.outcome !== 'succeeded') {
        throw new ProviderError('charge_not_refundable', false, 'There is no charge to give back from.');
      }
      const wish = wishOf(repayment, repayment.refundId, key);
      const before = await this.books.refundByKey(repayment.orgId, key);
      if (before) {
        if (before.chargeId !== charge.id || before.amount !== wish.amount || before.currency !== wish.currency)
          throw keyReused();
        return refundAnswer(before, before.atOnce);
      }
      const given = await this.books.givenBack(repayment.orgId, charge.id);
      if (repayment.currency !== charge.currency || repayment.amount > charge.amount - given) {
        throw new ProviderError('amount_too_large', false, 'There is not so much left of the charge.');
      }
      const { outcome, code = null, settlesMs, webhooks } = testCardByLast4(charge.last4)!.refund;
      const made = await this.books.addRefund({ ...wish, chargeId: charge.id, outcome, code, settlesMs });
      await this.webhooks.plan('refund', made, webhooks);
      return refundAnswer(made, made.atOnce);
    });
  }

  findRefund(repayment: Repayment, key: string): Promise<RefundAnswer | null> {
    return this.alone(async () => {
      const found = await this.books.refundByKey(repayment.orgId, key);
      return found && refundAnswer(found, found.settled);
    });
  }

  verifyWebhook(rawBody: Buffer, headers: WebhookHeaders): ProviderEvent[] {
    return [this.webhooks.read(rawBody, headers)];
  }

  /** A transaction of its own, never part of ours: what it committed stays, whatever becomes of us. */
  private alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.db.inTransaction) throw new Error('Another company cannot take part in our transaction.');
    return this.db.transaction(work);
  }
}

const wishOf = ({ orgId, amount, currency }: Charge | Repayment, reference: string, key: string) => ({
  orgId,
  key,
  reference,
  amount,
  currency,
});

type Wish = Pick<TestCharge, 'reference' | 'amount' | 'currency' | 'fingerprint'>;

const sameWish = (a: Wish, b: Wish) =>
  a.reference === b.reference && a.amount === b.amount && a.currency === b.currency && a.fingerprint === b.fingerprint;

const keyReused = () => new ProviderError('key_reused', false, 'This key was used with another wish.');

/** `settled`: as it stands now, or as it stood when it was asked for. */
function chargeAnswer(charge: TestCharge, settled: boolean): ChargeAnswer {
  const { amount, currency, outcome, code, last4, id } = charge;
  const chargeId = last4 === null ? null : id;
  return settled
    ? { status: outcome, chargeId, amount, currency, code }
    : { status: 'processing', chargeId, amount, currency, code: null };
}

function refundAnswer({ amount, currency, outcome, code }: TestRefund, settled: boolean): RefundAnswer {
  return settled ? { status: outcome, amount, currency, code } : { status: 'processing', amount, currency, code: null };
}
