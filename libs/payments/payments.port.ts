// What payments answers to the contexts above it: money asked for, taken, given back. No provider is called inside a stock transaction.

export type PaymentStatus = 'created' | 'processing' | 'succeeded' | 'declined' | 'refunded';

export interface Payment {
  id: string;
  orgId: string;
  bookingId: string;
  amount: number;
  currency: string;
  provider: string;
  status: PaymentStatus;
  refundedAmount: number;
  /** Why it was declined, in the provider's word (`card_declined`, `abandoned`); null unless declined. */
  declineCode: string | null;
}

export interface PaymentMethod {
  provider: string;
  card?: string;
}

export abstract class PaymentsPort {
  /** Names of the providers that can be paid with here, for `payment_required`. */
  abstract methods(): string[];

  /**
   * Writes the wish for a payment, in the ambient transaction, beside the booking's own change. One open or succeeded payment a booking:
   * asking again gives the one there is. Refuses with `invalid_request` for an unknown provider or card.
   */
  abstract create(wish: {
    orgId: string;
    bookingId: string;
    amount: number;
    currency: string;
    method: PaymentMethod;
  }): Promise<Payment>;

  /** Calls the provider for a payment that was created (outside any transaction; the provider's idempotency key is the payment's id) and keeps its answer. Refuses with `unavailable` while it cannot be reached: ask again. */
  abstract submit(orgId: string, paymentId: string, method: PaymentMethod): Promise<Payment>;

  /** The booking's payments, newest first. Money taken by mistake besides them, and on its way back, is not among them. */
  abstract ofBooking(orgId: string, bookingId: string): Promise<Payment[]>;

  /** Which of these bookings have a payment that may still succeed. The sweep asks before it ends a hold. */
  abstract openAmong(orgId: string, bookingIds: string[]): Promise<Set<string>>;

  /** Writes the wish to give money back, in the ambient transaction; a job calls the provider until it is done. `key` makes asking twice one refund. */
  abstract refund(wish: { orgId: string; bookingId: string; amount: number; key: string; reason: string }): Promise<void>;
}
