// Replay: real reservations through the public API at full speed, then the sales report against the file.
// One organization for each original month: the report goes by the month of the shifted date, and shifted weeks do not map months onto
// months; but everything an organization sold belongs to one original month, so its rows sum to that month, whatever they are called.
import { DateTime } from 'luxon';
import { askSales, salesIn, type SalesRow } from './books.js';
import { awaitPayment } from './buyer.js';
import { now, sleep, type Client, type Exchange } from './client.js';
import { eachOf } from './concurrency.js';
import { Dice } from './dice.js';
import { groupBy } from './grouping.js';
import { inLanes } from './lanes.js';
import { Ledger, type Intent } from './ledger.js';
import type { Measure } from './measure.js';
import { insist, type Insistence } from './patience.js';
import { monthOf, sameTally, tallyOf, type ArrivalDate, type Reservation, type Tally } from './reservations.js';
import { Organizer, StageError } from './stage.js';

export interface MonthResult {
  month: string;
  file: Tally;
  /** Undefined where the report could not be read. */
  report?: Tally;
  /** Months of shifted dates in which report and file differ. */
  differing: string[];
  exchange: Exchange;
}

export interface ReplayResult {
  months: MonthResult[];
  /** Requests that were not answered as they must be; the first of them explain a difference. */
  failures: { text: string; exchange?: Exchange }[];
  openedAt: number;
  soldAt: number;
}

interface Seller {
  orgId: string;
  key: string;
}

interface Staged {
  date: ArrivalDate;
  eventId: string;
  /** Ticket type by amount. */
  types: Map<number, string>;
}

interface Sale {
  reservation: Reservation;
  intent: Intent;
}

const zone = 'Europe/Lisbon';
const payment = { paymentMethod: { provider: 'test', card: '4242424242424242' } };
/** Payments that are still processing do not hold others up, but are not asked about in thousands either. */
const processingAtMost = 400;
/** All reports together may take this long to catch up. */
const reportLagMs = 60_000;

export interface ReplayStage {
  client: Client;
  measure: Measure;
  seed: number;
  patienceMs: number;
  atATime: number;
  say: (line: string) => void;
}

export class Replay {
  private readonly how: Insistence;
  private readonly ledger = new Ledger();
  private readonly staged = new Map<string, Staged>();
  private readonly sellers = new Map<string, Seller>();
  private readonly sales: Sale[] = [];
  private readonly processing = new Set<Promise<void>>();
  private readonly failures: ReplayResult['failures'] = [];
  /** For the progress line. */
  readonly done = { dates: 0, booked: 0, confirmed: 0, cancelled: 0 };

  constructor(
    private readonly stage: ReplayStage,
    private readonly dates: readonly ArrivalDate[],
    private readonly reservations: readonly Reservation[],
  ) {
    this.how = { patienceMs: stage.patienceMs, random: new Dice(stage.seed, 'replay').next };
  }

  async run(): Promise<ReplayResult> {
    const { say, measure, atATime } = this.stage;
    await this.setStage();
    say(`The stage is set: ${this.dates.length} events. Replaying ${this.reservations.length} reservations.`);
    measure.openedAt = now();
    await inLanes(this.reservations, {
      laneOf: (reservation) => reservation.arrival,
      atATime,
      inLane: (reservation) => this.book(reservation),
      after: (reservation) => this.confirm(reservation),
    });
    await Promise.all(this.processing);
    say('All are booked. Cancelling those that were cancelled.');
    await eachOf(
      this.sales.filter(({ reservation }) => reservation.cancelled),
      atATime,
      (sale) => this.cancel(sale),
    );
    const soldAt = now();
    say('Asking the sales reports.');
    const months: MonthResult[] = [];
    const giveUpAt = now() + Math.min(reportLagMs, this.how.patienceMs);
    for (const month of this.sellers.keys()) months.push(await this.askMonth(month, giveUpAt));
    return { months, failures: this.failures, openedAt: measure.openedAt, soldAt };
  }

  private async setStage(): Promise<void> {
    const organizer = new Organizer(this.stage.client, this.how);
    await organizer.signUp();
    for (const month of new Set(this.dates.map(({ date }) => monthOf(date)))) {
      const { id, key } = await organizer.organization(`Arrivals of ${month}`, `arrivals-${month}`);
      this.sellers.set(month, { orgId: id, key });
    }
    await eachOf(this.dates, this.stage.atATime, async (date) => {
      this.staged.set(date.date, await this.makeEvent(organizer, date));
      this.done.dates++;
    });
  }

  private async makeEvent(organizer: Organizer, date: ArrivalDate): Promise<Staged> {
    const { orgId, key } = this.sellers.get(monthOf(date.date))!;
    const events = `/v1/organizations/${orgId}/events`;
    const startsAt = DateTime.fromISO(`${date.shifted}T15:00`, { zone });
    const body = {
      title: `Arrivals of ${date.date}`,
      startsAt: startsAt.toUTC().toISO(),
      endsAt: startsAt.plus({ days: 1 }).set({ hour: 12 }).toUTC().toISO(),
      timeZone: zone,
      currency: 'EUR',
      // Nothing may expire while thousands wait for their turn.
      holdSeconds: 3_600,
    };
    const { id: eventId } = await organizer.create<{ id: string }>(events, body, key);
    const stock = { name: 'Rooms', capacity: date.rows.length };
    const pool = await organizer.create<{ id: string }>(`${events}/${eventId}/pools`, stock, key);
    const types = new Map<number, string>();
    for (const amount of date.amounts) {
      const type = { name: `Room at ${(amount / 100).toFixed(2)}`, price: { amount, currency: 'EUR' }, poolId: pool.id };
      types.set(amount, (await organizer.create<{ id: string }>(`${events}/${eventId}/ticket-types`, type, key)).id);
    }
    await organizer.create(`${events}/${eventId}/publish`, {}, key);
    return { date, eventId, types };
  }

  private readonly open = new Map<Reservation, Intent>();

  private async book(reservation: Reservation): Promise<void> {
    const { eventId, types } = this.staged.get(reservation.arrival)!;
    const number = this.ledger.intents.length;
    const items = [{ ticketTypeId: types.get(reservation.amount)!, quantity: 1 }];
    const contact = { email: `guest-${number}@rehearsal.example`, name: `Guest ${number}` };
    const path = `/v1/events/${eventId}/bookings`;
    const intent = this.ledger.open(number, { method: 'POST', path, body: JSON.stringify({ items, contact }) });
    const answer = await insist(this.stage.client, intent.book, this.how);
    if (!intent.booking) return this.fail('A reservation could not be booked', answer);
    if (intent.booking.total.amount !== reservation.amount) this.fail(`The total is not ${reservation.amount}`, answer);
    this.open.set(reservation, intent);
    this.done.booked++;
  }

  private async confirm(reservation: Reservation): Promise<void> {
    const intent = this.open.get(reservation);
    if (!intent) return;
    this.open.delete(reservation);
    const answer = await insist(this.stage.client, intent.step('confirm', reservation.amount === 0 ? {} : payment), this.how);
    if (answer.status !== 202) return this.settle({ reservation, intent }, answer);
    while (this.processing.size >= processingAtMost) await Promise.race(this.processing);
    const paid: Promise<void> = awaitPayment(this.stage.client, intent, this.how)
      .then(() => this.settle({ reservation, intent }, intent.reads.at(-1) ?? answer))
      .finally(() => this.processing.delete(paid));
    this.processing.add(paid);
  }

  private settle(sale: Sale, last: Exchange): void {
    if (!sale.intent.confirmedBy()) return this.fail('A reservation could not be confirmed', last);
    this.sales.push(sale);
    this.done.confirmed++;
  }

  private async cancel({ intent }: Sale): Promise<void> {
    const answer = await insist(this.stage.client, intent.step('cancel', {}), this.how);
    if (answer.status !== 200) return this.fail('A reservation could not be cancelled', answer);
    this.done.cancelled++;
  }

  private fail(text: string, exchange: Exchange): void {
    this.failures.push({ text, exchange });
    // The server is plainly not up to it: thousands of the same refusal tell nothing more.
    if (this.failures.length > 1_000)
      throw new StageError(`More than 1000 requests failed, the last: ${text} (${exchange.status} ${exchange.code}).`);
  }

  /** The month's own organization is asked until it agrees with the file, or until `giveUpAt`: reports may lag. */
  private async askMonth(month: string, giveUpAt: number): Promise<MonthResult> {
    const { orgId, key } = this.sellers.get(month)!;
    const dates = this.dates.filter(({ date }) => monthOf(date) === month);
    const due = new Map(
      [...groupBy(dates, ({ shifted }) => monthOf(shifted))].map(([shifted, of]) => [shifted, tallyOfDates(of)]),
    );
    for (;;) {
      const exchange = await askSales(this.stage.client, { orgId, key }, this.how);
      const rows = salesIn(exchange);
      const differing = rows ? differences(due, rows) : [...due.keys()];
      if (differing.length === 0 || now() > giveUpAt) {
        return { month, file: tallyOfDates(dates), report: rows && sumOf(rows.map(tallyOfRow)), differing, exchange };
      }
      await sleep(500);
    }
  }
}

const tallyOfDates = (dates: readonly ArrivalDate[]): Tally => tallyOf(dates.flatMap(({ rows }) => rows));
const tallyOfRow = ({ bookings, cancelled, revenue }: SalesRow): Tally => ({ bookings, cancelled, revenue: revenue.amount });

export const sumOf = (tallies: readonly Tally[]): Tally => ({
  bookings: tallies.reduce((sum, tally) => sum + tally.bookings, 0),
  cancelled: tallies.reduce((sum, tally) => sum + tally.cancelled, 0),
  revenue: tallies.reduce((sum, tally) => sum + tally.revenue, 0),
});

/** The shifted months in which the report does not say what the file says. */
function differences(due: ReadonlyMap<string, Tally>, rows: readonly SalesRow[]): string[] {
  const nothing: Tally = { bookings: 0, cancelled: 0, revenue: 0 };
  const said = new Map([...groupBy(rows, (row) => monthOf(row.month))].map(([month, of]) => [month, sumOf(of.map(tallyOfRow))]));
  const months = new Set([...due.keys(), ...said.keys()]);
  return [...months].filter((month) => !sameTally(due.get(month) ?? nothing, said.get(month) ?? nothing)).sort();
}
