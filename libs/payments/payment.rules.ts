// Payment rules: which state of a payment or refund may follow which. Pure: no Nest, no clock, no database.
import type { PaymentStatus } from './payments.port.js';

/** What a provider's word did to our books: `mismatch` is another amount or currency than was asked for, which a human must look at. */
export type Outcome = 'applied' | 'nothing-new' | 'unknown' | 'mismatch';

export type RefundStatus = 'requested' | 'processing' | 'succeeded' | 'failed';

type Transitions<S extends string> = Readonly<Record<S, readonly S[]>>;

/** Providers' words come late, doubled and out of order, so states only climb. What follows `declined` is money that came after all. */
export const nextPayment: Transitions<PaymentStatus> = {
  created: ['processing', 'succeeded', 'declined'],
  processing: ['succeeded', 'declined'],
  declined: ['succeeded'],
  succeeded: ['refunded'],
  refunded: [],
};

export const nextRefund: Transitions<RefundStatus> = {
  requested: ['processing', 'succeeded', 'failed'],
  processing: ['succeeded', 'failed'],
  succeeded: [],
  failed: [],
};

/** May still succeed by itself. */
export const isOpen = (status: PaymentStatus): boolean => status === 'created' || status === 'processing';

/** Seconds a payment or refund stays open before its provider is asked; longer than one `submit` can take with all its tries. */
export const PATIENCE_SECONDS = 15;
