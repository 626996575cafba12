// What notifications does later: sending, outside of every transaction.
import { job } from '../kernel/job.js';

/**
 * A mail server may be away for days (RFC 5321, 4.5.4.1 asks for four to five): tries double from a second to ten minutes,
 * and the message itself decides when it is too old. The lease covers a slow server and the making of tickets.
 */
export const SendMessage = job<{ orgId: string; messageId: string }>()('notifications.send', {
  attempts: 1000,
  leaseSeconds: 120,
});
