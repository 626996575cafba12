// A loop: runs work again and again, never beside itself; sooner when woken, later after a failure.
import { elapsedMs } from '../../kernel/time.js';

/**
 * Between two runs of a loop that is woken all the time: what comes meanwhile is taken together. A run is three commits or more, and an on-sale
 * wakes fifty times a second: without a rest its flushes are as many as the buyers' own.
 */
const REST_MS = 100;

export class Loop {
  private timer?: NodeJS.Timeout;
  private running?: Promise<void>;
  private again = false;
  private stopped = false;
  private failures = 0;
  private endedAt = -Infinity;

  constructor(
    readonly name: string,
    private readonly everyMs: number,
    private readonly work: () => Promise<unknown>,
    private readonly failed: (e: unknown) => void,
  ) {}

  start(): void {
    this.plan(0);
  }

  /** Runs soon: at once when it has rested, once more when running. */
  wake(): void {
    if (this.running) this.again = true;
    else if (this.failures === 0) this.plan(Math.max(0, this.endedAt + REST_MS - elapsedMs()));
  }

  /** Waits for the run at hand and starts no other. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private plan(ms: number): void {
    clearTimeout(this.timer);
    if (!this.stopped) this.timer = setTimeout(() => (this.running = this.run()), ms);
  }

  private async run(): Promise<void> {
    this.again = false;
    try {
      await this.work();
      this.failures = 0;
    } catch (e) {
      this.failures += 1;
      if (!this.stopped && (this.failures & (this.failures - 1)) === 0) this.failed(e); // The 1st, 2nd, 4th, 8th ... in a row.
    }
    this.running = undefined;
    this.endedAt = elapsedMs();
    const wait =
      this.failures > 0 ? Math.min(this.everyMs * 2 ** Math.min(this.failures, 6), 10_000) : this.again ? REST_MS : this.everyMs;
    this.plan(wait);
  }
}
