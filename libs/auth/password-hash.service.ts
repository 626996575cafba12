// Password hashes: argon2id (RFC 9106), a few at a time, and for nobody's password the same work as for somebody's.
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { Bulkhead } from '../platform/resilience/bulkhead.js';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. Some 20 ms on one core. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Each takes a thread of the pool that signing and file reads share (4 threads), and 19 MiB. More than 200 would wait for seconds: better to say so at once. */
const TURNS = { atOnce: 2, waiting: 200 };

@Injectable()
export class PasswordHash {
  private readonly turns = new Bulkhead(TURNS);
  private nobodys?: Promise<string>;

  /** The hash of a password as it is stored, with its salt and cost. */
  make(password: string): Promise<string> {
    return this.turns.run(() => hash(password.normalize('NFKC'), COST));
  }

  /**
   * True when the password is the one that was hashed. Without a stored hash it compares with that of a password nobody has,
   * so that an unknown address takes as long as a wrong password.
   */
  async matches(password: string, stored: string | null): Promise<boolean> {
    const compared = stored ?? (await (this.nobodys ??= hash(crypto.randomUUID(), COST)));
    const same = await this.turns.run(() => verify(compared, password.normalize('NFKC')));
    return same && stored !== null;
  }

  /** Makes nobody's hash before the first login needs it: else that one answer would come late. */
  async onModuleInit(): Promise<void> {
    await (this.nobodys ??= hash(crypto.randomUUID(), COST));
  }
}
