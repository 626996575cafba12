// What auth answers to the contexts above it: which organization an id belongs to, how to reach a person, and the tokens of guests.

import type { Principal } from '../kernel/principal.js';

export interface Contact {
  email: string;
  name: string | null;
  /** BCP 47, `en` unless chosen. */
  locale: string;
  timeZone: string | null;
}

/** Which mail a token is for. Tokens are not stored: they are made again from a row's id and version. */
export type MailedTokenKind = 'email-verification' | 'password-reset' | 'invitation';

export interface MailedToken {
  token: string;
  to: Contact;
  expiresAt: Date;
  /** Of an invitation. */
  organizationName?: string;
}

export abstract class AuthPort {
  /** The organization whose tag an id ends with (kernel/ids.ts); refuses with `not_found` when there is none. At once where it is known: it never changes. */
  abstract orgOf(id: string): string | Promise<string>;

  /** How to reach an account; null when it is gone. */
  abstract contactOf(accountId: string): Promise<Contact | null>;

  /** Mail addresses of an organization's owners and managers. */
  abstract managersOf(orgId: string): Promise<Contact[]>;

  /** The bearer of a guest for one booking or waitlist entry: `evg_{id}.{seal}`; the same id gives the same token. */
  abstract guestToken(subjectId: string): string;

  /** The token of a mail that auth announced (`AccountRegistered`, `PasswordResetRequested`, `InvitationCreated`), and whom to send it; null when no longer wanted. */
  abstract mailedToken(kind: MailedTokenKind, id: string): Promise<MailedToken | null>;

  /** Whom a bearer stands for, for edges that are not HTTP routes (sockets); refuses with `unauthenticated`. Without one: anonymous. */
  abstract principalOf(bearer: string | undefined): Promise<Principal>;
}
