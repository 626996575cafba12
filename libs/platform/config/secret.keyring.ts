// Secret key rings: signing keys kept in a secret, read again when its file changes, so that a rotation needs no restart.
import { readFileSync, statSync } from 'node:fs';
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
