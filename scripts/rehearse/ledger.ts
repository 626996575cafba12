// Ledger: everything buyers asked for and everything that was acknowledged to them. The judge compares Evently's books with it.
import { randomUUID } from 'node:crypto';
import { jsonOf, type Call, type Exchange } from './client.js';
import { Step } from './patience.js';
import type { Money } from './stage.js';

export interface BookingView {
  id: string;
  eventId: string;
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
  expiresAt?: string | null;
  items: { ticketTypeId: string; quantity: number; seatIds?: string[]; unitPrice: Money; total: Money }[];
  total: Money;
  cancelReason?: string;
  tickets?: { id: string; ticketTypeId: string; seatId?: string; status: string }[];
  payment?: { id: string; status: string };
  accessToken?: string;
}

/** The booking in a 2xx reply, or undefined where it is none. */
export function bookingIn(exchange: Exchange | undefined): BookingView | undefined {
  if (!exchange || exchange.status < 200 || exchange.status >= 300) return undefined;
  const view = jsonOf<BookingView>(exchange.body);
  return view && typeof view.id === 'string' && typeof view.status === 'string' && Array.isArray(view.items) ? view : undefined;
}

/** What a buyer knows of a booking, and by which reply. `unsure`: a confirm or cancel never got a definite answer. */
export interface Fate {
  status: BookingView['status'] | 'unsure';
  reason?: string;
  by: Exchange;
}

/** One wish to book, with its key, and all that followed from it. */
export class Intent {
  readonly book: Step;
  readonly confirms: Step[] = [];
  cancel?: Step;
  /** Reads of this booking by its buyer, in order. */
  readonly reads: Exchange[] = [];
  /** The read at the very end, which the judge holds against what was acknowledged before it. */
  lastRead?: Exchange;
  /** The same key sent with another body: must be answered 422 and change nothing. */
  readonly misuses: Step[] = [];

  constructor(
    readonly buyer: number,
    call: Omit<Call, 'key' | 'op'>,
  ) {
    this.book = new Step({ ...call, op: 'book', key: randomUUID() });
  }

  /** As first acknowledged. */
  get booking(): BookingView | undefined {
    return this.book.answer?.status === 201 ? bookingIn(this.book.answer) : undefined;
  }

  /** A further write on this booking, by its guest's token, with a key of its own. */
  step(op: 'confirm' | 'cancel', body: unknown): Step {
    const { id, accessToken } = this.booking!;
    const path = `/v1/bookings/${id}/${op}`;
    const step = new Step({ op, method: 'POST', path, token: accessToken, key: randomUUID(), body: JSON.stringify(body) });
    if (op === 'confirm') this.confirms.push(step);
    else this.cancel = step;
    return step;
  }

  steps(): Step[] {
    return [this.book, ...this.confirms, ...(this.cancel ? [this.cancel] : [])];
  }

  /** Every exchange that concerns this booking, oldest first: the evidence when something is wrong with it. */
  story(): Exchange[] {
    const all = [...this.steps(), ...this.misuses].flatMap((step) => step.attempts);
    return [...all, ...this.reads, ...(this.lastRead ? [this.lastRead] : [])].sort((a, b) => a.sentAt - b.sentAt);
  }

  /** The strongest thing acknowledged so far; undefined where no booking was. */
  fate(): Fate | undefined {
    const held = this.book.answer;
    if (!held || !this.booking) return undefined;
    const cancelled = this.cancel?.answer;
    // One that had expired meanwhile may be told so: what counts is what the reply said.
    if (cancelled?.status === 200) return { status: 'CANCELLED', reason: bookingIn(cancelled)?.cancelReason, by: cancelled };
    const unanswered = [...this.confirms, ...(this.cancel ? [this.cancel] : [])].find((step) => !step.answer);
    if (unanswered) return { status: 'unsure', by: unanswered.attempts.at(-1) ?? held };
    const confirmed = this.confirmedBy();
    if (confirmed) return { status: 'CONFIRMED', by: confirmed };
    const ended = this.reads.find((read) => bookingIn(read)?.status === 'CANCELLED');
    if (ended) return { status: 'CANCELLED', reason: bookingIn(ended)!.cancelReason, by: ended };
    const late = this.confirms.map((step) => step.answer!).find((answer) => answer.status === 410);
    if (late) return { status: 'CANCELLED', reason: 'expired', by: late };
    return { status: 'PENDING', by: held };
  }

  /** The first reply that said CONFIRMED. */
  confirmedBy(): Exchange | undefined {
    const answers = this.confirms.map((step) => step.answer).filter((answer) => answer?.status === 200);
    return [...answers, ...this.reads].find((reply) => bookingIn(reply)?.status === 'CONFIRMED');
  }

  /** True while a payment that was accepted (202) has not been seen to end. */
  paymentOpen(): boolean {
    return this.confirms.some((step) => step.answer?.status === 202) && this.fate()?.status === 'PENDING' && !this.declined();
  }

  private declined(): boolean {
    const last = this.reads.findLast((read) => read.status === 200);
    return ['failed', 'declined'].includes(bookingIn(last)?.payment?.status ?? '');
  }
}

export class Ledger {
  readonly intents: Intent[] = [];

  open(buyer: number, call: Omit<Call, 'key' | 'op'>): Intent {
    const intent = new Intent(buyer, call);
    this.intents.push(intent);
    return intent;
  }

  /** Intents that were acknowledged with a booking. */
  booked(): Intent[] {
    return this.intents.filter((intent) => intent.booking);
  }
}

/** Units of a booking, by whether the ticket type is one of the given. */
export function unitsOf(booking: BookingView, typeIds: ReadonlySet<string>): number {
  return booking.items.reduce((sum, item) => sum + (typeIds.has(item.ticketTypeId) ? item.quantity : 0), 0);
}

export function seatsOf(booking: BookingView): string[] {
  return booking.items.flatMap((item) => item.seatIds ?? []);
}
