// Work payments does later.
import { job } from '../kernel/job.js';

/** Asks the provider to give money back. Tried for about two hours; the reconciler asks on after that. */
export const SubmitRefund = job<{ orgId: string; refundId: string }>()('payments.submit-refund', { attempts: 20 });

/** The test provider's own: brings one of its webhooks to our public address, until it is answered 2xx. */
export const DeliverTestWebhook = job<{ orgId: string; webhookId: string }>()('payments.deliver-test-webhook', { attempts: 20 });
