// What auth is told: the keys that sign access tokens and tickets.
import { Injectable } from '@nestjs/common';
import { IsString, ValidateBy } from 'class-validator';
import { SecretEnv } from '../platform/config/config.reader.js';
import { KeyRing, type SigningKey } from '../platform/config/keyring.js';
import { SecretKeyRing } from '../platform/config/secret.keyring.js';

const IsKeyRing = (alg: SigningKey['alg']) =>
  ValidateBy({
    name: 'keyRing',
    validator: {
      validate: (text: unknown) => {
        try {
          return KeyRing.parse(String(text), alg).keys.length > 0;
        } catch {
          return false;
        }
      },
      defaultMessage: () => `must be a JWK set of private keys, each with a kid and alg ${alg}: {"keys": [...]}`,
    },
  });

export class AuthConfig {
  /** Signs access tokens. Newest first: `npm run keys:rotate` puts one in front. */
  @SecretEnv('JWT_KEYS') @IsString() @IsKeyRing('RS256') jwtKeys: string;
  /** Signs tickets (booking does); published here. */
  @SecretEnv('TICKET_KEYS') @IsString() @IsKeyRing('EdDSA') ticketKeys: string;
}

/** The key rings as they are now: both follow their files. */
@Injectable()
export class AuthKeys {
  readonly jwt: SecretKeyRing;
  readonly tickets: SecretKeyRing;

  constructor(config: AuthConfig) {
    this.jwt = new SecretKeyRing('JWT_KEYS', 'RS256', config.jwtKeys);
    this.tickets = new SecretKeyRing('TICKET_KEYS', 'EdDSA', config.ticketKeys);
  }
}
