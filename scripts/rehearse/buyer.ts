// Buyer: one guest with a phone. Books, then pays, cancels, changes his mind, presses twice or drives into a tunnel, as the seed says.
import { now, sleep, type Client, type Exchange } from './client.js';
import { Dice } from './dice.js';
import { bookingIn, type Intent, type Ledger } from './ledger.js';
import { ask, insist, Step, type Insistence } from './patience.js';
import type { SeatChart } from './seats.js';
import type { Scene } from './stage.js';

/** What a buyer does with a hold, and how often: chosen so that every way a hold can end happens in a run of a few hundred. */
const habits = {
  pays: 50,
  paysThenCancels: 10,
  cancelsHold: 7,
  abandons: 10,
  isDeclinedFirst: 5,
  repeats: 8,
  pressesTwice: 5,
  vanishesBooking: 3,
  vanishesPaying: 2,
};
export type Habit = keyof typeof habits;

const cards = { pays: '4242424242424242', declines: '4000000000000002' };
/** Pays at once, and pays with its webhook late, doubled, or out of order. */
const payingCards = {
  '4242424242424242': 76,
  '4000000000000341': 8,
  '4000000000000119': 8,
  '4000000000000259': 8,
};

export interface Street {
  client: Client;
  scene: Scene;
  ledger: Ledger;
  chart: SeatChart;
  seed: number;
  patienceMs: number;
  holdSeconds: number;
  /** How many buyers come: a bigger crowd presses less often each. */
  crowd: number;
}

type Item = { ticketTypeId: string; quantity: number } | { ticketTypeId: string; seatIds: string[] };

export class Buyer {
  readonly habit: Habit;
  /** wants: has nothing and would still buy; has: a confirmed booking; left: gone by choice. */
  state: 'wants' | 'has' | 'left' = 'wants';
  private quantity: number;
  private readonly dice: Dice;
  private readonly how: Insistence;

  constructor(
    readonly number: number,
    private readonly street: Street,
  ) {
    this.dice = new Dice(street.seed, `buyer ${number}`);
    this.habit = this.dice.weighted(habits);
    this.quantity = Number(this.dice.weighted({ '1': 60, '2': 25, '3': 10, '4': 5 }));
    this.how = { patienceMs: street.patienceMs, random: new Dice(street.seed, `pauses of ${number}`).next };
  }

  /** Comes at `arrivesAt` and tries until served or until `closesAt` (milliseconds). */
  async rush(arrivesAt: number, closesAt: number): Promise<void> {
    await sleep(arrivesAt - now());
    do {
      const intent = await this.tryToBook(await this.basket());
      if (!intent) return;
      if (intent.booking) await this.useHold(intent);
      if (this.state !== 'wants') return;
      await this.think(300, 3_000);
    } while (now() < closesAt);
  }

  /** Comes back after the rush for one unit of what is left, pays without detours. False once refused as sold out. */
  async comeBack(seated: boolean): Promise<boolean> {
    this.quantity = 1;
    const types = seated ? this.street.scene.zones : this.street.scene.general;
    for (const type of this.dice.shuffled(types)) {
      const intent = this.open([{ ticketTypeId: type.id, quantity: 1 }]);
      await insist(this.street.client, intent.book, this.how);
      if (!intent.booking) continue;
      await this.pay(intent);
      return true;
    }
    return false;
  }

  private async tryToBook(items: Item[]): Promise<Intent | undefined> {
    const intent = this.open(items);
    const { client } = this.street;
    if (this.habit === 'vanishesBooking') {
      intent.book.attempts.push(await client.send({ ...intent.book.call, severAfterMs: this.dice.between(0, 40) }));
      this.state = 'left';
      return undefined;
    }
    const second = this.habit === 'pressesTwice' ? insist(client, intent.book, this.how) : undefined;
    const answer = await insist(client, intent.book, this.how);
    await second;
    // Who wanted several and was refused wants fewer next time; that lets a pool sell out to its last place.
    if (answer.status === 409) this.quantity = Math.max(1, this.quantity - 1);
    return intent;
  }

  private async useHold(intent: Intent): Promise<void> {
    await this.think(50, Math.min(2_500, this.street.holdSeconds * 300));
    switch (this.habit) {
      case 'abandons':
        this.state = 'left';
        return;
      case 'cancelsHold':
        await this.cancel(intent);
        this.state = 'left';
        return;
      case 'vanishesPaying':
        await this.vanishWhilePaying(intent);
        return;
      case 'isDeclinedFirst':
        await this.tryBadCard(intent);
        return this.pay(intent);
      case 'paysThenCancels':
        await this.pay(intent);
        if (!intent.confirmedBy()) return;
        await this.think(100, 1_500);
        await this.cancel(intent);
        this.state = 'left';
        return;
      default:
        await this.pay(intent);
        if (this.habit === 'repeats') await this.repeat(intent);
    }
  }

  private async pay(intent: Intent): Promise<void> {
    const card = this.dice.weighted(payingCards);
    const step = intent.step('confirm', isFree(intent) ? {} : payWith(card));
    const second = this.habit === 'pressesTwice' ? insist(this.street.client, step, this.how) : undefined;
    const answer = await insist(this.street.client, step, this.how);
    await second;
    if (answer.status === 202) await this.awaitPayment(intent);
    if (intent.confirmedBy()) this.state = 'has';
  }

  private async tryBadCard(intent: Intent): Promise<void> {
    if (isFree(intent)) return;
    const answer = await insist(this.street.client, intent.step('confirm', payWith(cards.declines)), this.how);
    if (answer.status === 202) await this.awaitPayment(intent);
  }

  private async cancel(intent: Intent): Promise<void> {
    await insist(this.street.client, intent.step('cancel', {}), this.how);
  }

  private async vanishWhilePaying(intent: Intent): Promise<void> {
    const step = intent.step('confirm', isFree(intent) ? {} : payWith(cards.pays));
    step.attempts.push(await this.street.client.send({ ...step.call, severAfterMs: this.dice.between(0, 40) }));
    this.state = 'left';
  }

  /** Sends the same requests again, and the same key with another body. */
  private async repeat(intent: Intent): Promise<void> {
    for (const step of intent.steps()) await insist(this.street.client, step, this.how);
    const body = JSON.parse(intent.book.call.body!) as { contact: object };
    const other = JSON.stringify({ ...body, contact: { ...body.contact, name: 'Somebody Else' } });
    const misuse = new Step({ ...intent.book.call, body: other });
    intent.misuses.push(misuse);
    await insist(this.street.client, misuse, this.how);
  }

  /** Reads the booking until the payment has ended one way or the other. */
  private awaitPayment(intent: Intent): Promise<void> {
    return awaitPayment(this.street.client, intent, this.how);
  }

  private open(items: Item[]): Intent {
    const contact = { email: `buyer-${this.number}@rehearsal.example`, name: `Buyer ${this.number}` };
    const path = `/v1/events/${this.street.scene.eventId}/bookings`;
    return this.street.ledger.open(this.number, { method: 'POST', path, body: JSON.stringify({ items, contact }) });
  }

  /** Places, seats, or (one in ten where both are sold) both in one booking. */
  private async basket(): Promise<Item[]> {
    const { scene } = this.street;
    const seats = scene.zones.reduce((sum, zone) => sum + zone.seats.length, 0);
    const seated = this.dice.next() * (scene.capacity + seats) < seats;
    const both = seats > 0 && scene.capacity > 0 && this.dice.next() < 0.1;
    const items: Item[] = [];
    if (!seated || both) items.push({ ticketTypeId: this.dice.pick(scene.general).id, quantity: this.quantity });
    if (seated || both) items.push(await this.seatItem());
    return items;
  }

  private async seatItem(): Promise<Item> {
    const zone = this.dice.pick(this.street.scene.zones);
    const seatIds = this.dice.next() < 0.5 ? await this.street.chart.choose(zone, this.quantity, this.dice) : [];
    return seatIds.length > 0 ? { ticketTypeId: zone.id, seatIds } : { ticketTypeId: zone.id, quantity: this.quantity };
  }

  private think(lowMs: number, highMs: number): Promise<void> {
    return sleep(this.dice.between(lowMs, highMs) * Math.max(1, this.street.crowd / 1_000));
  }
}

/** Reads a booking whose payment is processing until it has ended, or patience has. */
export async function awaitPayment(client: Client, intent: Intent, how: Insistence): Promise<void> {
  const giveUpAt = now() + how.patienceMs;
  for (let pause = 60; now() < giveUpAt; pause = Math.min(1_000, pause * 1.6)) {
    await sleep(pause * (0.7 + 0.6 * how.random()));
    const read = await readBooking(client, intent, how);
    intent.reads.push(read);
    if (read.status !== 200 || !intent.paymentOpen()) return;
  }
}

/** Reads a booking as its guest. */
export function readBooking(client: Client, intent: Intent, how: Insistence): Promise<Exchange> {
  const { id, accessToken } = intent.booking!;
  return ask(client, { op: 'read', method: 'GET', path: `/v1/bookings/${id}`, token: accessToken }, how);
}

function isFree(intent: Intent): boolean {
  return bookingIn(intent.book.answer)!.total.amount === 0;
}

function payWith(card: string): { paymentMethod: { provider: 'test'; card: string } } {
  return { paymentMethod: { provider: 'test', card } };
}
