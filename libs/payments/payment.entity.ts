// A payment: the wish for a booking's money, and what the provider said became of it.
import { Entity } from 'typeorm';
import { newId } from '../kernel/ids.js';
import {
  AmountColumn,
  BooleanColumn,
  Id,
  IdColumn,
  InstantColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import { nextPayment } from './payment.rules.js';
import type { ChargeAnswer } from './provider.client.js';
import type { Payment as PaymentReply, PaymentStatus } from './payments.port.js';
import { paymentsErrors } from './payments.errors.js';

export interface PaymentWish {
  orgId: string;
  bookingId: string;
  amount: number;
  currency: string;
  provider: string;
}

@Entity({ schema: 'payments', name: 'payment' })
export class Payment {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() bookingId: string;
  @TextColumn() provider: string;
  /** The provider's name for it, once it is known there. */
  @TextColumn({ nullable: true }) chargeId: string | null;
  @AmountColumn() amount: number;
  @TextColumn() currency: string;
  @TextColumn() status: PaymentStatus;
  @TextColumn({ nullable: true }) declineCode: string | null;
  @AmountColumn() refundedAmount: number;
  /** Money that came for a payment given up, while its booking had another one. */
  @BooleanColumn() surplus: boolean;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static ask(wish: PaymentWish, now: Date): Payment {
    return Object.assign(new Payment(), wish, {
      id: newId(wish.orgId),
      chargeId: null,
      status: 'created' as const,
      declineCode: null,
      refundedAmount: 0,
      surplus: false,
      createdAt: now,
      version: 1,
    });
  }

  /** True when the provider's word is of the money that was asked for. */
  agreesWith(answer: ChargeAnswer): boolean {
    return answer.status === 'declined' || (answer.amount === this.amount && answer.currency === this.currency);
  }

  /** Takes the provider's word. False when it is nothing new: late, doubled or overtaken. */
  learn(answer: ChargeAnswer): boolean {
    if (!nextPayment[this.status].includes(answer.status)) return false;
    this.status = answer.status;
    this.chargeId = answer.chargeId ?? this.chargeId;
    this.declineCode = answer.status === 'declined' ? (answer.code ?? 'declined') : null;
    return true;
  }

  /** The provider took money that the booking has no use for. */
  markSurplus(): void {
    this.surplus = true;
  }

  /** Part or all of it went back. */
  giveBack(amount: number): void {
    if (this.status !== 'succeeded' || amount > this.amount - this.refundedAmount) {
      throw paymentsErrors.badTransition({ paymentId: this.id }, 'There is not so much money left to give back.');
    }
    this.refundedAmount += amount;
    if (this.refundedAmount === this.amount) this.status = 'refunded';
  }

  /** What the domain events of a payment say. */
  get told() {
    return { orgId: this.orgId, paymentId: this.id, bookingId: this.bookingId, amount: this.amount, currency: this.currency };
  }

  /** What the port shows of it. */
  get reply(): PaymentReply {
    const { id, orgId, bookingId, amount, currency, provider, status, refundedAmount, declineCode } = this;
    return { id, orgId, bookingId, amount, currency, provider, status, refundedAmount, declineCode };
  }
}
