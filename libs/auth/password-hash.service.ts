// Password hashes: argon2id (RFC 9106), a few at a time, and for nobody's password the same work as for somebody's.
import { Injectable } from '@nestjs/common';
import { hash, verify } from '@node-rs/argon2';
import { edgeErrors } from '../kernel/errors.js';

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. Some 20 ms on one core. */
const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };
/** Each takes a thread of the pool that signing and file reads share (4 threads), and 19 MiB. */
const AT_ONCE = 2;
/** More would wait for seconds: better to say so at once. */
const WAITING_MAX = 200;

@Injectable()
export class PasswordHash {
  private running = 0;
  private readonly waiting: (() => void)[] = [];
  private nobodys?: Promise<string>;

  /** The hash of a password as it is stored, with its salt and cost. */
  make(password: string): Promise<string> {
    return this.inTurn(() => hash(password.normalize('NFKC'), COST));
  }

  /**
   * True when the password is the one that was hashed. Without a stored hash it compares with that of a password nobody has,
   * so that an unknown address takes as long as a wrong password.
   */
  async matches(password: string, stored: string | null): Promise<boolean> {
    const compared = stored ?? (await (this.nobodys ??= hash(crypto.randomUUID(), COST)));
    const same = await this.inTurn(() => verify(compared, password.normalize('NFKC')));
    return same && stored !== null;
  }

  /** Makes nobody's hash before the first login needs it: else that one answer would come late. */
  async onModuleInit(): Promise<void> {
    await (this.nobodys ??= hash(crypto.randomUUID(), COST));
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) {
      if (this.waiting.length >= WAITING_MAX) throw edgeErrors.overloaded();
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else this.running += 1;
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
