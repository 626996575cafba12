// Ticket code: what a ticket's QR says, a compact JWS (RFC 7515, 8037) that a door verifies offline with published keys.
import { sign, verify, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { isId } from '../kernel/ids.js';

/** The whole payload: the ticket, its event, and the ticket's version, so that a code from before a transfer is told from the one after. */
export interface TicketClaims {
  tid: string;
  eid: string;
  ver: number;
}

/** An Ed25519 private key with the `kid` under which its public half is published. */
export interface TicketKey {
  kid: string;
  privateKey: KeyObject;
}

export type TicketVerdict =
  | { valid: true; kid: string; claims: TicketClaims }
  /** `unknown_key` may pass after the scanner has fetched the JWKS again; the other two never will. */
  | { valid: false; reason: 'malformed' | 'unknown_key' | 'bad_signature' };

/** Ours are about 270 characters. What is longer is refused unread, so that a forged megabyte costs nothing. */
export const CODE_CHARS_MAX = 1024;

const KID = /^[A-Za-z0-9._~-]{1,128}$/;
const SEGMENT = /^[A-Za-z0-9_-]+$/;
const SIGNATURE_CHARS = 86; // 64 bytes in base64url.

const signInPool = promisify(sign) as (algorithm: null, data: Buffer, key: KeyObject) => Promise<Buffer>;
const headers = new WeakMap<TicketKey, string>();

/**
 * The code of a ticket. Ed25519 is deterministic (RFC 8032, 5.1.6): the same claims and key give the same code for ever, so
 * it may be made again when it is read and need not be stored. Throws on ids that are not ours; claims are never a guest's input.
 */
export function signTicketCode(key: TicketKey, claims: TicketClaims): string {
  const data = signedPart(key, claims);
  return `${data}.${sign(null, Buffer.from(data, 'latin1'), key.privateKey).toString('base64url')}`;
}

/** Many codes, in the order of the claims, signed by the thread pool: the event loop gives about a fifth of the time of `signTicketCode`. */
export function signTicketCodes(key: TicketKey, claims: readonly TicketClaims[]): Promise<string[]> {
  return Promise.all(
    claims.map(async (one) => {
      const data = signedPart(key, one);
      return `${data}.${(await signInPool(null, Buffer.from(data, 'latin1'), key.privateKey)).toString('base64url')}`;
    }),
  );
}

/**
 * Reads a code that a scanner saw. `publicKeysByKid` may hold the whole JWKS: keys other than Ed25519 are no ticket keys here, and the
 * header's `alg` chooses nothing (RFC 8725, 3.1). Only the one canonical spelling of a code is valid. Never throws.
 */
export function verifyTicketCode(code: string, publicKeysByKid: ReadonlyMap<string, KeyObject>): TicketVerdict {
  const malformed = { valid: false, reason: 'malformed' } as const;
  if (typeof code !== 'string' || code.length > CODE_CHARS_MAX) return malformed;
  const segments = code.split('.');
  if (segments.length !== 3 || segments[2].length !== SIGNATURE_CHARS) return malformed;
  const [header, payload, signature] = segments.map(bytesOf);
  if (!header || !payload || !signature) return malformed;

  const kid = kidOf(header);
  if (kid === null) return malformed;
  const publicKey = publicKeysByKid.get(kid);
  if (publicKey?.type !== 'public' || publicKey.asymmetricKeyType !== 'ed25519') return { valid: false, reason: 'unknown_key' };
  const data = Buffer.from(`${segments[0]}.${segments[1]}`, 'latin1');
  if (!verify(null, data, publicKey, signature)) return { valid: false, reason: 'bad_signature' };
  const claims = claimsOf(payload);
  return claims ? { valid: true, kid, claims } : malformed;
}

function signedPart(key: TicketKey, { tid, eid, ver }: TicketClaims): string {
  if (!isId(tid) || !isId(eid) || !isVersion(ver))
    throw new TypeError(`Not a ticket's claims: ${JSON.stringify({ tid, eid, ver })}`);
  // Ids are hex and dashes: nothing to escape, so the JSON is written by hand.
  return `${headers.get(key) ?? headerOf(key)}${btoa(`{"tid":"${tid}","eid":"${eid}","ver":${ver}}`).replace(/=+$/, '').replace(/\+/g, '-').replace(/\//g, '_')}`;
}

/** The header segment and its dot, once per key. No `typ`: it is optional, and each character makes the QR denser. */
function headerOf(key: TicketKey): string {
  if (key.privateKey.type !== 'private' || key.privateKey.asymmetricKeyType !== 'ed25519') {
    throw new TypeError(`Ticket key ${key.kid} must be an Ed25519 private key.`);
  }
  if (!KID.test(key.kid)) throw new TypeError('A ticket key needs a kid of up to 128 of A-Z a-z 0-9 . _ ~ -');
  const header = `${Buffer.from(JSON.stringify({ alg: 'EdDSA', kid: key.kid })).toString('base64url')}.`;
  headers.set(key, header);
  return header;
}

/** Strict base64url: no padding, and no stray bits in the last character, or one ticket would have several codes. */
function bytesOf(segment: string): Buffer | null {
  if (!SEGMENT.test(segment)) return null;
  const bytes = Buffer.from(segment, 'base64url');
  return bytes.toString('base64url') === segment ? bytes : null;
}

function kidOf(header: Buffer): string | null {
  const { alg, kid, typ, ...rest } = objectOf(header) ?? {};
  const known = alg === 'EdDSA' && typeof kid === 'string' && KID.test(kid) && (typ === undefined || typ === 'JWT');
  // Any other member (`crit`, `jwk`, `b64`) would ask for a meaning that we do not give it.
  return known && Object.keys(rest).length === 0 ? kid : null;
}

function claimsOf(payload: Buffer): TicketClaims | null {
  const { tid, eid, ver, ...rest } = objectOf(payload) ?? {};
  return isId(tid) && isId(eid) && isVersion(ver) && Object.keys(rest).length === 0 ? { tid, eid, ver } : null;
}

const isVersion = (ver: unknown): ver is number => Number.isSafeInteger(ver) && (ver as number) >= 1;

function objectOf(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
