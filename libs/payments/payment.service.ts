// Payments: what the port promises. Wishes are written in the caller's transaction, providers called outside of any.
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { isAmount } from '../kernel/money.js';
import { Clock } from '../kernel/time.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { Payment } from './payment.entity.js';
import { PaymentRepository } from './payment.repository.js';
import { isOpen } from './payment.rules.js';
import { PaymentCreated } from './payments.domain-events.js';
import { paymentsErrors } from './payments.errors.js';
import { type Payment as PaymentReply, type PaymentMethod, PaymentsPort } from './payments.port.js';
import { ABANDONED, type Charge, type ChargeAnswer, ProviderError } from './provider.client.js';
import { Providers } from './provider.service.js';
import { RefundService } from './refund.service.js';
import { SettlementService } from './settlement.service.js';

@Injectable()
export class PaymentService extends PaymentsPort {
  constructor(
    private readonly db: Database,
    private readonly events: EventStore,
    private readonly payments: PaymentRepository,
    private readonly providers: Providers,
    private readonly settlement: SettlementService,
    private readonly refunds: RefundService,
    private readonly clock: Clock,
  ) {
    super();
  }

  methods(): string[] {
    return this.providers.names();
  }

  async create(wish: Parameters<PaymentsPort['create']>[0]): Promise<PaymentReply> {
    const { method, ...asked } = wish;
    this.checkMethod(method);
    if (!isAmount(wish.amount) || wish.amount === 0)
      throw new Error('A payment needs an amount above 0; what is free needs none.');
    return this.db.transaction(async () => {
      const there = await this.payments.live(wish.orgId, wish.bookingId);
      if (there) return sameMoney(there, wish);
      const payment = Payment.ask({ ...asked, provider: method.provider }, this.clock.now());
      if (!(await this.payments.insert(payment))) {
        const other = await this.payments.live(wish.orgId, wish.bookingId);
        if (!other) throw edgeErrors.busy(); // It was declined or refunded in this moment.
        return sameMoney(other, wish);
      }
      await this.events.announce(PaymentCreated(payment.told), payment);
      return payment.reply;
    });
  }

  /** Refuses with `unavailable` when the provider cannot be reached: the same call may be made again, and the reconciler asks too. */
  async submit(orgId: string, paymentId: string, method: PaymentMethod): Promise<PaymentReply> {
    const payment = await this.payments.find(orgId, paymentId);
    if (!payment) throw edgeErrors.notFound();
    if (payment.status !== 'created') return payment.reply;
    if (method.provider !== payment.provider) {
      throw invalid([{ pointer: '/paymentMethod/provider', detail: `A payment with ${payment.provider} is under way.` }]);
    }
    this.checkMethod(method);
    await this.settlement.take(payment.told, await this.charge(payment, method));
    const now = (await this.payments.find(orgId, paymentId)) ?? payment;
    // We were so slow that the reconciler gave it up: no card was declined, and asking again makes a new payment.
    if (now.declineCode === ABANDONED) throw edgeErrors.unavailable({}, 'The payment took too long and was given up. Try again.');
    return now.reply;
  }

  async ofBooking(orgId: string, bookingId: string): Promise<PaymentReply[]> {
    return (await this.payments.ofBooking(orgId, bookingId)).map((p) => p.reply);
  }

  async openAmong(orgId: string, bookingIds: string[]): Promise<Set<string>> {
    return bookingIds.length === 0 ? new Set() : new Set(await this.payments.openAmong(orgId, bookingIds));
  }

  /** Nothing to do for an amount of 0. Refuses with `bad_transition` when the booking's payment has not so much money left. */
  async refund(wish: Parameters<PaymentsPort['refund']>[0]): Promise<void> {
    if (!isAmount(wish.amount)) throw new Error('A refund needs an amount in minor units.');
    if (wish.amount === 0) return;
    await this.db.transaction(async () => {
      const known = await this.payments.refundByKey(wish.orgId, wish.key);
      const live = known ?? (await this.payments.live(wish.orgId, wish.bookingId));
      const paymentId = live instanceof Payment ? live.id : live?.paymentId;
      const payment = paymentId && (await this.payments.lock(wish.orgId, paymentId));
      if (!payment)
        throw paymentsErrors.badTransition({ bookingId: wish.bookingId }, 'The booking has no payment to give back from.');
      await this.refunds.request(payment, { amount: wish.amount, key: wish.key, reason: wish.reason });
    });
  }

  /** Asks for the money. The payment's id is the key, so that asking again after a crash takes it once. */
  private async charge(payment: Payment, method: PaymentMethod): Promise<ChargeAnswer> {
    const charge: Charge = payment.told;
    const { provider, id } = payment;
    try {
      return await this.providers.call(provider, (p, signal) => p.create(charge, method, id, signal));
    } catch (e) {
      if (!(e instanceof ProviderError)) throw e;
      if (e.retryable) throw edgeErrors.unavailable({}, 'The payment provider does not answer. Try again with the same key.');
      if (e.code !== 'key_reused') return declined(payment, e.code);
      // Asked before with another card, and the answer was lost: what was asked first counts.
      const first = await this.providers.call(provider, (p, signal) => p.find(charge, id, signal));
      return first ?? declined(payment, e.code);
    }
  }

  private checkMethod(method: PaymentMethod): void {
    const provider = this.providers.find(method.provider);
    const names = this.providers.names().join(', ');
    if (!provider) throw invalid([{ pointer: '/paymentMethod/provider', detail: `Pay with one of: ${names}.` }]);
    const wrong = provider.check(method);
    if (wrong.length > 0) throw invalid(wrong.map((w) => ({ ...w, pointer: `/paymentMethod${w.pointer}` })));
  }
}

const declined = ({ amount, currency }: Payment, code: string): ChargeAnswer => ({
  status: 'declined',
  chargeId: null,
  amount,
  currency,
  code,
});

/** The payment that is there, for one who wants the same. An open one of another amount would take the wrong money. */
function sameMoney(there: Payment, wish: { amount: number; currency: string }): PaymentReply {
  if (isOpen(there.status) && (there.amount !== wish.amount || there.currency !== wish.currency)) {
    throw paymentsErrors.badTransition({ paymentId: there.id }, 'A payment of another amount is under way for this booking.');
  }
  return there.reply;
}
