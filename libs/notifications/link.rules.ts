// Links in mails that carry a token: where each leads.
import type { MailedTokenKind } from '../auth/auth.port.js';
import type { LinkPage } from './link-page.rules.js';

const pages: Record<MailedTokenKind, LinkPage> = {
  'email-verification': 'verify-email',
  'password-reset': 'reset-password',
  invitation: 'accept-invitation',
};

/** The token is behind `#`: browsers keep that to themselves, so it stands in no server's log and no Referer header. */
export const linkFor = (publicUrl: string, kind: MailedTokenKind, token: string): string =>
  `${publicUrl.replace(/\/+$/, '')}/links/${pages[kind]}#token=${encodeURIComponent(token)}`;
