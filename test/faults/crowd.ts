// The crowd: buyers who never give up on a request, and write down what they were told; afterwards the books are held against that.
import { setTimeout as pause } from 'node:timers/promises';
import { eachOf } from '../../scripts/rehearse/concurrency.js';
import type { Dice } from '../../scripts/rehearse/dice.js';
import type { BookingBody, Shop } from '../buyer.js';
import { until } from '../harness.js';
import type { Installation } from './installation.js';
import { type Letter, Post, twice } from './letter.js';
import { dice } from './seed.js';
import { type Refusal, stockFindings } from './taken.js';

/** What a buyer was last told of a booking, by a reply. */
interface Told {
  token: string;
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
}

/** How a crowd behaves. */
export interface Manner {
  /** So many come, each once; without it, as many as find time before they are stopped. */
  buyers?: number;
  /** Places that one wants at most. */
  most?: number;
  /** The share of requests that are sent again with their key. */
  again?: number;
  /** The share of holds that are confirmed, and of bookings that are given back, a hold or not; without them most and some. */
  confirm?: number;
  cancel?: number;
}

const cards = ['4242424242424242', '4000000000000119', '4000000000000259', '4000000000000341'];
const AT_ONCE = 16;

export class Crowd {
  readonly told = new Map<string, Told>();
  readonly count = { booked: 0, confirmed: 0, cancelled: 0, refused: 0 };
  readonly post: Post;
  private readonly refusals: Refusal[] = [];
  private readonly odd = new Set<string>();
  private stopped = false;
  private come = 0;
  private work: Promise<unknown>[] = [];

  constructor(
    private readonly evently: Installation,
    private readonly shop: Shop,
    private readonly manner: Manner = {},
  ) {
    this.post = new Post(evently);
  }

  /** So many are at it at a time. */
  start(atATime: number): this {
    const { buyers = Infinity } = this.manner;
    const oneByOne = async () => {
      while (!this.stopped && this.come < buyers) await this.buy(dice(`buyer ${++this.come}`));
    };
    this.work = Array.from({ length: atATime }, oneByOne);
    return this;
  }

  /** Nobody else comes; everyone ends what he is at. */
  async stop(): Promise<void> {
    this.stopped = true;
    await this.all();
  }

  /** Until everyone has been here. */
  async all(): Promise<void> {
    await Promise.all(this.work);
  }

  /** How many have heard whether they get their places. */
  get served(): number {
    return this.count.booked + this.count.refused;
  }

  /** Until so many have, since the beginning. */
  async untilServed(served: number): Promise<void> {
    await until(`${Math.ceil(served)} buyers are served`, async () => this.served >= served, 120_000);
  }

  /** All that is drawn is drawn first: what happens to a buyer changes nothing of what he, or the next, wishes. */
  private async buy(drawn: Dice): Promise<void> {
    const { most = 2, confirm = 0.6, cancel = 0.3 } = this.manner;
    const ticketTypeId = drawn.pick(this.shop.typeIds);
    const quantity = 1 + drawn.index(most);
    const contact = { email: `buyer-${this.come}@example.org`, name: 'Buyer' };
    const wish = drawn.next();
    const card = drawn.pick(cards);
    const [first, second, third] = [this.resent(drawn), this.resent(drawn), this.resent(drawn)];
    const late: (() => Promise<unknown>)[] = [];

    const path = `/v1/events/${this.shop.eventId}/bookings`;
    const body = { items: [{ ticketTypeId, quantity }], contact };
    const from = Date.now();
    const held = await this.post.send({ path, body, fine: [201, 409], ...first }, late);
    if (held?.status === 201) {
      const told = this.tell(held.body);
      const { id, total } = held.body;
      const at = (verb: string) => ({ path: `/v1/bookings/${id}/${verb}`, token: told.token });
      const pay = total.amount > 0 ? { paymentMethod: { provider: 'test', card } } : {};
      if (wish < confirm) await this.confirm({ ...at('confirm'), body: pay, fine: [200, 202, 410], ...second }, told, late);
      // Those who confirm are partly those who cancel.
      if (wish > 0.8 - cancel && wish < 0.8)
        await this.cancel({ ...at('cancel'), body: {}, fine: [200, 409], ...third }, told, late);
    } else if (held?.body.code === 'sold_out') {
      this.count.refused += 1;
      this.refusals.push({ ticketTypeId, quantity, from, to: Date.now() });
      // Where there is no end of buyers, those who get nothing leave the processor to those who do.
      if (!this.manner.buyers) await pause(20);
    } else if (held) this.odd.add(`refused with ${held.text}`);
    for (const again of late) await again();
  }

  private resent(drawn: Dice): Pick<Letter, 'twice' | 'patienceMs'> {
    const [share, way, patienceMs] = [drawn.next(), drawn.pick(twice), Math.round(drawn.between(1, 60))];
    return share < (this.manner.again ?? 0) ? { twice: way, patienceMs } : {};
  }

  private tell({ id, accessToken: token }: BookingBody): Told {
    this.count.booked += 1;
    if (this.told.has(id)) this.odd.add(`${id} was given for two keys`);
    const told: Told = { token, status: 'PENDING' };
    this.told.set(id, told);
    return told;
  }

  private async confirm(letter: Letter, told: Told, late: (() => Promise<unknown>)[]): Promise<void> {
    const reply = await this.post.send(letter, late);
    if (reply?.status !== 200) return;
    told.status = 'CONFIRMED';
    this.count.confirmed += 1;
  }

  private async cancel(letter: Letter, told: Told, late: (() => Promise<unknown>)[]): Promise<void> {
    const reply = await this.post.send(letter, late);
    if (reply?.status !== 200) return;
    told.status = 'CANCELLED';
    this.count.cancelled += 1;
  }

  /** Everything wrong about the books, seen with what buyers were told. */
  async judge(): Promise<string[]> {
    const wrong = [...this.post.odd, ...this.odd];
    for (const app of [...this.evently.apis, this.evently.worker])
      if (app.ended) wrong.push(`${app.name} ended by itself: ${app.lastWords}`);
    await eachOf(this.told, AT_ONCE, async ([id, told]) => {
      const reply = await this.evently.call<BookingBody>('GET', `/v1/bookings/${id}`, undefined, { token: told.token });
      const is = reply.body.status;
      // A hold may have ended, and money that was under way may have come; what was confirmed or cancelled stays so.
      if (reply.status !== 200) wrong.push(`${id} was told ${told.status} and answers ${reply.status}`);
      else if (told.status !== 'PENDING' && is !== told.status) wrong.push(`${id} was told ${told.status} and is ${is}`);
    });
    const { orgId } = this.shop;
    const { rows } = await this.evently.sql.query<{ id: string }>(`SELECT id FROM booking.booking WHERE org_id = $1`, [orgId]);
    for (const { id } of rows) if (!this.told.has(id)) wrong.push(`${id} is there and nobody was told of it`);
    wrong.push(...(await stockFindings(this.evently.sql, orgId, this.refusals)));
    const { code, output } = await this.evently.verify();
    if (code !== 0) wrong.push(`verify exits ${code}: ${output}`);
    return wrong;
  }

  /** Waits until holds have ended and payments have settled; fails with what is left. A lost job is handed out again after 15 s, a payment asked after as late. */
  async rest(ms = 90_000): Promise<void> {
    const open = `
      SELECT 'booking' AS what, id, status, jsonb_build_object('expiresAt', expires_at, 'paying', paying, 'now', platform.now()) AS more
      FROM booking.booking WHERE status = 'PENDING'
      UNION ALL SELECT 'payment', booking_id, status, to_jsonb(p) FROM payments.payment p WHERE status IN ('created', 'processing')
      UNION ALL SELECT 'refund', booking_id, status, to_jsonb(r) FROM payments.refund r WHERE status IN ('requested', 'processing')`;
    let left: unknown[] = [];
    const done = async () => (left = (await this.evently.sql.query(open)).rows).length === 0;
    await until('holds are released and payments settled', done, ms).catch((e: Error) => {
      throw new Error(`${e.message}; left: ${JSON.stringify(left.slice(0, 5))} of ${left.length}`);
    });
  }
}
