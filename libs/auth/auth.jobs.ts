// Work auth leaves for later.
import { job } from '../kernel/job.js';

/** Makes a password reset link for an account, if there is one of this id. */
export const RequestPasswordReset = job<{ orgId: string; accountId: string }>()('auth.request-password-reset');
