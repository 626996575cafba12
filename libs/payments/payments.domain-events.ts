// What payments announces to those above it.
import { domainEvent } from '../kernel/domain-event.js';

interface OfPayment {
  orgId: string;
  paymentId: string;
  bookingId: string;
  amount: number;
  currency: string;
}

const stream = (d: OfPayment) => `payment:${d.paymentId}`;

export const PaymentCreated = domainEvent<OfPayment>()('payment.created', 1, stream);
export const PaymentProcessing = domainEvent<OfPayment>()('payment.processing', 1, stream);
export const PaymentSucceeded = domainEvent<OfPayment>()('payment.succeeded', 1, stream);
export const PaymentDeclined = domainEvent<OfPayment>()('payment.declined', 1, stream);
/** `amount` is what was given back this time. */
export const PaymentRefunded = domainEvent<OfPayment & { refundId: string }>()('payment.refunded', 1, stream);
