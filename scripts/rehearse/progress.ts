// Progress: what a rush looks like from the terminal while it runs: one line that moves, or plain lines where nobody watches.
import { now } from './client.js';
import type { Measure } from './measure.js';
import type { RushView } from './rush.js';
import { stockOf } from './watch.js';

export interface Screen {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

const movingEveryMs = 250;
const plainEveryMs = 2_000;
const windowMs = 2_000;

export class Progress {
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly screen: Screen,
    private readonly line: () => string | undefined,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.show(), this.screen.isTTY ? movingEveryMs : plainEveryMs);
    this.timer.unref();
  }

  /** A line that stays. */
  readonly say = (text: string): void => {
    this.clear();
    this.screen.write(`${text}\n`);
  };

  stop(): void {
    clearInterval(this.timer);
    this.clear();
  }

  private show(): void {
    const line = this.line();
    if (line === undefined) return;
    if (!this.screen.isTTY) {
      this.screen.write(`${line}\n`);
      return;
    }
    this.clear();
    this.screen.write(line.slice(0, (this.screen.columns ?? 100) - 1));
  }

  private clear(): void {
    if (this.screen.isTTY) this.screen.write('\r\u001b[2K');
  }
}

/** Time, rates and percentiles of the last two seconds, stock, refusals, parts that are down. */
export function rushLine(view: RushView | undefined, measure: Measure): string | undefined {
  if (!view) return undefined;
  const parts = [`${((now() - measure.openedAt) / 1000).toFixed(1).padStart(6)} s`];
  for (const op of ['book', 'confirm'] as const) {
    const { rate, p50, p99 } = measure.recent(op, windowMs);
    parts.push(`${op} ${Math.round(rate)}/s p50 ${p50.toFixed(0)} p99 ${p99.toFixed(0)} ms`);
  }
  const pools = view.watch.latest?.pools;
  if (pools) {
    const { capacity, held, sold, reserved } = stockOf(pools, 'all', view.scene);
    parts.push(`held ${held} sold ${sold} left ${capacity - held - sold - reserved} of ${capacity}`);
  }
  const refused = measure.outcomes('book').filter(([code]) => code !== '201');
  parts.push(`refused ${refused.reduce((sum, [, count]) => sum + count, 0)}`);
  const down = view.kills.filter((kill) => kill.backAt === undefined).map((kill) => kill.role);
  if (down.length > 0) parts.push(`DOWN: ${down.join(', ')}`);
  return parts.join(' | ');
}
