// Key rings: signing keys as private JWKs, newest first; the first signs, all verify, so that keys rotate with an overlap.
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

export interface SigningKey {
  kid: string;
  alg: 'RS256' | 'EdDSA';
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** The public half as it is published (RFC 7517). */
  publicJwk: JsonWebKey & { kid: string; alg: string; use: string };
}

export class KeyRing {
  private constructor(readonly keys: readonly SigningKey[]) {}

  /** Reads a JWK set with private keys; throws with the reason when it is none. */
  static parse(text: string, alg: SigningKey['alg']): KeyRing {
    const set = JSON.parse(text) as { keys?: (JsonWebKey & { kid?: string; alg?: string })[] };
    if (!Array.isArray(set.keys) || set.keys.length === 0) throw new Error('A JWK set needs at least one key.');
    return new KeyRing(
      set.keys.map((jwk) => {
        if (!jwk.kid || jwk.alg !== alg) throw new Error(`Each key needs a kid and alg ${alg}.`);
        const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
        const publicKey = createPublicKey(privateKey);
        const publicJwk = { ...publicKey.export({ format: 'jwk' }), kid: jwk.kid, alg, use: 'sig' };
        return { kid: jwk.kid, alg, privateKey, publicKey, publicJwk };
      }),
    );
  }

  /** The key that signs now. */
  get current(): SigningKey {
    return this.keys[0];
  }

  find(kid: string): SigningKey | undefined {
    return this.keys.find((k) => k.kid === kid);
  }
}
