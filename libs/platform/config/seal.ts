// Seals: HMACs that prove we wrote a text (guest tokens, mailed tokens, signed links), and hiding what is kept; one derived key for each purpose.
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PlatformConfig } from './platform.config.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

@Injectable()
export class Seal {
  private readonly keys = new Map<string, Buffer>();

  constructor(private readonly config: PlatformConfig) {}

  /** HMAC-SHA256 of a text, base64url, under a key of this purpose (HKDF, RFC 5869). The same text gives the same seal. */
  make(purpose: string, text: string): string {
    return createHmac('sha256', this.keyFor(purpose)).update(text).digest('base64url');
  }

  /** Compares in constant time. */
  holds(purpose: string, text: string, seal: string): boolean {
    const right = Buffer.from(this.make(purpose, text));
    const given = Buffer.from(seal);
    return right.length === given.length && timingSafeEqual(right, given);
  }

  /** Hides bytes from whoever reads the database alone: AES-256-GCM, under a key of this purpose. */
  hide(purpose: string, bytes: Buffer): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.keyFor(purpose), nonce);
    return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  }

  /** What was hidden; null for bytes that were changed, or hidden under another key. */
  reveal(purpose: string, hidden: Buffer): Buffer | null {
    if (hidden.length < NONCE_BYTES + TAG_BYTES) return null;
    const decipher = createDecipheriv('aes-256-gcm', this.keyFor(purpose), hidden.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(hidden.subarray(-TAG_BYTES));
    try {
      return Buffer.concat([decipher.update(hidden.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
    } catch {
      return null;
    }
  }

  private keyFor(purpose: string): Buffer {
    let key = this.keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.config.hmacKey, '', `evently:${purpose}`, 32));
      this.keys.set(purpose, key);
    }
    return key;
  }
}
