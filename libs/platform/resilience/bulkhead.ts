// A bulkhead: so many of one kind of work at once, so that what is slow never takes what all else needs.
import { edgeErrors } from '../../kernel/errors.js';

export interface BulkheadOptions {
  atOnce: number;
  /** So many may wait for their turn, first come, first served; more are refused. */
  waiting: number;
}

export class Bulkhead {
  private running = 0;
  private readonly line = new Set<() => void>();

  constructor(private readonly options: BulkheadOptions) {}

  /** Does work when its turn comes. Rejects with `overloaded`, before any work, where too many wait or the turn has not come within `waitMs`. */
  async run<T>(work: () => Promise<T>, waitMs?: number): Promise<T> {
    await this.enter(waitMs);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private enter(waitMs?: number): Promise<void> {
    if (this.running < this.options.atOnce) {
      this.running += 1;
      return Promise.resolve();
    }
    if (this.line.size >= this.options.waiting) return Promise.reject(edgeErrors.overloaded({ retryAfter: 1 }));
    return new Promise((resolve, reject) => {
      const turn = () => {
        clearTimeout(late);
        resolve();
      };
      const giveUp = () => {
        this.line.delete(turn);
        reject(edgeErrors.overloaded({ retryAfter: 1 }));
      };
      const late = waitMs === undefined ? undefined : setTimeout(giveUp, waitMs);
      this.line.add(turn);
    });
  }

  /** Whoever leaves hands his place to the first in line. */
  private leave(): void {
    const [next] = this.line;
    if (!next) {
      this.running -= 1;
      return;
    }
    this.line.delete(next);
    next();
  }
}
