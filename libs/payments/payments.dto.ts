// Payments over HTTP: what the list takes, and what it shows.
import {
  BooleanField,
  EnumField,
  IdField,
  InstantField,
  IntField,
  MoneyDto,
  ObjectField,
  PageQuery,
  TextField,
} from '../platform/http/fields.js';
import { nextPayment, nextRefund } from './payment.rules.js';
import type { PaymentWithRefunds } from './payment-list.service.js';
import type { Refund } from './refund.entity.js';

export class PaymentsQuery extends PageQuery {
  @IdField({ optional: true, description: 'Only payments of this booking' }) bookingId?: string;
}

export class RefundView {
  @IdField() id: string;
  @ObjectField(() => MoneyDto) amount: MoneyDto;
  @EnumField(Object.keys(nextRefund)) status: string;
  @TextField() reason: string;
  @TextField({ nullable: true }) failureCode: string | null;
  @InstantField() createdAt: Date;
}

export class PaymentView {
  @IdField() id: string;
  @IdField() bookingId: string;
  @TextField({ example: 'test' }) provider: string;
  @ObjectField(() => MoneyDto) amount: MoneyDto;
  @EnumField(Object.keys(nextPayment)) status: string;
  @TextField({ nullable: true, description: 'Why it was declined' }) declineCode: string | null;
  @ObjectField(() => MoneyDto) refunded: MoneyDto;
  @BooleanField({ description: 'Taken by the provider besides the payment that counts, and on its way back' }) surplus: boolean;
  @ObjectField(() => RefundView, { list: true }) refunds: RefundView[];
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

/** What a webhook did: `duplicate` came before; `unknown` names no payment of ours and is kept for operators. */
export class WebhookView {
  @EnumField(['applied', 'nothing-new', 'duplicate', 'unknown', 'mismatch', 'ignored']) outcome: string;
}

export function paymentView({ payment: p, refunds }: PaymentWithRefunds): PaymentView {
  const { id, bookingId, provider, status, declineCode, surplus, createdAt, version, currency } = p;
  const amount = { amount: p.amount, currency };
  const refunded = { amount: p.refundedAmount, currency };
  return {
    id,
    bookingId,
    provider,
    amount,
    status,
    declineCode,
    refunded,
    surplus,
    refunds: refunds.map(refundView),
    createdAt,
    version,
  };
}

function refundView({ id, amount, currency, status, reason, failureCode, createdAt }: Refund): RefundView {
  return { id, amount: { amount, currency }, status, reason, failureCode, createdAt };
}
