// Seats: which seats look free right now, read from the public seat map at most twice a second whatever the number of buyers.
import { jsonOf, now, type Client } from './client.js';
import type { Dice } from './dice.js';
import type { Scene } from './stage.js';

const staleAfterMs = 500;
/** Buyers choose among this many of the best free seats, so that they collide as real ones do. */
const wantedSeats = 30;

export class SeatChart {
  private free: Set<string>;
  private readAt = 0;
  private reading?: Promise<void>;

  constructor(
    private readonly client: Client,
    private readonly scene: Scene,
  ) {
    this.free = new Set(scene.zones.flatMap((zone) => zone.seats));
  }

  /** Up to `count` neighbouring free seats of one zone, best rows first; empty where none looks free. */
  async choose(zone: Scene['zones'][number], count: number, dice: Dice): Promise<string[]> {
    await this.refresh();
    const best = zone.seats.filter((seat) => this.free.has(seat)).slice(0, wantedSeats);
    return best.slice(dice.index(Math.max(1, best.length - count + 1))).slice(0, count);
  }

  private async refresh(): Promise<void> {
    if (now() - this.readAt < staleAfterMs) return;
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    await this.reading;
  }

  private async read(): Promise<void> {
    const path = `/v1/events/${this.scene.eventId}/seats?fields=id,state`;
    const reply = await this.client.send({ op: 'seats', method: 'GET', path });
    this.readAt = now();
    const chart = reply.status === 200 ? jsonOf<{ seats: { id: string; state: string }[] }>(reply.body) : undefined;
    // While the map cannot be read, buyers go by the last one they saw.
    if (chart) this.free = new Set(chart.seats.filter(({ state }) => state === 'free').map(({ id }) => id));
  }
}
