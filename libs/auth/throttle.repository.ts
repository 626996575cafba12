// Throttles as rows: counted in Postgres, so that they hold with Redis away and over all processes.
import { Injectable } from '@nestjs/common';
import { Seal } from '../platform/config/seal.js';
import { Database } from '../platform/db/database.js';
import type { Counted } from './throttle.rules.js';

@Injectable()
export class ThrottleRepository {
  constructor(
    private readonly db: Database,
    private readonly seal: Seal,
  ) {}

  /** Whole seconds until each of these has a try left; 0 when they have. */
  async secondsToWait(all: Counted[]): Promise<number> {
    const rows = await this.db.prepared<{ key: string; seconds: number }>(
      'throttle-read',
      `SELECT key, extract(epoch FROM empty_at - platform.now())::float8 AS seconds FROM auth.throttle WHERE key = ANY($1)`,
      [all.map((c) => this.keyOf(c))],
    );
    const waits = all.map((c) => {
      const used = rows.find((r) => r.key === this.keyOf(c))?.seconds ?? 0;
      return Math.ceil(used - c.allowance.everySeconds * (c.allowance.tries - 1));
    });
    return Math.max(0, ...waits);
  }

  /** Counts a try against each. A full bucket does not overflow: the wait for the next try never exceeds one refill. */
  async count(all: Counted[]): Promise<void> {
    const keyed = all.map((c) => ({ key: this.keyOf(c), ...c.allowance })).sort((a, b) => (a.key < b.key ? -1 : 1));
    await this.db.transaction(async () => {
      for (const { key, everySeconds, tries } of keyed) {
        await this.db.prepared(
          'throttle-count',
          `INSERT INTO auth.throttle AS t (key, empty_at) VALUES ($1, platform.now() + $2 * interval '1 second')
           ON CONFLICT (key) DO UPDATE SET empty_at =
             least(greatest(t.empty_at, platform.now()) + $2 * interval '1 second', platform.now() + $2 * $3 * interval '1 second')`,
          [key, everySeconds, tries],
        );
      }
    });
  }

  /** Forgets what has been empty for a while. */
  async forgetIdle(): Promise<void> {
    await this.db.execute(`DELETE FROM auth.throttle WHERE empty_at < platform.now() - interval '1 minute'`);
  }

  private keyOf({ allowance, of }: Counted): string {
    return `${allowance.name}:${this.seal.make('throttle', of).slice(0, 27)}`;
  }
}
