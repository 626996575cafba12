// What payments announces to those above it.
import { domainEvent } from '../kernel/domain-event.js';

interface OfPayment {
  orgId: string;
  paymentId: string;
  bookingId: string;
  amount: number;
  currency: string;
}

/** `amount` is what this refund gives back. */
interface OfRefund extends OfPayment {
  refundId: string;
}

const stream = (d: OfPayment) => `payment:${d.paymentId}`;

export const PaymentCreated = domainEvent<OfPayment>()('payment.created', 1, stream);
export const PaymentProcessing = domainEvent<OfPayment>()('payment.processing', 1, stream);
export const PaymentSucceeded = domainEvent<OfPayment>()('payment.succeeded', 1, stream);
export const PaymentDeclined = domainEvent<OfPayment>()('payment.declined', 1, stream);
/** The provider took money for a payment given up, while the booking had another one: it goes back at once. */
export const PaymentSurplus = domainEvent<OfPayment>()('payment.surplus', 1, stream);
export const RefundRequested = domainEvent<OfRefund>()('payment.refund-requested', 1, stream);
export const RefundProcessing = domainEvent<OfRefund>()('payment.refund-processing', 1, stream);
export const RefundFailed = domainEvent<OfRefund>()('payment.refund-failed', 1, stream);
/** `amount` is what was given back this time. */
export const PaymentRefunded = domainEvent<OfRefund>()('payment.refunded', 1, stream);
