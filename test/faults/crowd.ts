// The crowd: buyers who never give up on a request, and write down what they were told; afterwards the books are held against that.
import { setTimeout as pause } from 'node:timers/promises';
import type { BookingBody, Shop } from '../buyer.js';
import { callAt, type Reply, until } from '../harness.js';
import type { Installation } from './installation.js';

/** What a buyer was last told of a booking, by a reply. */
interface Told {
  token: string;
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
}

const TRY_MS = 8000;
const GIVE_UP_MS = 90_000;
/** Replies that ask to come again with the same key. */
const again = (r: Reply<BookingBody>) => r.status === 503 || r.status === 429 || r.body?.code === 'busy';

export class Crowd {
  readonly told = new Map<string, Told>();
  /** What no fault may bring about, each once. */
  readonly odd = new Set<string>();
  readonly count = { booked: 0, confirmed: 0, cancelled: 0, refused: 0, tries: 0 };
  private readonly over = new AbortController();
  private serial = 0;
  private work: Promise<unknown>[] = [];

  constructor(
    private readonly evently: Installation,
    private readonly shop: Shop,
  ) {}

  start(buyers: number): this {
    this.work = Array.from({ length: buyers }, () => this.buy());
    return this;
  }

  /** Everyone ends what he is at. */
  async stop(): Promise<void> {
    this.over.abort();
    await Promise.all(this.work);
  }

  private async buy(): Promise<void> {
    while (!this.over.signal.aborted) {
      const type = Math.floor(Math.random() * this.shop.typeIds.length);
      const items = [{ ticketTypeId: this.shop.typeIds[type], quantity: 1 + Math.floor(Math.random() * 2) }];
      const contact = { email: `buyer-${++this.serial}@example.org`, name: 'Buyer' };
      const held = await this.insist(`/v1/events/${this.shop.eventId}/bookings`, { items, contact }, [201, 409]);
      if (held?.status !== 201) {
        this.count.refused += 1;
        await pause(20);
        continue;
      }
      this.count.booked += 1;
      const { id, accessToken: token } = held.body;
      const told: Told = { token, status: 'PENDING' };
      this.told.set(id, told);
      const wish = Math.random();
      if (wish < 0.6) await this.confirm(id, told, held.body.total.amount > 0);
      if (wish > 0.5 && wish < 0.8) await this.cancel(id, told);
    }
  }

  private async confirm(id: string, told: Told, paid: boolean): Promise<void> {
    const cards = ['4242424242424242', '4000000000000119', '4000000000000259', '4000000000000341'];
    const body = paid ? { paymentMethod: { provider: 'test', card: cards[Math.floor(Math.random() * cards.length)] } } : {};
    const reply = await this.insist(`/v1/bookings/${id}/confirm`, body, [200, 202, 410], told.token);
    if (reply?.status !== 200) return;
    told.status = 'CONFIRMED';
    this.count.confirmed += 1;
  }

  private async cancel(id: string, told: Told): Promise<void> {
    const reply = await this.insist(`/v1/bookings/${id}/cancel`, {}, [200, 409], told.token);
    if (reply?.status !== 200) return;
    told.status = 'CANCELLED';
    this.count.cancelled += 1;
  }

  /** Asks until there is an answer, always under the same key, of whichever api. */
  private async insist(path: string, body: unknown, fine: number[], token?: string): Promise<Reply<BookingBody> | null> {
    const key = `key-${++this.serial}-${process.pid}`;
    const end = Date.now() + GIVE_UP_MS;
    for (;;) {
      this.count.tries += 1;
      const { url } = this.evently.apis[Math.floor(Math.random() * 2)];
      const reply = await callAt<BookingBody>(url, 'POST', path, { body, key, token, signal: AbortSignal.timeout(TRY_MS) }).catch(
        () => null,
      );
      if (reply && !again(reply)) {
        if (!fine.includes(reply.status)) this.odd.add(`${path.split('/').at(-1)}: ${reply.status} ${reply.text.slice(0, 300)}`);
        return reply;
      }
      if (Date.now() > end) {
        this.odd.add(`${path.split('/').at(-1)}: no answer within ${GIVE_UP_MS} ms, at last ${reply?.text ?? 'no connection'}`);
        return null;
      }
      await pause(30 + Math.random() * 100);
    }
  }

  /** Everything wrong about the books, seen with what buyers were told. */
  async judge(): Promise<string[]> {
    const wrong = [...this.odd];
    for (const app of [...this.evently.apis, this.evently.worker])
      if (app.ended) wrong.push(`${app.name} ended by itself: ${app.lastWords}`);
    for (const [id, told] of this.told) {
      const reply = await this.evently.call<BookingBody>('GET', `/v1/bookings/${id}`, undefined, { token: told.token });
      const is = reply.body.status;
      // A hold may have ended, and money that was under way may have come; what was confirmed or cancelled stays so.
      if (reply.status !== 200) wrong.push(`${id} was told ${told.status} and answers ${reply.status}`);
      else if (told.status !== 'PENDING' && is !== told.status) wrong.push(`${id} was told ${told.status} and is ${is}`);
    }
    const { rows } = await this.evently.sql.query<{ id: string }>(`SELECT id FROM booking.booking WHERE org_id = $1`, [
      this.shop.orgId,
    ]);
    for (const { id } of rows) if (!this.told.has(id)) wrong.push(`${id} is there and nobody was told of it`);
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
