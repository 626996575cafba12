// A refund: money of one payment that shall go back, and what the provider said became of it.
import { Entity } from 'typeorm';
import { newId } from '../kernel/ids.js';
import { AmountColumn, Id, IdColumn, InstantColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';
import type { Payment } from './payment.entity.js';
import { nextRefund, type RefundStatus } from './payment.rules.js';
import type { RefundAnswer } from './provider.client.js';
import './payments.personal-data.js';

export interface RefundWish {
  amount: number;
  /** The asker's own key: the same key is the same refund. */
  key: string;
  reason: string;
}

@Entity({ schema: 'payments', name: 'refund' })
export class Refund {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() paymentId: string;
  @IdColumn() bookingId: string;
  @TextColumn() key: string;
  @AmountColumn() amount: number;
  @TextColumn() currency: string;
  @TextColumn() reason: string;
  @TextColumn() status: RefundStatus;
  @TextColumn({ nullable: true }) failureCode: string | null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static of(payment: Payment, wish: RefundWish, now: Date): Refund {
    return Object.assign(new Refund(), wish, {
      orgId: payment.orgId,
      id: newId(payment.orgId),
      paymentId: payment.id,
      bookingId: payment.bookingId,
      currency: payment.currency,
      status: 'requested' as const,
      failureCode: null,
      createdAt: now,
      version: 1,
    });
  }

  agreesWith(answer: RefundAnswer): boolean {
    return answer.status === 'failed' || (answer.amount === this.amount && answer.currency === this.currency);
  }

  /** Takes the provider's word. False when it is nothing new. */
  learn(answer: RefundAnswer): boolean {
    if (!nextRefund[this.status].includes(answer.status)) return false;
    this.status = answer.status;
    this.failureCode = answer.status === 'failed' ? (answer.code ?? 'failed') : null;
    return true;
  }

  get isOpen(): boolean {
    return nextRefund[this.status].length > 0;
  }

  /** What the domain events of a refund say. */
  get told() {
    const { orgId, paymentId, bookingId, amount, currency } = this;
    return { orgId, paymentId, bookingId, amount, currency, refundId: this.id };
  }
}
