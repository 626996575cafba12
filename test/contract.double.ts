// Contract double: the part of CONTRACT 1 to 4 that a rehearsal uses, right or wrong in one chosen way, so that the judge is seen to see it.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What this double does wrong. `shaky` is no fault: it loses replies and says 503 and busy, as a server in trouble may. */
export type Fault =
  | 'none'
  | 'shaky'
  | 'losesBooking'
  | 'losesBookingWithItsStock'
  | 'forgetsConfirm'
  | 'oversells'
  | 'overcounts'
  | 'sellsSeatTwice'
  | 'inventsBooking'
  | 'forgetsKeys'
  | 'altersReplay'
  | 'leaksHolds'
  | 'keepsSomeUnsold'
  | 'misreportsRevenue';

interface Type {
  id: string;
  price: { amount: number; currency: string };
  pool: Pool;
  seats?: string[];
}

interface Pool {
  poolId: string;
  capacity: number;
  held: number;
  sold: number;
  reserved: number;
  waiting: number;
}

interface Booking {
  id: string;
  eventId: string;
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
  expiresAt: string | null;
  items: { ticketTypeId: string; quantity: number; seatIds?: string[]; unitPrice: Type['price']; total: Type['price'] }[];
  total: Type['price'];
  cancelReason?: string;
  tickets?: { id: string; ticketTypeId: string; code: string; status: string }[];
  version: number;
}

interface Event {
  id: string;
  orgId: string;
  startsAt: string;
  holdSeconds: number;
  venueId?: string;
  pools: Pool[];
  types: Map<string, Type>;
  bookings: Booking[];
}

type Body = Record<string, never> & { items: { ticketTypeId: string; quantity?: number; seatIds?: string[] }[] };
type Reply = { status: number; body?: unknown; retryAfter?: number };
const no = (status: number, code: string): Reply => ({ status, body: { code, status, requestId: randomUUID() } });

export class ContractDouble {
  private readonly server: Server;
  private readonly events = new Map<string, Event>();
  private readonly bookings = new Map<string, Booking>();
  private readonly tokens = new Map<string, string>();
  private readonly keys = new Map<string, { text: string; status: number; bytes: string }>();
  private readonly venues = new Map<string, Map<string, string[]>>();
  private paying = new Map<string, number>();
  private requests = 0;
  private done = false;

  constructor(private readonly fault: Fault) {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    this.requests++;
    const booking = /bookings|confirm|cancel/.test(request.url!) && request.method === 'POST';
    if (this.fault === 'shaky' && booking && this.requests % 9 === 0) return void request.socket.destroy();
    if (this.fault === 'shaky' && booking && this.requests % 7 === 0) {
      return send(response, { ...no(503, 'overloaded'), retryAfter: 0 });
    }
    if (this.fault === 'shaky' && booking && this.requests % 11 === 0) return send(response, no(409, 'busy'));
    const reply = this.idempotent(request, text);
    // Done, but the answer is lost: the buyer must find it again by his key.
    if (this.fault === 'shaky' && booking && this.requests % 8 === 0) return void request.socket.destroy();
    send(response, reply);
  }

  private idempotent(request: IncomingMessage, text: string): Reply & { bytes?: string } {
    const key = request.headers['idempotency-key'];
    if (request.method === 'GET' || !key) return this.answer(request, text);
    const scope = `${request.url} ${String(key)}`;
    const stored = this.keys.get(scope);
    if (stored && this.fault !== 'forgetsKeys') {
      if (stored.text !== text) return no(422, 'idempotency_key_reused');
      const altered = this.fault === 'altersReplay' && request.url!.endsWith('/confirm');
      return { status: stored.status, bytes: altered ? `${stored.bytes} ` : stored.bytes };
    }
    const reply = this.answer(request, text);
    const bytes = JSON.stringify(reply.body);
    if (reply.status < 300 || [402, 409, 410].includes(reply.status)) this.keys.set(scope, { text, status: reply.status, bytes });
    return { ...reply, bytes };
  }

  private answer(request: IncomingMessage, text: string): Reply {
    const url = new URL(request.url!, 'http://double');
    const body = (text ? JSON.parse(text) : {}) as Body;
    const path = url.pathname.split('/').slice(1);
    this.expire();
    if (url.pathname === '/readyz') return { status: 200, body: {} };
    if (path[1] === 'auth') return { status: path[2] === 'register' ? 201 : 200, body: { accessToken: 'organizer' } };
    if (path[1] === 'organizations') return this.organizer(request.method!, path.slice(2), { body, url });
    if (path[1] === 'events' && path[3] === 'seats') return this.seatMap(this.events.get(path[2]!)!);
    if (path[1] === 'events') return this.book(this.events.get(path[2]!)!, body);
    const booking = this.bookings.get(path[2]!);
    const token = request.headers.authorization?.replace('Bearer ', '');
    if (!booking || this.tokens.get(booking.id) !== token) return no(404, 'not_found');
    if (path[3] === 'confirm') return this.confirm(booking, body);
    if (path[3] === 'cancel') return this.cancel(booking);
    this.settle(booking);
    return { status: 200, body: booking };
  }

  private organizer(method: string, path: string[], { body, url }: { body: Body; url: URL }): Reply {
    const [orgId, what, eventId, part] = path;
    const id = randomUUID();
    if (!orgId) return { status: 201, body: { id, ...body, version: 1 } };
    if (what === 'api-keys') return { status: 201, body: { id, key: `evk_${id}` } };
    if (what === 'venues') {
      this.venues.set(id, seatsByZone(body));
      return { status: 201, body: { id } };
    }
    if (what === 'reports') return this.report(orgId);
    if (!eventId) {
      const event = { ...(body as unknown as Event), id, orgId, pools: [], types: new Map(), bookings: [] };
      this.events.set(id, event);
      return { status: 201, body: { ...body, id, status: 'draft', version: 1 } };
    }
    const event = this.events.get(eventId)!;
    if (part === 'inventory') return { status: 200, body: event.pools.map((pool) => this.shown(pool)) };
    if (part === 'bookings') return this.list(event, url);
    if (part === 'publish') return { status: 200, body: { id: eventId, status: 'published', version: 2 } };
    return method === 'POST' ? this.goods(event, part!, body) : no(404, 'not_found');
  }

  private goods(event: Event, part: string, body: Body): Reply {
    const wanted = body as unknown as { capacity?: number; poolId?: string; zone?: string; price: Type['price'] };
    const seats = wanted.zone ? this.venues.get(event.venueId!)!.get(wanted.zone)! : undefined;
    let pool = event.pools.find(({ poolId }) => poolId === wanted.poolId);
    if (!pool) {
      const capacity = seats?.length ?? wanted.capacity!;
      pool = { poolId: randomUUID(), capacity, held: 0, sold: 0, reserved: 0, waiting: 0 };
      event.pools.push(pool);
    }
    if (part === 'pools') return { status: 201, body: { id: pool.poolId, ...body, version: 1 } };
    const type = { id: randomUUID(), price: wanted.price, pool, seats };
    event.types.set(type.id, type);
    return { status: 201, body: { ...body, id: type.id, version: 1 } };
  }

  private book(event: Event, body: Body): Reply {
    const items: Booking['items'] = [];
    for (const { ticketTypeId, quantity, seatIds } of body.items) {
      const type = event.types.get(ticketTypeId)!;
      const units = seatIds?.length ?? quantity!;
      if (!this.hasRoom(type.pool, units)) return no(409, 'sold_out');
      const free = type.seats?.filter((seat) => !this.taken(event, seat));
      if (seatIds?.some((seat) => !free!.includes(seat))) return no(409, 'seat_taken');
      if (free && free.length < units && this.fault !== 'sellsSeatTwice') return no(409, 'sold_out');
      const given = type.seats ? (seatIds ?? (free!.length < units ? type.seats : free!).slice(0, units)) : undefined;
      const total = { ...type.price, amount: type.price.amount * units };
      items.push({ ticketTypeId, quantity: units, ...(given && { seatIds: given }), unitPrice: type.price, total });
    }
    const amount = items.reduce((sum, item) => sum + item.total.amount, 0);
    const expiresAt = new Date(Date.now() + event.holdSeconds * 1000).toISOString();
    const total = { amount, currency: 'EUR' };
    const booking: Booking = { id: randomUUID(), eventId: event.id, status: 'PENDING', expiresAt, items, total, version: 1 };
    this.count(event, booking, 'held', 1);
    event.bookings.push(booking);
    this.bookings.set(booking.id, booking);
    this.tokens.set(booking.id, `guest-${booking.id}`);
    if (this.once('inventsBooking'))
      event.bookings.push({ ...booking, id: randomUUID(), status: 'CANCELLED', cancelReason: 'requested' });
    return { status: 201, body: { ...booking, accessToken: `guest-${booking.id}` } };
  }

  private hasRoom(pool: Pool, units: number): boolean {
    const spare = { oversells: 3, overcounts: 3, sellsSeatTwice: 2, keepsSomeUnsold: -2 }[this.fault as string] ?? 0;
    return pool.held + pool.sold + units <= pool.capacity + spare;
  }

  private taken(event: Event, seat: string): boolean {
    return event.bookings.some(
      ({ status, items }) => status !== 'CANCELLED' && items.some((item) => item.seatIds?.includes(seat)),
    );
  }

  private confirm(booking: Booking, body: Body): Reply {
    if (booking.status === 'CANCELLED')
      return booking.cancelReason === 'expired' ? no(410, 'hold_expired') : no(409, 'bad_transition');
    const card = (body as unknown as { paymentMethod?: { card: string } }).paymentMethod?.card;
    if (booking.total.amount > 0 && !card) return no(402, 'payment_required');
    if (card?.endsWith('0002')) return no(402, 'payment_declined');
    if (card?.endsWith('0341')) {
      this.paying.set(booking.id, Date.now() + 600);
      return { status: 202, body: { ...booking, payment: { id: randomUUID(), status: 'processing' } } };
    }
    this.makeConfirmed(booking);
    return {
      status: 200,
      body: this.fault === 'forgetsConfirm' && this.once('forgetsConfirm') ? this.undone(booking) : { ...booking },
    };
  }

  private makeConfirmed(booking: Booking): void {
    if (booking.status !== 'PENDING') return;
    const event = this.events.get(booking.eventId)!;
    this.count(event, booking, 'held', -1);
    this.count(event, booking, 'sold', 1);
    booking.status = 'CONFIRMED';
    booking.expiresAt = null;
    const units = booking.items.flatMap((item) => Array.from({ length: item.quantity }, () => item.ticketTypeId));
    booking.tickets = units.map((ticketTypeId) => ({ id: randomUUID(), ticketTypeId, code: 'x', status: 'valid' }));
    if (this.once('losesBooking')) this.lose(event, booking);
    if (this.once('losesBookingWithItsStock')) {
      this.count(event, booking, 'sold', -1);
      this.lose(event, booking);
    }
  }

  private lose(event: Event, booking: Booking): void {
    event.bookings.splice(event.bookings.indexOf(booking), 1);
    this.bookings.delete(booking.id);
  }

  /** The reply says CONFIRMED; the booking itself is rolled back. */
  private undone(booking: Booking): Booking {
    const told = { ...booking };
    const event = this.events.get(booking.eventId)!;
    this.count(event, booking, 'sold', -1);
    Object.assign(booking, { status: 'CANCELLED', cancelReason: 'expired' });
    return told;
  }

  private cancel(booking: Booking): Reply {
    if (booking.status === 'CANCELLED') return no(409, 'bad_transition');
    this.end(booking, 'requested');
    return { status: 200, body: { ...booking } };
  }

  private end(booking: Booking, reason: string): void {
    const leaks = reason === 'expired' && this.fault === 'leaksHolds';
    const counter = booking.status === 'PENDING' ? 'held' : 'sold';
    if (!leaks) this.count(this.events.get(booking.eventId)!, booking, counter, -1);
    Object.assign(booking, { status: 'CANCELLED', cancelReason: reason });
  }

  private settle(booking: Booking): void {
    const due = this.paying.get(booking.id);
    if (due !== undefined && due <= Date.now()) this.makeConfirmed(booking);
  }

  private expire(): void {
    for (const booking of this.bookings.values()) {
      this.settle(booking);
      if (booking.status === 'PENDING' && Date.parse(booking.expiresAt!) <= Date.now()) this.end(booking, 'expired');
    }
  }

  private count(event: Event, booking: Booking, counter: 'held' | 'sold', sign: 1 | -1): void {
    for (const item of booking.items) event.types.get(item.ticketTypeId)!.pool[counter] += sign * item.quantity;
  }

  /** One that oversells hides it in its counters; the other shows it. */
  private shown(pool: Pool): Pool {
    const over = Math.max(0, pool.held + pool.sold - pool.capacity);
    return this.fault === 'oversells' || this.fault === 'sellsSeatTwice'
      ? { ...pool, held: Math.max(0, pool.held - over), sold: Math.min(pool.sold, pool.capacity) }
      : pool;
  }

  private seatMap(event: Event): Reply {
    const seats = [...event.types.values()].flatMap((type) => type.seats ?? []);
    return { status: 200, body: { seq: 1, seats: seats.map((id) => ({ id, state: this.stateOf(event, id) })) } };
  }

  private stateOf(event: Event, seat: string): string {
    const live = event.bookings.find(
      ({ status, items }) => status !== 'CANCELLED' && items.some((item) => item.seatIds?.includes(seat)),
    );
    return live ? (live.status === 'CONFIRMED' ? 'sold' : 'held') : 'free';
  }

  private list(event: Event, url: URL): Reply {
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const to = from + Number(url.searchParams.get('limit'));
    const nextCursor = to < event.bookings.length ? String(to) : null;
    return { status: 200, body: { items: event.bookings.slice(from, to), nextCursor } };
  }

  private report(orgId: string): Reply {
    const rows = new Map<string, { month: string; bookings: number; cancelled: number; revenue: Type['price'] }>();
    for (const event of this.events.values()) {
      if (event.orgId !== orgId) continue;
      const month = event.startsAt.slice(0, 7);
      const row = rows.get(month) ?? { month, bookings: 0, cancelled: 0, revenue: { amount: 0, currency: 'EUR' } };
      for (const { status, tickets, total } of event.bookings) {
        if (!tickets) continue;
        row.bookings++;
        if (status === 'CONFIRMED') row.revenue.amount += total.amount;
        else row.cancelled++;
      }
      if (this.fault === 'misreportsRevenue') row.revenue.amount++;
      rows.set(month, row);
    }
    return { status: 200, body: [...rows.values()] };
  }

  /** True once, for the double's own fault. */
  private once(fault: Fault): boolean {
    if (this.done || this.fault !== fault) return false;
    this.done = true;
    return true;
  }
}

function seatsByZone(body: Body): Map<string, string[]> {
  const { seatMap } = body as unknown as { seatMap: { sections: { rows: { seats: { id: string; zone: string }[] }[] }[] } };
  const zones = new Map<string, string[]>();
  for (const seat of seatMap.sections.flatMap(({ rows }) => rows).flatMap(({ seats }) => seats)) {
    zones.set(seat.zone, [...(zones.get(seat.zone) ?? []), seat.id]);
  }
  return zones;
}

function send(response: ServerResponse, { status, body, bytes, retryAfter }: Reply & { bytes?: string }): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...(retryAfter !== undefined && { 'retry-after': String(retryAfter) }) });
  response.end(bytes ?? JSON.stringify(body));
}
