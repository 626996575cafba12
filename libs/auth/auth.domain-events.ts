// What auth announces to those above it. Account events belong to no organization: their orgId is NO_ORG.
import { domainEvent } from '../kernel/domain-event.js';

interface OfAccount {
  orgId: string;
  accountId: string;
}

const account = (d: OfAccount) => `account:${d.accountId}`;

/** Somebody made an account: a mail with a verification link is due. */
export const AccountRegistered = domainEvent<OfAccount>()('account.registered', 1, account);
export const AccountChanged = domainEvent<OfAccount>()('account.changed', 1, account);
export const EmailVerificationRequested = domainEvent<OfAccount>()('account.email-verification-requested', 1, account);
export const EmailVerified = domainEvent<OfAccount>()('account.email-verified', 1, account);
export const PasswordResetRequested = domainEvent<OfAccount>()('account.password-reset-requested', 1, account);
/** Worth a mail: the person should know, in case it was somebody else. */
export const PasswordChanged = domainEvent<OfAccount>()('account.password-changed', 1, account);

interface OfSession extends OfAccount {
  sessionId: string;
}

const session = (d: OfSession) => `session:${d.sessionId}`;

export const SessionStarted = domainEvent<OfSession>()('session.started', 1, session);
export const SessionEnded = domainEvent<OfSession>()('session.ended', 1, session);

const organization = (d: { orgId: string }) => `organization:${d.orgId}`;

export const OrganizationCreated = domainEvent<{ orgId: string }>()('organization.created', 1, organization);
export const OrganizationChanged = domainEvent<{ orgId: string }>()('organization.changed', 1, organization);

const member = (d: OfAccount) => `member:${d.accountId}`;

export const MemberJoined = domainEvent<OfAccount>()('member.joined', 1, member);
export const MemberChanged = domainEvent<OfAccount>()('member.changed', 1, member);
export const MemberLeft = domainEvent<OfAccount>()('member.left', 1, member);

interface OfInvitation {
  orgId: string;
  invitationId: string;
}

const invitation = (d: OfInvitation) => `invitation:${d.invitationId}`;

/** A mail with a link to accept it is due. */
export const InvitationCreated = domainEvent<OfInvitation>()('invitation.created', 1, invitation);
export const InvitationAccepted = domainEvent<OfInvitation>()('invitation.accepted', 1, invitation);
export const InvitationRevoked = domainEvent<OfInvitation>()('invitation.revoked', 1, invitation);

interface OfApiKey {
  orgId: string;
  apiKeyId: string;
}

const apiKey = (d: OfApiKey) => `api-key:${d.apiKeyId}`;

export const ApiKeyCreated = domainEvent<OfApiKey>()('api-key.created', 1, apiKey);
export const ApiKeyRevoked = domainEvent<OfApiKey>()('api-key.revoked', 1, apiKey);
