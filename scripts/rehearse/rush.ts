// Rush: the on-sale itself: doors open, buyers come, parts are killed, doubts are resolved, the rest is sold, the books are read.
import { now, sleep, type Client } from './client.js';
import { readBooks, replaySteps } from './books.js';
import { awaitPayment, Buyer, type Street } from './buyer.js';
import { eachOf } from './concurrency.js';
import { Dice } from './dice.js';
import { Killer, killLine, planKills, type Kill, type PlannedKill } from './killer.js';
import { Ledger, type Intent } from './ledger.js';
import { backInStockBy, expiryOf, lifeOf, skewOf, type Clockwork, type Span } from './life.js';
import type { Measure } from './measure.js';
import type { Options } from './options.js';
import { insist, type Insistence } from './patience.js';
import { SeatChart } from './seats.js';
import type { Server } from './server.js';
import { Organizer, setScene, type Scene } from './stage.js';
import type { Rest, RushRecord } from './verdict.js';
import { stockOf, Watch } from './watch.js';

export interface RushStage {
  server: Server;
  client: Client;
  measure: Measure;
  options: Options;
  /** When each buyer comes, in seconds after the opening. */
  arrivals: readonly number[];
  /** Told at every step, and whenever something is killed or back. */
  say: (line: string) => void;
}

/** What the terminal shows while it runs. */
export interface RushView {
  scene: Scene;
  watch: Watch;
  ledger: Ledger;
  kills: readonly Kill[];
}

const atATime = 64;

export class Rush {
  readonly plan: PlannedKill[];
  view?: RushView;
  private readonly how: Insistence;
  private readonly ledger = new Ledger();
  private killer?: Killer;
  private watch!: Watch;
  private scene!: Scene;
  private buyers: Buyer[] = [];

  constructor(private readonly stage: RushStage) {
    const { rush, seed, patience } = stage.options;
    this.plan = planKills(rush.kill, rush.duration, new Dice(seed, 'kills'));
    this.how = { patienceMs: patience * 1000, random: new Dice(seed, 'pauses').next };
  }

  /** Throws UsageError where the run cannot be made or its end cannot be read. */
  async run(): Promise<RushRecord> {
    const { client, options, measure, server, arrivals, say } = this.stage;
    if (this.plan.length > 0) this.killer = new Killer(server, this.plan);
    const organizer = new Organizer(client, this.how);
    await organizer.signUp();
    this.scene = await setScene(organizer, options.rush);
    this.watch = new Watch(client, this.scene);
    this.view = { scene: this.scene, watch: this.watch, ledger: this.ledger, kills: this.killer?.kills ?? [] };
    say(`The stage is set: event ${this.scene.eventId}. Doors open for ${arrivals.length} buyers.`);
    this.watch.start();
    measure.openedAt = now();
    const killing = this.killer?.run(measure.openedAt, (kill) => say(killLine(kill, measure.openedAt)));
    // Awaited below; until then a failure of it must not end the process.
    killing?.catch(() => {});
    await this.sell();
    say('The rush is over. Asking again for every reply that was lost.');
    await killing;
    await this.resolveDoubts();
    const rest = await this.sellTheRest();
    const leaked = await this.awaitEndOfHolds();
    return this.readEverything(rest, leaked);
  }

  private async sell(): Promise<void> {
    const { client, options, measure, arrivals } = this.stage;
    const street: Street = {
      client,
      scene: this.scene,
      ledger: this.ledger,
      chart: new SeatChart(client, this.scene),
      seed: options.seed,
      patienceMs: this.how.patienceMs,
      holdSeconds: options.rush.holdSeconds,
      crowd: arrivals.length,
    };
    const closesAt = measure.openedAt + options.rush.duration * 1000;
    this.buyers = arrivals.map((_, number) => new Buyer(number, street));
    await Promise.all(this.buyers.map((buyer) => buyer.rush(measure.openedAt + arrivals[buyer.number]! * 1000, closesAt)));
  }

  /** Every request whose answer was lost is sent again with its key until it is answered; open payments are waited for. */
  private async resolveDoubts(): Promise<void> {
    const { client } = this.stage;
    const open = this.ledger.intents.flatMap((intent) => intent.steps()).filter((step) => !step.answer);
    await eachOf(open, atATime, async (step) => {
      await insist(client, step, this.how);
    });
    const paying = this.ledger.booked().filter((intent) => intent.paymentOpen());
    await eachOf(paying, atATime, (intent) => awaitPayment(client, intent, this.how));
  }

  /** Whoever was refused comes back once the holds have ended, until all is sold, nobody is left, or two rounds sold nothing. */
  private async sellTheRest(): Promise<Rest[]> {
    const dice = new Dice(this.stage.options.seed, 'returns');
    let refused: Intent[] = [];
    for (let idle = 0; ;) {
      if (await this.awaitEndOfHolds()) return [];
      const wishers = this.buyers.filter((buyer) => buyer.state === 'wants');
      const left = this.left();
      if (left.length === 0 || wishers.length === 0) return [];
      if (idle === 2) return left.map((area) => ({ ...area, wishers, refused }));
      this.stage.say(`${left.map((area) => area.left).join(' + ')} left, ${wishers.length} buyers come back for it.`);
      const from = this.ledger.intents.length;
      const crowd = dice.shuffled(wishers);
      for (const { area, left: units } of left) {
        // Some more than needed: the last of them must be told, rightly, that it is sold out.
        const coming = crowd.splice(0, Math.ceil(units * 1.2) + 10);
        await eachOf(coming, atATime, async (buyer) => void (await buyer.comeBack(area === 'seated')));
      }
      await this.resolveDoubts();
      refused = this.ledger.intents.slice(from).filter((intent) => !intent.booking);
      const sold = this.ledger.intents.slice(from).some((intent) => intent.confirmedBy());
      idle = sold ? 0 : idle + 1;
    }
  }

  /** What the inventory still has to sell, by area. */
  private left(): { area: Rest['area']; left: number }[] {
    const pools = this.watch.latest!.pools!;
    return (['general', 'seated'] as const).flatMap((area) => {
      const { capacity, held, sold, reserved } = stockOf(pools, area, this.scene);
      const left = capacity - held - sold - reserved;
      return left > 0 ? [{ area, left }] : [];
    });
  }

  /** Waits until nothing is held any more; tells what still was when the last hold should have been back in stock. */
  private async awaitEndOfHolds(): Promise<RushRecord['leaked']> {
    const pending = this.ledger.booked().filter((intent) => intent.fate()!.status === 'PENDING');
    const clockwork = this.clockwork();
    const ends = pending.map((intent) => backInStockBy(expiryOf(intent.booking!, clockwork), clockwork));
    const since = Math.max(now(), ...ends.filter(Number.isFinite));
    const extended = this.ledger.booked().some((intent) => intent.confirms.length > 0 && !intent.confirmedBy());
    // A payment that failed may have extended its hold once, by at most as long again.
    const until = since + (extended ? this.stage.options.rush.holdSeconds * 1000 : 0) + 1_000;
    for (;;) {
      const sample = await this.watch.insist(this.how.patienceMs);
      if (!sample) return undefined;
      const { held } = stockOf(sample.pools!, 'all', this.scene);
      if (held === 0) return undefined;
      if (sample.exchange.sentAt > until) return { held, since, sample };
      await sleep(100);
    }
  }

  private async readEverything(rest: Rest[], leaked: RushRecord['leaked']): Promise<RushRecord> {
    const { client, options, measure, say } = this.stage;
    await this.watch.stop();
    measure.judging = true;
    say('Sending every key once more, and reading the books.');
    await replaySteps(client, this.ledger, new Dice(options.seed, 'replays'), this.how);
    const { scene, ledger, watch } = this;
    const books = await readBooks(client, { scene, ledger, watch }, this.how);
    const clockwork = this.clockwork();
    const lives = ledger.booked().map((intent) => lifeOf(intent, scene, clockwork));
    return { ...clockwork, scene, ledger, samples: watch.samples, lives, books, rest, leaked };
  }

  private clockwork(): Clockwork {
    const exchanges = this.watch.samples.map((sample) => sample.exchange);
    const dark: Span[] = this.watch.samples
      .filter((sample) => !sample.pools)
      .map(({ exchange }) => ({ from: exchange.sentAt, to: exchange.endedAt }));
    return { skew: skewOf(exchanges), outages: [...dark, ...(this.killer?.outages() ?? [])] };
  }

  /** What was killed, for the report. */
  get kills(): readonly Kill[] {
    return this.killer?.kills ?? [];
  }
}
