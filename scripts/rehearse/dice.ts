// Dice: random numbers that a printed seed brings back, one independent stream per label, so that timing never changes a plan.
import { createHash } from 'node:crypto';

export class Dice {
  private block = Buffer.alloc(0);
  private blocks = 0;

  constructor(
    private readonly seed: number,
    private readonly label: string,
  ) {}

  /** Uniform in [0, 1): 32 bits of SHA-256 over seed, label and a counter. */
  next = (): number => {
    if (this.block.length === 0) {
      this.block = createHash('sha256').update(`${this.seed}/${this.label}/${this.blocks++}`).digest();
    }
    const value = this.block.readUInt32BE(0) / 2 ** 32;
    this.block = this.block.subarray(4);
    return value;
  };

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  /** An integer in [0, count). */
  index(count: number): number {
    return Math.floor(this.next() * count);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.index(items.length)]!;
  }

  /** A name drawn with the given weights (any positive sum). */
  weighted<T extends string>(weights: Record<T, number>): T {
    const entries = Object.entries(weights) as [T, number][];
    let rest = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      rest -= weight;
      if (rest < 0) return name;
    }
    return entries.at(-1)![0];
  }

  shuffled<T>(items: readonly T[]): T[] {
    const pool = [...items];
    const drawn: T[] = [];
    while (pool.length > 0) drawn.push(...pool.splice(this.index(pool.length), 1));
    return drawn;
  }
}
