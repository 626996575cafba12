// What auth announces to those above it. Account events belong to no organization: their orgId is NO_ORG.
import { domainEvent } from '../kernel/domain-event.js';

interface OfAccount {
  orgId: string;
  accountId: string;
}

const account = (d: OfAccount) => `account:${d.accountId}`;

export const AccountRegistered = domainEvent<OfAccount>()('account.registered', 1, account);
export const AccountChanged = domainEvent<OfAccount>()('account.changed', 1, account);
export const EmailVerificationRequested = domainEvent<OfAccount>()('account.email-verification-requested', 1, account);
export const EmailVerified = domainEvent<OfAccount>()('account.email-verified', 1, account);
export const PasswordResetRequested = domainEvent<OfAccount>()('account.password-reset-requested', 1, account);
export const PasswordChanged = domainEvent<OfAccount>()('account.password-changed', 1, account);

export const OrganizationCreated = domainEvent<{ orgId: string }>()('organization.created', 1, (d) => `organization:${d.orgId}`);
export const InvitationCreated = domainEvent<{ orgId: string; invitationId: string }>()(
  'invitation.created',
  1,
  (d) => `invitation:${d.invitationId}`,
);
