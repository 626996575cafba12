// Watch: the organizer's inventory, read again and again while the sale runs: the judge's view of stock at every moment.
import { jsonOf, now, sleep, type Client, type Exchange } from './client.js';
import type { Scene } from './stage.js';

export interface Pool {
  poolId: string;
  capacity: number;
  held: number;
  sold: number;
  reserved: number;
}

/** A reading; `pools` is undefined where the server did not answer it. */
export interface Sample {
  exchange: Exchange;
  pools?: Pool[];
}

const everyMs = 150;

export class Watch {
  readonly samples: Sample[] = [];
  private stopped = false;
  private loop?: Promise<void>;

  constructor(
    private readonly client: Client,
    private readonly scene: Scene,
  ) {}

  start(): void {
    this.loop = this.run();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
  }

  /** One reading now, kept like the others. */
  async read(): Promise<Sample> {
    const { orgId, eventId, key } = this.scene;
    const path = `/v1/organizations/${orgId}/events/${eventId}/inventory`;
    const exchange = await this.client.send({ op: 'inventory', method: 'GET', path, token: key });
    const pools = exchange.status === 200 ? jsonOf<Pool[]>(exchange.body) : undefined;
    const sample = { exchange, pools: Array.isArray(pools) ? pools : undefined };
    this.samples.push(sample);
    return sample;
  }

  /** A reading that was answered, within the time given; undefined where none was. */
  async insist(patienceMs: number): Promise<Sample | undefined> {
    const giveUpAt = now() + patienceMs;
    for (;;) {
      const sample = await this.read();
      if (sample.pools) return sample;
      if (now() > giveUpAt) return undefined;
      await sleep(200);
    }
  }

  get latest(): Sample | undefined {
    return this.samples.findLast((sample) => sample.pools);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      await this.read();
      await sleep(everyMs);
    }
  }
}

export interface Stock {
  capacity: number;
  held: number;
  sold: number;
  reserved: number;
}

/** The sums over all pools, over the general one, or over those of the hall. */
export function stockOf(pools: readonly Pool[], which: 'all' | 'general' | 'seated', scene: Scene): Stock {
  const chosen = pools.filter(({ poolId }) => which === 'all' || (poolId === scene.poolId) === (which === 'general'));
  const sum = (of: (pool: Pool) => number) => chosen.reduce((total, pool) => total + of(pool), 0);
  return {
    capacity: sum((pool) => pool.capacity),
    held: sum((pool) => pool.held),
    sold: sum((pool) => pool.sold),
    reserved: sum((pool) => pool.reserved),
  };
}
