// Seals: HMACs that prove we wrote a text (guest tokens, mailed tokens, signed links), one derived key for each purpose.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PlatformConfig } from './platform.config.js';

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

  private keyFor(purpose: string): Buffer {
    let key = this.keys.get(purpose);
    if (!key) {
      key = Buffer.from(hkdfSync('sha256', this.config.hmacKey, '', `evently:${purpose}`, 32));
      this.keys.set(purpose, key);
    }
    return key;
  }
}
