// PaymentProvider: what Evently asks of a company that moves money. Each provider is one class behind it; none is called in a transaction.
import type { FieldError } from '../kernel/errors.js';
import type { PaymentMethod } from './payments.port.js';

/** Why a charge was declined that we gave up ourselves. */
export const ABANDONED = 'abandoned';

/** A payment as the provider is told of it. The payment's id is the idempotency key of the charge. */
export interface Charge {
  orgId: string;
  paymentId: string;
  /** Minor units. */
  amount: number;
  currency: string;
}

export interface ChargeAnswer {
  status: 'processing' | 'succeeded' | 'declined';
  /** The provider's name for the charge; null where it never made one. */
  chargeId: string | null;
  amount: number;
  currency: string;
  /** Why it was declined. */
  code: string | null;
}

/** A refund as the provider is told of it. The refund's id is the idempotency key. */
export interface Repayment {
  orgId: string;
  refundId: string;
  paymentId: string;
  amount: number;
  currency: string;
}

export interface RefundAnswer {
  status: 'processing' | 'succeeded' | 'failed';
  amount: number;
  currency: string;
  /** Why it failed. */
  code: string | null;
}

/** What a webhook says, in our words. `subject` is what we told the provider when we asked; null when it names nothing of ours. */
export type ProviderEvent = {
  /** Unique at the provider: the same id is the same event, however often it comes. */
  id: string;
  /** The provider's own name for it, for operators. */
  type: string;
  /** What may be kept of it: no card numbers, no names. */
  data: Record<string, unknown>;
} & (
  | { kind: 'charge'; subject: { orgId: string; paymentId: string } | null; answer: ChargeAnswer }
  | { kind: 'refund'; subject: { orgId: string; refundId: string } | null; answer: RefundAnswer }
  | { kind: 'other'; subject: { orgId: string } | null }
);

export type WebhookHeaders = Readonly<Record<string, string | string[] | undefined>>;

export abstract class PaymentProvider {
  /** Its name in `paymentMethod.provider` and in the address of its webhooks. */
  abstract readonly name: string;

  /** What is wrong with a way to pay, without asking anyone; pointers start at the method's own fields. */
  abstract check(method: PaymentMethod): FieldError[];

  /** Takes the money, or begins to. The same key with the same wish gives the same answer; with another, ProviderError `key_reused`. */
  abstract create(charge: Charge, method: PaymentMethod, key: string, signal?: AbortSignal): Promise<ChargeAnswer>;

  /** How the charge made with this key stands now; null when there is none. */
  abstract find(charge: Charge, key: string, signal?: AbortSignal): Promise<ChargeAnswer | null>;

  /**
   * Gives a charge up. Where none was made with this key the answer is `declined` with the code ABANDONED, and from then on none will be made, even if a
   * `create` is still on its way; where there is one, how it stands now.
   */
  abstract cancel(charge: Charge, key: string, signal?: AbortSignal): Promise<ChargeAnswer>;

  /** Gives money back, or begins to; idempotent like `create`. */
  abstract refund(repayment: Repayment, key: string, signal?: AbortSignal): Promise<RefundAnswer>;

  /** How the refund made with this key stands now; null when there is none. */
  abstract findRefund(repayment: Repayment, key: string, signal?: AbortSignal): Promise<RefundAnswer | null>;

  /** Reads a webhook from its bytes. Throws WebhookRefused unless the provider signed just these bytes, lately. */
  abstract verifyWebhook(rawBody: Buffer, headers: WebhookHeaders): ProviderEvent[];
}

/** A provider did not do what was asked. Retryable: it may or may not have happened, ask again with the same key. Final: it did not. */
export class ProviderError extends Error {
  constructor(
    /** `unreachable`, `timeout`, `key_reused`, or the provider's own word. */
    readonly code: string,
    readonly retryable: boolean,
    detail: string,
  ) {
    super(detail);
    this.name = 'ProviderError';
  }
}

/** A webhook that is not what its provider would send. */
export class WebhookRefused extends Error {
  constructor(
    /** JSON pointer to what is wrong: the body, or a header. */
    readonly pointer: string,
    detail: string,
  ) {
    super(detail);
    this.name = 'WebhookRefused';
  }
}
