// Volume's rows: whole organizations with events, stock, bookings, tickets and their history, the same at every run, as COPY reads them.
import { createHash } from 'node:crypto';

/** Events of one organization: so many in a small installation as in a large one, which has more organizations. */
export const EVENTS_EACH = 1000;
/** Of an organization's bookings, this share is for its first event; the others are spread over the rest. */
const HIT_SHARE = 0.5;
/** As many bookings Ada has over all, who is asked for hers. */
const ADAS = 60;
const ADA_OWNS = 20;
const PLACES = 1000;
const FREE_PLACES = 1000;
const T0 = Date.UTC(2026, 0, 1);
const OPENS = Date.UTC(2040, 0, 1);
const DAY_MS = 86_400_000;

export interface Size {
  events: number;
  bookings: number;
}

const enum Kind {
  event = 1,
  pool,
  type,
  venue,
  booking,
  ticket,
  account,
}

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
/** A number that looks random and is the same every time (Knuth's multiplicative hash). */
const mixed = (n: number) => Math.imul(n + 1, 0x9e3779b1) >>> 0;

/** The beginning of the n-th id of anything: made once, asked for millions of times. */
const beginnings: string[] = [];

function beginning(n: number): string {
  const ms = hex(T0 + n, 12);
  return `${ms.slice(0, 8)}-${ms.slice(8)}-7000-8`;
}

const uuid = (n: number, kind: number, tail: string, start = (beginnings[n] ??= beginning(n))) =>
  `${start}${hex(kind, 3)}-${tail}`;

export const tagOfOrg = (o: number) => hex(mixed(o), 8);
export const orgId = (o: number) => uuid(o, 0, `0000${tagOfOrg(o)}`, beginning(o));
const idIn = (o: number, kind: Kind, n: number, part = 0) => uuid(n, kind, `${hex(part, 4)}${tagOfOrg(o)}`);

export const eventId = (o: number, n: number) => idIn(o, Kind.event, n);
export const ticketTypeId = (o: number, n: number) => idIn(o, Kind.type, n);
export const bookingId = (o: number, n: number) => idIn(o, Kind.booking, n);

const GENRES = ['jazz', 'rock', 'opera', 'comedy', 'theatre', 'football', 'chess', 'ballet', 'techno', 'cabaret'];
export const genreOf = (o: number, n: number) => GENRES[mixed(o * EVENTS_EACH + n) % GENRES.length];
/** An artist plays ten times: the more events, the more artists. */
export const artistOf = (o: number, n: number) => `artist${Math.floor((o * EVENTS_EACH + n) / 10)}`;
const placeOf = (o: number) => mixed(o) % PLACES;
export const cityOf = (o: number) => `city${placeOf(o)}`;
export const placeAt = (o: number) => ({ lat: (placeOf(o) % 100) - 50, lon: Math.floor(placeOf(o) / 100) * 30 - 150 });
export const startOf = (o: number, n: number) => OPENS + (mixed(n * 7919 + o) % 730) * DAY_MS + (mixed(n) % 24) * 3_600_000;

/** Organizations that Ada owns, spread over all. */
export const adaOwns = (o: number, orgs: number) => o % Math.max(1, Math.floor(orgs / ADA_OWNS)) === 0;

const NULL = '\\N';
const at = (ms: number) => new Date(ms).toISOString();
const sha = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
/** As long as a ticket code's signature. */
const SIGNATURE = createHash('sha512').update('nobody').digest('base64url');
const FLOOR = sha('Floor');
const ENTRY = sha('Entry');
const MADE = at(T0);

/** Rows by table, ready for COPY ... FROM STDIN in its text format. */
export type Rows = Record<keyof typeof COLUMNS, string[]>;

/** The columns that are given, by table; the others have their defaults. */
export const COLUMNS = {
  'auth.organization': 'org_id, name, slug, created_at',
  'auth.organization_tag': 'tag, org_id',
  'auth.organization_slug': 'slug, org_id',
  'auth.member': 'org_id, account_id, role, joined_at',
  'catalog.venue': 'org_id, id, name, time_zone, latitude, longitude, created_at',
  'catalog.event':
    'org_id, id, title, venue_id, status, starts_at, ends_at, time_zone, currency, hold_seconds, cancel_until_hours, cancel_fee_hundredths, cancel_fee_amount, published_at, created_at',
  'catalog.event_revision': 'org_id, event_id, revision',
  'catalog.pool': 'org_id, id, event_id, name, capacity, shared, created_at',
  'catalog.ticket_type': 'org_id, id, event_id, pool_id, name, kind, price, position, created_at',
  'catalog.listing': 'org_id, event_id, starts_at, ends_at, latitude, longitude, words',
  'booking.event_sale': 'org_id, event_id, revision, on_sale, starts_at, ends_at, time_zone, currency',
  'booking.inventory': 'org_id, pool_id, event_id, capacity, held, sold',
  'booking.booking':
    'org_id, id, event_id, status, expires_at, currency, total, account_id, cancel_reason, contact_email, contact_name, created_at, confirmed_at, cancelled_at, version',
  'booking.item': 'org_id, booking_id, line, ticket_type_id, pool_id, quantity, unit_price, total',
  'booking.ticket': 'org_id, id, booking_id, event_id, line, ticket_type_id, status, code, holder_email, holder_name',
  'booking.account_booking': 'account_id, booking_id, org_id',
  'platform.event': 'org_id, stream, stream_version, type, shape, data, actor, request_id, occurred_at, recorded_at',
} as const;

export const noRows = (): Rows => Object.fromEntries(Object.keys(COLUMNS).map((t) => [t, []])) as unknown as Rows;

/** Puts everything of organization `o` of `orgs` into `rows`. Ada is the account that is asked for. */
export function organization(o: number, orgs: number, size: Size, ada: string, rows: Rows): void {
  new Writer(o, orgs, size, ada, rows).write();
}

class Writer {
  private readonly org: string;
  private readonly held = new Int32Array(EVENTS_EACH);
  private readonly sold = new Int32Array(EVENTS_EACH);

  constructor(
    private readonly o: number,
    private readonly orgs: number,
    private readonly size: Size,
    private readonly ada: string,
    private readonly rows: Rows,
  ) {
    this.org = orgId(o);
  }

  write(): void {
    const { o, org, orgs, size } = this;
    const first = Math.floor((o * size.bookings) / orgs);
    const bookings = Math.floor(((o + 1) * size.bookings) / orgs) - first;
    for (let b = 0; b < bookings; b++) this.booking(b, b < bookings * HIT_SHARE ? 0 : 1 + (b % (EVENTS_EACH - 1)), first + b);
    const venue = idIn(o, Kind.venue, 0);
    const { lat, lon } = placeAt(o);
    const slug = `org-${o}`;
    this.put('auth.organization', org, slug, slug, MADE);
    this.put('auth.organization_tag', tagOfOrg(o), org);
    this.put('auth.organization_slug', slug, org);
    this.happened(`organization:${org}`, 1, 'organization.created', {}, { 'auth.organization': [{ org_id: org, name: sha(slug), slug, created_at: MADE, version: 1 }] }); // prettier-ignore
    if (adaOwns(o, orgs)) {
      const member = { org_id: org, account_id: this.ada, role: 'owner', joined_at: MADE };
      this.put('auth.member', org, this.ada, 'owner', MADE);
      this.happened(`member:${this.ada}`, 1, 'member.joined', { accountId: this.ada }, { 'auth.member': [{ ...member, left_at: null, version: 1 }] }); // prettier-ignore
    }
    this.put('catalog.venue', org, venue, cityOf(o), 'UTC', lat, lon, MADE);
    this.happened(`venue:${venue}`, 1, 'venue.created', { venueId: venue }, { 'catalog.venue': [{ org_id: org, id: venue, name: sha(cityOf(o)), address: null, time_zone: 'UTC', latitude: lat, longitude: lon, seat_map_version: null, created_at: MADE, version: 1 }] }); // prettier-ignore
    for (let n = 0; n < EVENTS_EACH; n++) this.event(n, venue);
  }

  private event(n: number, venueId: string): void {
    const { o, org } = this;
    const id = eventId(o, n);
    const pool = idIn(o, Kind.pool, n);
    const type = ticketTypeId(o, n);
    const title = `${genreOf(o, n)} with ${artistOf(o, n)}`;
    const start = startOf(o, n);
    const [starts, ends] = [at(start), at(start + 10_800_000)];
    const capacity = FREE_PLACES + this.held[n] + this.sold[n];
    const { lat, lon } = placeAt(o);
    this.put('catalog.event', org, id, title, venueId, 'published', starts, ends, 'UTC', 'EUR', 600, 0, 0, 0, MADE, MADE);
    this.put('catalog.event_revision', org, id, 1);
    this.put('catalog.pool', org, pool, id, 'Floor', capacity, 'f', MADE);
    this.put('catalog.ticket_type', org, type, id, pool, 'Entry', 'general', 0, 0, MADE);
    this.put('catalog.listing', org, id, starts, ends, lat, lon, `${genreOf(o, n)}:1 with:2 ${artistOf(o, n)}:3 ${cityOf(o)}:4`);
    this.put('booking.event_sale', org, id, 1, 't', starts, ends, 'UTC', 'EUR');
    this.put('booking.inventory', org, pool, id, capacity, this.held[n], this.sold[n]);
    // One short domain event instead of the four that catalog would have written: they add up to the same rows.
    const made = { org_id: org };
    this.happened(`event:${id}`, 1, 'event.published', { eventId: id }, {
      'catalog.event': [{ ...made, id, title: sha(title), venue_id: venueId, status: 'published', starts_at: starts, ends_at: ends, time_zone: 'UTC', currency: 'EUR', hold_seconds: 600, cancel_until_hours: 0, cancel_fee_hundredths: 0, cancel_fee_amount: 0, published_at: MADE }],
      'catalog.pool': [{ ...made, id: pool, event_id: id, name: FLOOR, capacity, shared: false }],
      'catalog.ticket_type': [{ ...made, id: type, event_id: id, pool_id: pool, name: ENTRY, kind: 'general', price: 0, position: 0 }],
    }); // prettier-ignore
  }

  /** Booking b of the organization; most are confirmed, some ended, some are held still. */
  private booking(b: number, n: number, overall: number): void {
    const { o, org } = this;
    const luck = mixed(overall) % 100;
    const status = luck < 90 ? 'CONFIRMED' : luck < 98 ? 'CANCELLED' : 'PENDING';
    const [id, event, type, pool] = [bookingId(o, b), eventId(o, n), ticketTypeId(o, n), idIn(o, Kind.pool, n)];
    const quantity = 1 + (overall % 3);
    const email = `buyer${overall}@example.org`;
    const name = `Buyer ${overall}`;
    const account = this.accountOf(overall);
    const ends = at(OPENS);
    if (status === 'CONFIRMED') this.sold[n] += quantity;
    if (status === 'PENDING') this.held[n] += quantity;
    const ended = status === 'CANCELLED';
    const version = status === 'PENDING' ? 1 : 2;
    this.put('booking.booking', org, id, event, status, status === 'PENDING' ? ends : null, 'EUR', 0, account, ended ? 'expired' : null, email, name, MADE, status === 'CONFIRMED' ? MADE : null, ended ? MADE : null, version); // prettier-ignore
    this.put('booking.item', org, id, 1, type, pool, quantity, 0, 0);
    if (account) this.put('booking.account_booking', account, id, org);
    const row = { org_id: org, id, event_id: event, status: 'PENDING', expires_at: ends as string | null, extended: false, paying: false, currency: 'EUR', total: 0, refunded: 0, promo_id: null, account_id: account, person: null, cancel_reason: null as string | null, locale: 'en', created_at: MADE, confirmed_at: null as string | null, cancelled_at: null as string | null, version: 1 }; // prettier-ignore
    const item = { org_id: org, booking_id: id, line: 1, ticket_type_id: type, pool_id: pool, quantity, unit_price: 0, total: 0, seat_ids: null }; // prettier-ignore
    const of = { bookingId: id, eventId: event };
    this.happened(`booking:${id}`, 1, 'booking.held', of, { 'booking.booking': [row], 'booking.item': [item] });
    if (status === 'PENDING') return;
    const later = { ...row, status, expires_at: null, version: 2, ...(ended ? { cancel_reason: 'expired', cancelled_at: MADE } : { confirmed_at: MADE }) }; // prettier-ignore
    if (ended) {
      const data = { ...of, reason: 'expired', refund: 0 };
      return this.happened(`booking:${id}`, 2, 'booking.cancelled', data, { 'booking.booking': [later] });
    }
    const tickets = Array.from({ length: quantity }, (_, part) => {
      const ticket = { org_id: org, id: idIn(o, Kind.ticket, b, part), booking_id: id, event_id: event, line: 1, ticket_type_id: type, seat_id: null, status: 'valid', code_version: 1, code: code(id, part) }; // prettier-ignore
      this.put('booking.ticket', org, ticket.id, id, event, 1, type, 'valid', ticket.code, email, name);
      return ticket;
    });
    this.happened(`booking:${id}`, 2, 'booking.confirmed', of, { 'booking.booking': [later], 'booking.ticket': tickets });
  }

  /** Every second booking is an account's, which has five in all; Ada has her share. */
  private accountOf(overall: number): string | null {
    if (overall % Math.max(1, Math.floor(this.size.bookings / ADAS)) === 0) return this.ada;
    if (overall % 2 === 1) return null;
    const n = mixed(overall) % Math.ceil(this.size.bookings / 10);
    return uuid(n, Kind.account, '000000000000', beginning(n));
  }

  private happened(stream: string, version: number, type: string, of: object, rows: object): void {
    const data = JSON.stringify({ orgId: this.org, ...of, rows });
    this.put('platform.event', this.org, stream, version, type, 1, data, 'system:volume', 'volume', MADE, MADE);
  }

  private put(table: keyof Rows, ...values: (string | number | null)[]): void {
    this.rows[table].push(values.map((v) => v ?? NULL).join('\t'));
  }
}

/** Something of a ticket code's length and look, signed by nobody. */
const code = (id: string, part: number) =>
  `eyJhbGciOiJFZERTQSJ9.${Buffer.from(`${id}${part}${id}${part}`).toString('base64url')}.${SIGNATURE}`;
