// The inventory as plain TypeScript says it: one event store of maps, one rule after another, no SQL. What the batch functions are held against.
import type { ConfirmVerdict, HoldRequest, HoldVerdict, ReleaseVerdict } from '../libs/booking/inventory.rules.js';

export interface ModelPool {
  capacity: number;
  held: number;
  sold: number;
  reserved: number;
  waiting: number;
}

export interface ModelBooking {
  request: HoldRequest;
  status: 'PENDING' | 'CONFIRMED' | 'CANCELLED';
  reason: string | null;
  /** Milliseconds; null once it is no hold any more. */
  expiresAt: number | null;
  paying: boolean;
  version: number;
  tickets: number;
}

export interface ModelEvent {
  revision: number;
  onSale: boolean;
  endsAt: number;
}

interface Kept {
  hash: string;
  code: string | null;
  bookingId: string | null;
  at: number;
}

const DAY_MS = 86_400_000;
const KEPT = ['held', 'sold_out', 'seat_taken', 'not_on_sale', 'limit_exceeded'];

export class InventoryModel {
  now = 0;
  readonly events = new Map<string, ModelEvent>();
  readonly pools = new Map<string, ModelPool>();
  /** Of a seated type: seat id -> whose it is. */
  readonly seats = new Map<string, { typeId: string; eventId: string; bookingId: string | null }>();
  readonly bookings = new Map<string, ModelBooking>();
  readonly promoUse = new Map<string, number>();
  readonly personUse = new Map<string, number>();
  readonly keys = new Map<string, Kept>();

  /** Verdicts of one batch, in arrival order. */
  hold(batch: readonly HoldRequest[]): HoldVerdict['said'][] {
    const locked = new Set(batch.flatMap((r) => r.lines.map((l) => l.poolId)));
    const swept = new Set<string>();
    // Keys are looked up before the first is decided; the spec sends no key twice in one batch.
    return batch.map((r) => {
      const said = this.known(r) ?? this.stock(r, locked, swept) ?? this.promo(r) ?? 'held';
      if (said === 'held') this.take(r);
      const key = keyOf(r);
      if (KEPT.includes(said) && !(r.open && said === 'seat_taken')) {
        const made = said === 'held';
        this.keys.set(key, {
          hash: r.claim.bodyHash.toString('hex'),
          code: made ? null : said,
          bookingId: made ? r.bookingId : null,
          at: this.now,
        });
      }
      return said;
    });
  }

  /** A key decided in the last day, an event off sale, or one that changed since. */
  private known(r: HoldRequest): HoldVerdict['said'] | null {
    const kept = this.keys.get(keyOf(r));
    if (kept && kept.at > this.now - DAY_MS) return kept.hash === r.claim.bodyHash.toString('hex') ? 'replay' : 'reused';
    const event = this.events.get(r.eventId);
    if (!event?.onSale || event.endsAt <= this.now) return 'not_on_sale';
    return event.revision === r.revision ? null : 'stale';
  }

  /** Lines in order: window, seats, units (what earlier lines take counts), then what a person may have. */
  private stock(r: HoldRequest, locked: Set<string>, swept: Set<string>): HoldVerdict['said'] | null {
    for (const [i, line] of r.lines.entries()) {
      if (!this.pools.has(line.poolId)) return 'skipped';
      if (line.salesStartAt && this.now < line.salesStartAt.getTime()) return 'not_on_sale';
      if (line.salesEndAt && this.now >= line.salesEndAt.getTime()) return 'not_on_sale';
      const wanted = sum(r.lines.slice(0, i + 1).filter((l) => l.poolId === line.poolId).map((l) => l.quantity)); // prettier-ignore
      const known = (line.seatIds ?? []).filter(
        (s) => this.seats.get(s)?.typeId === line.ticketTypeId && this.seats.get(s)?.eventId === r.eventId,
      );
      const enough = () =>
        this.free(line.poolId) >= wanted &&
        known.every((s) => this.seats.get(s)!.bookingId === null) &&
        known.length === (line.seatIds?.length ?? 0);
      if (!enough() && !swept.has(line.poolId)) {
        swept.add(line.poolId);
        this.lapse(r.eventId, locked);
      }
      if (line.seatIds && known.length < line.quantity) return 'seat_unknown';
      if (known.some((s) => this.seats.get(s)!.bookingId !== null)) return 'seat_taken';
      if (this.free(line.poolId) < wanted) return 'sold_out';
      if (line.maxPerPerson !== null && this.used(line.ticketTypeId, r.person) + line.quantity > line.maxPerPerson)
        return 'limit_exceeded';
    }
    return null;
  }

  private promo(r: HoldRequest): HoldVerdict['said'] | null {
    if (!r.promo) return null;
    if (r.promo.maxUses !== null && (this.promoUse.get(r.promo.id) ?? 0) >= r.promo.maxUses) return 'limit_exceeded';
    if (r.promo.maxPerPerson !== null && this.used(r.promo.id, r.person) >= r.promo.maxPerPerson) return 'limit_exceeded';
    return null;
  }

  private take(r: HoldRequest): void {
    this.bookings.set(r.bookingId, {
      request: r, status: 'PENDING', reason: null, expiresAt: this.now + r.holdSeconds * 1000, paying: false, version: 1, tickets: 0,
    }); // prettier-ignore
    this.move(r, 'held', 1);
    this.count(r, 1);
    this.seat(r, r.bookingId);
  }

  /** Holds of an event that have ended and nobody pays for, where all their pools are at hand. */
  private lapse(eventId: string, locked: Set<string>): void {
    for (const b of this.bookings.values()) {
      const over = b.status === 'PENDING' && !b.paying && b.expiresAt! <= this.now;
      if (over && b.request.eventId === eventId && b.request.lines.every((l) => locked.has(l.poolId))) this.end(b, 'expired');
    }
  }

  private end(b: ModelBooking, reason: string): void {
    this.move(b.request, b.status === 'PENDING' ? 'held' : 'sold', -1);
    for (const l of b.request.lines) {
      const pool = this.pools.get(l.poolId)!;
      if (pool.waiting > 0) pool.reserved += l.quantity;
    }
    this.count(b.request, -1);
    this.seat(b.request, null);
    Object.assign(b, { status: 'CANCELLED', reason, expiresAt: null, paying: false, version: b.version + 1, tickets: 0 });
  }

  confirm(batch: readonly { bookingId: string; version: number; late: boolean }[]): ConfirmVerdict['said'][] {
    return batch.map((r) => {
      const b = this.bookings.get(r.bookingId);
      if (!b) return 'not_found';
      if (b.status === 'CONFIRMED') return 'already';
      if (b.version !== r.version) return 'stale';
      const alive = b.status === 'PENDING' && (b.paying || b.expiresAt! > this.now);
      if (!alive && !r.late) return b.status === 'PENDING' || b.reason === 'expired' ? 'hold_expired' : 'bad_transition';
      if (b.status === 'CANCELLED') {
        if (b.reason !== 'expired' && b.reason !== 'payment') return 'bad_transition';
        if (!this.fits(b)) return 'sold_out';
        this.count(b.request, 1);
      } else this.move(b.request, 'held', -1);
      this.move(b.request, 'sold', 1);
      this.seat(b.request, b.request.bookingId);
      const tickets = sum(b.request.lines.map((l) => l.quantity));
      Object.assign(b, { status: 'CONFIRMED', reason: null, expiresAt: null, paying: false, version: b.version + 1, tickets });
      return 'confirmed';
    });
  }

  /** Whether what a booking had is there again, and its event still on sale. */
  private fits({ request }: ModelBooking): boolean {
    const units = new Map<string, number>();
    for (const l of request.lines) units.set(l.poolId, (units.get(l.poolId) ?? 0) + l.quantity);
    const seats = request.lines.flatMap((l) => l.seatIds ?? []);
    const free =
      [...units].every(([pool, n]) => this.free(pool) >= n) && seats.every((s) => this.seats.get(s)!.bookingId === null);
    return free && this.events.get(request.eventId)!.onSale;
  }

  release(batch: readonly { bookingId: string; version: number | null; reason: string }[]): ReleaseVerdict['said'][] {
    return batch.map((r) => {
      const b = this.bookings.get(r.bookingId);
      if (!b) return 'not_found';
      if (b.status === 'CANCELLED') return 'already';
      if (r.version === null && (b.status !== 'PENDING' || b.expiresAt! > this.now)) return 'alive';
      if (r.version !== null && b.version !== r.version) return 'stale';
      this.end(b, r.reason);
      return 'cancelled';
    });
  }

  free(poolId: string): number {
    const p = this.pools.get(poolId)!;
    return p.capacity - p.held - p.sold - p.reserved;
  }

  private used = (subject: string, person: Buffer | null) =>
    person ? (this.personUse.get(`${subject} ${person.toString('hex')}`) ?? 0) : 0;

  private move(r: HoldRequest, counter: 'held' | 'sold', sign: 1 | -1): void {
    for (const l of r.lines) this.pools.get(l.poolId)![counter] += sign * l.quantity;
  }

  private seat(r: HoldRequest, owner: string | null): void {
    for (const s of r.lines.flatMap((l) => l.seatIds ?? [])) this.seats.get(s)!.bookingId = owner;
  }

  /** Uses of the promo code, and of everything the person is counted for. */
  private count(r: HoldRequest, sign: 1 | -1): void {
    const add = (map: Map<string, number>, key: string, n: number) => map.set(key, (map.get(key) ?? 0) + sign * n);
    if (r.promo) add(this.promoUse, r.promo.id, 1);
    if (!r.person) return;
    const person = r.person.toString('hex');
    for (const l of r.lines) add(this.personUse, `${l.ticketTypeId} ${person}`, l.quantity);
    if (r.promo) add(this.personUse, `${r.promo.id} ${person}`, 1);
  }
}

const keyOf = (r: HoldRequest) => `${r.orgId} ${r.claim.scope.toString('hex')} ${r.claim.key}`;
const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
