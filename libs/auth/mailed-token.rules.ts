// Mailed tokens: the proof in a mailed link. Not stored: an HMAC of the row's id, of what in it moves on with its use, and of its end.
import { isId } from '../kernel/ids.js';
import type { Seal } from '../platform/config/seal.js';
import type { MailedTokenKind } from './auth.port.js';

export interface Link {
  kind: MailedTokenKind;
  id: string;
  /** Moves on when the link is used or a newer one is made, so that each works once. */
  version: number;
  expiresAt: Date;
}

const PURPOSE = 'mailed-token';
const textOf = (link: Link) => `${link.kind}:${link.id}:${link.version}:${link.expiresAt.getTime()}`;

/** `{id}.{seal}`: the same link gives the same token, so a mail that is sent again holds the same one. */
export const tokenOf = (seal: Seal, link: Link): string => `${link.id}.${seal.make(PURPOSE, textOf(link))}`;

/** The id that a token speaks of; null when it is none of ours. Proves nothing yet. */
export function idIn(token: string): string | null {
  const [id, seal, rest] = token.split('.');
  return isId(id) && seal && rest === undefined ? id : null;
}

/** True when the token was made for this link and none other. */
export const proves = (seal: Seal, token: string, link: Link): boolean =>
  idIn(token) === link.id && seal.holds(PURPOSE, textOf(link), token.slice(link.id.length + 1));
