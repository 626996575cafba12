// Secret key rings: signing keys kept in a secret, read again when its file changes, so that a rotation needs no restart; and rotating them.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { secretFile } from './config.reader.js';
import { KeyRing, type SigningKey } from './keyring.js';

/** A changed file is noticed within so many milliseconds; looking costs one stat. */
const LOOK_EVERY_MS = 1000;

export class SecretKeyRing {
  private ring: KeyRing;
  private readonly file: string | undefined;
  /** Of the file that `ring` was read from; none at first, so that the first look reads it whatever happened since the start. */
  private stamp = '';
  private lookedAt = performance.now();

  /** `text` is the secret as configuration read it at the start; throws when that is no key ring. */
  constructor(
    name: string,
    private readonly alg: SigningKey['alg'],
    text: string,
  ) {
    this.file = secretFile(name);
    this.ring = KeyRing.parse(text, alg);
  }

  /** The ring as it is now, at most a second old. The same object as long as nothing changed. */
  get now(): KeyRing {
    if (this.file !== undefined && performance.now() - this.lookedAt > LOOK_EVERY_MS) this.look();
    return this.ring;
  }

  /** The key of this id. One that is not known may have been made a moment ago: then the file is looked at again. */
  find(kid: string): SigningKey | undefined {
    const known = this.now.find(kid);
    if (known || this.file === undefined) return known;
    this.look();
    return this.ring.find(kid);
  }

  /** Takes a changed file. One that cannot be read, or is no ring, changes nothing and is looked at again: better old keys than none. */
  private look(): void {
    this.lookedAt = performance.now();
    const stamp = this.stampNow();
    if (stamp === this.stamp || stamp === '') return;
    try {
      this.ring = KeyRing.parse(readFileSync(this.file!, 'utf8'), this.alg);
      this.stamp = stamp;
    } catch {
      // The next look tries again.
    }
  }

  private stampNow(): string {
    const stat = this.file === undefined ? undefined : statSync(this.file, { throwIfNoEntry: false });
    return stat ? `${stat.ino}:${stat.mtimeMs}:${stat.size}` : '';
  }
}

/** No token that a ring of ours signs lives longer, but for tickets: a key that stopped signing so long ago vouches for nothing. */
export const TOKEN_SECONDS_MAX = 3600;

type StoredKey = Record<string, unknown> & { kid: string; retiredAt?: string };

export interface Rotation {
  added: string;
  kept: string[];
  dropped: string[];
}

/**
 * Puts a new key in front of the ring that a file holds, so that it signs from now on, and writes the file in one step (mode 0600).
 * RS256 keys that stopped signing more than TOKEN_SECONDS_MAX ago go; EdDSA keys stay, since tickets live as long as their events.
 */
export function rotateKeys(file: string, alg: SigningKey['alg'], now: Date): Rotation {
  const text = readFileSync(file, 'utf8');
  KeyRing.parse(text, alg); // A file that is no ring is left as it is.
  const { keys } = JSON.parse(text) as { keys: StoredKey[] };
  const fresh = newKey(alg);
  const older = keys.map((key) => ({ ...key, retiredAt: key.retiredAt ?? now.toISOString() }));
  const kept = older.filter((key) => alg === 'EdDSA' || Date.parse(key.retiredAt) > now.getTime() - TOKEN_SECONDS_MAX * 1000);
  const next = `${file}.new`;
  writeFileSync(next, JSON.stringify({ keys: [fresh, ...kept] }), { mode: 0o600 });
  const { uid, gid } = statSync(file);
  if (process.getuid?.() === 0) chownSync(next, uid, gid); // Else the service, which is not root, could not read it.
  renameSync(next, file);
  return {
    added: fresh.kid,
    kept: kept.map((key) => key.kid),
    dropped: older.filter((key) => !kept.includes(key)).map((key) => key.kid),
  };
}

/** A private JWK whose kid is its thumbprint (RFC 7638). */
function newKey(alg: SigningKey['alg']): StoredKey {
  const { privateKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
  const key = privateKey.export({ format: 'jwk' });
  const members = alg === 'RS256' ? { e: key.e, kty: key.kty, n: key.n } : { crv: key.crv, kty: key.kty, x: key.x };
  return { ...key, kid: createHash('sha256').update(JSON.stringify(members)).digest('base64url'), alg, use: 'sig' };
}
