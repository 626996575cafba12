// Ids: UUIDv7 made in the application (RFC 9562), whose last 32 bits are the tag of its organization.
import { randomFillSync } from 'node:crypto';
import { machineMs } from './time.js';

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const pool = new Uint8Array(4096);
let used = pool.length;
let lastMs = 0;
let counter = 0;

/** Random bytes from a refilled pool: one system call for many ids. */
function random(n: number): Uint8Array {
  if (used + n > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += n;
  return pool.subarray(used - n, used);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

/** A new id of an organization: 48 bits of milliseconds, a 12-bit counter within one millisecond, 30 random bits, the 32-bit tag. */
export function newId(orgId: string): string {
  return make(tagOf(orgId));
}

/** A new id that belongs to no organization (accounts, sessions): its last 32 bits are random. */
export function newGlobalId(): string {
  return make(hex(random(4)));
}

/** A new organization: the random tag at its end becomes the tag of everything it owns. The unique key on tags settles a collision. */
export const newOrgId = newGlobalId;

function make(tag: string): string {
  const ms = machineMs();
  if (ms > lastMs) {
    lastMs = ms;
    counter = random(1)[0] & 0x7f;
  } else if (++counter > 0xfff) {
    lastMs++; // More than 4 000 ids in a millisecond: borrow the next one, order is kept.
    counter = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const r = hex(random(4));
  const variant = (8 | (parseInt(r[0], 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${r.slice(1, 4)}-${r.slice(4, 8)}${tag}`;
}

/** The tag (8 hex digits) by which an id names its organization, and so its shard. */
export const tagOf = (id: string): string => id.slice(-8);

/** True for the lower-case UUIDv7 text that every id of ours has. */
export const isId = (text: unknown): text is string => typeof text === 'string' && UUID7.test(text);

/** Stands where no organization is concerned: account streams, verdicts of account requests. */
export const NO_ORG = '00000000-0000-0000-0000-000000000000';
