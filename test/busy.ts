// A busy house for specs: one of everything that changes a row, through the public API, by people, programs and guests.
import { AuthPort } from '../libs/auth/auth.port.js';
import { PlatformConfig } from '../libs/platform/config/platform.config.js';
import { book, cancel, confirm, expectStatus, one, unique, type BookingBody, type Shop } from './buyer.js';
import { aSeatMap } from './catalog.stage.js';
import { until, type Harness } from './harness.js';

const CARD = {
  pays: '4242424242424242',
  declines: '4000000000000002',
  late: '4000000000000341',
  doubled: '4000000000000119',
  disordered: '4000000000000259',
};
const password = 'correct horse battery';
const pay = (card: string) => ({ paymentMethod: { provider: 'test', card } });

interface Made {
  id: string;
  version: number;
}

/** Somebody who calls within one organization. */
interface Owner {
  token: string;
  orgId: string;
}

export class BusyHouse {
  private constructor(
    private readonly evently: Harness,
    readonly owner: Owner,
  ) {}

  /** Lives through a day of one organization. Needs a worker, since money and mail go through it. */
  static async live(evently: Harness): Promise<BusyHouse> {
    for (const app of [evently.api, evently.worker]) app!.get(PlatformConfig).publicUrl = evently.url;
    const email = `${unique('olivia')}@example.org`;
    const token = await new BusyHouse(evently, { token: '', orgId: '' }).account(email);
    const org = await evently.call<Made>('POST', '/v1/organizations', { name: 'Hall', slug: unique('busy') }, { token });
    const house = new BusyHouse(evently, { token, orgId: expectStatus(org, 201).id });
    await house.people(email);
    const shop = await house.sale();
    await house.bookings(shop);
    await house.seats();
    await house.cancelledEvent();
    await house.settle();
    return house;
  }

  private async call<T = Made>(
    status: number,
    method: string,
    path: string,
    body?: unknown,
    o: { token?: string; ifMatch?: number } = {},
  ): Promise<T> {
    return expectStatus(await this.evently.call<T>(method, path, body, { token: this.owner.token, ...o }), status);
  }

  private make<T = Made>(path: string, body: unknown): Promise<T> {
    return this.call<T>(201, 'POST', `/v1/organizations/${this.owner.orgId}${path}`, body);
  }

  private patch(path: string, body: unknown, version = 1): Promise<Made> {
    return this.call(200, 'PATCH', `/v1/organizations/${this.owner.orgId}${path}`, body, { ifMatch: version });
  }

  private remove(path: string): Promise<unknown> {
    return this.call(204, 'DELETE', `/v1/organizations/${this.owner.orgId}${path}`);
  }

  private async account(email: string): Promise<string> {
    await this.call(201, 'POST', '/v1/auth/register', { email, password, name: 'Somebody' });
    return (await this.call<{ accessToken: string }>(200, 'POST', '/v1/auth/login', { email, password })).accessToken;
  }

  /** Accounts, sessions, members, invitations, keys. */
  private async people(email: string): Promise<void> {
    const auth = this.evently.api.get(AuthPort);
    const me = await this.call<Made>(200, 'GET', '/v1/me');
    await this.call(
      200,
      'PATCH',
      '/v1/me',
      { name: 'Olivia', timeZone: 'Asia/Tokyo', quietHours: { from: '22:00', to: '07:00' } },
      { ifMatch: me.version },
    );
    const verify = await auth.mailedToken('email-verification', me.id);
    if (verify) await this.call(204, 'POST', '/v1/auth/verify-email', { token: verify.token });
    await this.evently.call('POST', '/v1/auth/password-reset', { email });
    const other = await this.call<{ refreshToken: string }>(200, 'POST', '/v1/auth/login', { email, password });
    await this.call(204, 'POST', '/v1/auth/logout', { refreshToken: other.refreshToken });
    await this.call(204, 'POST', '/v1/me/password', { currentPassword: password, newPassword: `${password}!` });
    await this.call(200, 'PATCH', `/v1/organizations/${this.owner.orgId}`, { name: 'The hall' }, { ifMatch: 1 });
    for (const role of ['manager', 'staff', 'staff']) {
      const guest = `${unique(role)}@example.org`;
      const invited = await this.make('/invitations', { email: guest, role });
      const token = await this.account(guest);
      const { token: mailed } = (await auth.mailedToken('invitation', invited.id))!;
      await this.call(200, 'POST', '/v1/invitations/accept', { token: mailed }, { token });
    }
    const gone = await this.make('/invitations', { email: 'late@example.org', role: 'staff' });
    await this.remove(`/invitations/${gone.id}`);
    const { items } = await this.call<{ items: { accountId: string; role: string; version: number }[] }>(
      200,
      'GET',
      `/v1/organizations/${this.owner.orgId}/members`,
    );
    const [first, second] = items.filter((m) => m.role === 'staff');
    await this.patch(`/members/${first.accountId}`, { role: 'manager' }, first.version);
    await this.remove(`/members/${second.accountId}`);
    await this.make('/api-keys', {
      name: 'Box office',
      scopes: ['events:read', 'bookings:write'],
      expiresAt: '2030-01-01T00:00:00Z',
    });
    const key = await this.make('/api-keys', { name: 'Old', scopes: ['*'] });
    await this.remove(`/api-keys/${key.id}`);
  }

  /** An event with a shared pool, a limited type, promo codes and checkout fields, all of them changed once. */
  private async sale(): Promise<Shop> {
    const event = await this.event({ cancelPolicy: { untilHours: 24, feePercent: 10, feeAmount: 50 } });
    const at = `/events/${event.id}`;
    const pool = await this.make(`${at}/pools`, { name: 'Floor', capacity: 60 });
    await this.patch(`${at}/pools/${pool.id}`, { capacity: 80 });
    const type = (name: string, amount: number, more: object) =>
      this.make(`${at}/ticket-types`, { name, price: { amount, currency: 'EUR' }, ...more });
    const adult = await type('Adult', 2500, { poolId: pool.id });
    const child = await type('Child', 1000, { poolId: pool.id, maxPerPerson: 4 });
    const free = await type('Free', 0, { capacity: 30, maxPerPerson: 6, salesEndAt: '2029-01-01T00:00:00Z' });
    await this.patch(`${at}/ticket-types/${free.id}`, { capacity: 40, maxPerBooking: 8, accessCode: null });
    const choice = await this.make(`${at}/fields`, {
      label: 'Menu',
      kind: 'choice',
      required: false,
      choices: ['meat', 'fisch "frisch"', 'ünïcode\n'],
      per: 'booking',
    });
    await this.patch(`${at}/fields/${choice.id}`, { label: 'Dinner' });
    const field = await this.make(`${at}/fields`, { label: 'Why?', kind: 'text', required: false, per: 'booking' });
    await this.remove(`${at}/fields/${field.id}`);
    await this.make(`${at}/promo-codes`, { code: 'TEN', percent: 10, maxUses: 20, maxPerPerson: 3 });
    const promo = await this.make(`${at}/promo-codes`, { code: 'FIVER', amount: 500 });
    await this.patch(`${at}/promo-codes/${promo.id}`, { maxUses: 5 });
    const old = await this.make(`${at}/promo-codes`, { code: 'OLD', percent: 12.5 });
    await this.remove(`${at}/promo-codes/${old.id}`);
    await this.call(200, 'POST', `/v1/organizations/${this.owner.orgId}${at}/publish`, {});
    await this.patch(at, { title: 'Concert, moved', timeZone: 'America/New_York' }, 2);
    await this.call(201, 'POST', `/v1/organizations/${this.owner.orgId}${at}/duplicate`, { shiftDays: 30 });
    return { ...this.owner, eventId: event.id, currency: 'EUR', typeIds: [adult.id, child.id, free.id] };
  }

  private event(more: object = {}): Promise<Made> {
    const times = { startsAt: '2028-06-01T18:00:00Z', endsAt: '2028-06-01T21:00:00Z', timeZone: 'Europe/Berlin' };
    return this.make('/events', { title: 'Concert', description: 'Long.', currency: 'EUR', ...times, ...more });
  }

  private async hold(s: Shop, items: unknown, more: Record<string, unknown> = {}): Promise<BookingBody> {
    return expectStatus(await book(this.evently, s, items, more), 201);
  }

  /** Holds, payments of every kind, refunds, transfers, partial cancels, expiry. */
  private async bookings(s: Shop): Promise<void> {
    const { evently } = this;
    const crowd = await Promise.all(
      Array.from({ length: 24 }, (_, i) => this.hold(s, [...one(s, 1, i % 3), ...one(s, 2, (i + 1) % 3)])),
    );
    await Promise.all(
      crowd.slice(0, 16).map((b, i) => confirm(evently, b, pay([CARD.pays, CARD.doubled, CARD.disordered][i % 3]))),
    );
    await Promise.all(crowd.slice(16, 20).map((b) => cancel(evently, b)));
    const same = { contact: { email: 'same@example.org', name: 'Same' }, promoCode: 'TEN' };
    const promo = await this.hold(s, one(s, 2, 1), same);
    await this.hold(s, one(s, 2, 1), { ...same, promoCode: undefined });
    expectStatus(await book(evently, s, one(s, 1, 1), same), 409);
    expectStatus(await confirm(evently, promo, pay(CARD.pays)), 200);
    const fiver = await this.hold(s, [...one(s, 1, 0), ...one(s, 3, 2)], { promoCode: 'fiver' });
    expectStatus(await confirm(evently, fiver, pay(CARD.declines)), 402);
    const paid = expectStatus(await confirm(evently, fiver, pay(CARD.pays)), 200);
    const tickets = paid.tickets!.map((t) => t.id);
    expectStatus(await cancel(evently, fiver, { ticketIds: tickets.slice(0, 2) }), 200);
    await this.call(
      200,
      'POST',
      `/v1/tickets/${tickets[2]}/transfer`,
      { email: 'friend@example.org', name: 'Friend' },
      { token: fiver.accessToken },
    );
    await this.call(204, 'POST', `/v1/bookings/${fiver.id}/resend`, {}, { token: fiver.accessToken });
    const limited = expectStatus(
      await confirm(evently, await this.hold(s, one(s, 3, 2), { contact: { email: 'limited@example.org' } })),
      200,
    );
    expectStatus(
      await cancel(evently, { ...limited, accessToken: this.owner.token }, { ticketIds: [limited.tickets![0].id] }),
      200,
    );
    const late = await this.hold(s, one(s, 1, 0));
    expectStatus(await confirm(evently, late, pay(CARD.late)), 202);
    await until('the late webhook confirms', async () => (await this.statusOf(late)) === 'CONFIRMED', 30_000);
    const { token } = this.owner;
    const path = `/v1/events/${s.eventId}/bookings`;
    const mine = await evently.call<BookingBody>('POST', path, { items: one(s, 1, 2) }, { token, key: unique('mine') });
    expectStatus(await cancel(evently, { ...expectStatus(mine, 201), accessToken: token }), 200);
    const whole = await this.hold(s, one(s, 1, 0));
    expectStatus(await confirm(evently, whole, pay(CARD.pays)), 200);
    expectStatus(await cancel(evently, { ...whole, accessToken: this.owner.token }, { reason: 'rain' }), 200);
  }

  private async statusOf(b: BookingBody): Promise<string> {
    return (await this.call<BookingBody>(200, 'GET', `/v1/bookings/${b.id}`, undefined, { token: b.accessToken })).status;
  }

  /** A hall with numbered seats: chosen ones, best available ones, moved ones, some given back. */
  private async seats(): Promise<void> {
    const { evently } = this;
    const venue = await this.make('/venues', {
      name: 'Opera',
      address: 'Here 1',
      timeZone: 'Europe/Berlin',
      location: { lat: 52.5, lon: 13.4 },
      seatMap: aSeatMap(150),
    });
    await this.patch(`/venues/${venue.id}`, { name: 'The opera' });
    await this.call(200, 'PUT', `/v1/organizations/${this.owner.orgId}/venues/${venue.id}/seat-map`, aSeatMap(200), {
      ifMatch: 2,
    });
    const event = await this.event({ venueId: venue.id, holdSeconds: 60 });
    const at = `/events/${event.id}`;
    const front = await this.make(`${at}/ticket-types`, {
      name: 'Front',
      price: { amount: 5000, currency: 'EUR' },
      zone: 'front',
    });
    const rear = await this.make(`${at}/ticket-types`, { name: 'Rear', price: { amount: 0, currency: 'EUR' }, zone: 'rear' });
    await this.call(200, 'POST', `/v1/organizations/${this.owner.orgId}${at}/publish`, {});
    const s: Shop = { ...this.owner, eventId: event.id, currency: 'EUR', typeIds: [front.id, rear.id] };
    const chosen = await this.hold(s, [
      { ticketTypeId: front.id, seatIds: ['R1-1', 'R1-2', 'R1-3'] },
      { ticketTypeId: rear.id, quantity: 2 },
    ]);
    const paid = expectStatus(await confirm(evently, chosen, pay(CARD.pays)), 200);
    await this.call(200, 'POST', `/v1/bookings/${chosen.id}/seats`, { from: ['R1-1', 'R1-2'], to: ['R1-2', 'R1-9'] }).catch(
      () => undefined,
    );
    await this.call(200, 'POST', `/v1/bookings/${chosen.id}/seats`, { from: ['R1-3'], to: ['R1-10'] });
    const back = paid.tickets!.find((t) => t.seatId?.startsWith('R1-1'))!;
    expectStatus(await cancel(evently, { ...chosen, accessToken: this.owner.token }, { ticketIds: [back.id] }), 200);
    const held = await Promise.all(Array.from({ length: 10 }, () => this.hold(s, one(s, 3, 1))));
    await Promise.all(held.slice(0, 5).map((b) => confirm(evently, b)));
    await evently.shiftClock(61);
    await until(
      'what was not confirmed is swept',
      async () => (await this.statusOf(held[9])) === 'CANCELLED' && (await this.pending(s)) === 0,
    );
  }

  private async pending(s: Shop): Promise<number> {
    const { rows } = await this.evently.sql.query(`SELECT 1 FROM booking.booking WHERE event_id = $1 AND status = 'PENDING'`, [
      s.eventId,
    ]);
    return rows.length;
  }

  /** An event that is called off with live bookings, paid ones among them. */
  private async cancelledEvent(): Promise<void> {
    const event = await this.event();
    const at = `/events/${event.id}`;
    const type = await this.make(`${at}/ticket-types`, { name: 'Any', price: { amount: 700, currency: 'EUR' }, capacity: 10 });
    await this.call(200, 'POST', `/v1/organizations/${this.owner.orgId}${at}/publish`, {});
    const s: Shop = { ...this.owner, eventId: event.id, currency: 'EUR', typeIds: [type.id] };
    const held = await Promise.all(Array.from({ length: 4 }, () => this.hold(s, one(s, 2))));
    expectStatus(await confirm(this.evently, held[0], pay(CARD.pays)), 200);
    expectStatus(await confirm(this.evently, held[1], pay(CARD.disordered)), 202);
    await this.call(200, 'POST', `/v1/organizations/${this.owner.orgId}${at}/cancel`, {});
    await until('all its bookings end', async () => {
      const { rows } = await this.evently.sql.query(`SELECT 1 FROM booking.booking WHERE event_id = $1 AND status <> 'CANCELLED'`, [event.id]);
      return rows.length === 0;
    }, 20_000); // prettier-ignore
  }

  /** Waits until jobs and consumers have nothing left to do. */
  async settle(): Promise<void> {
    await until(
      'jobs and payments come to rest',
      async () => {
        const { rows } = await this.evently.sql.query(
          `SELECT (SELECT count(*) FROM platform.job WHERE status IN ('queued', 'running') AND run_at < platform.now() + interval '1 hour')
             + (SELECT count(*) FROM payments.payment WHERE status IN ('created', 'processing'))
             + (SELECT count(*) FROM payments.refund WHERE status IN ('requested', 'processing')) AS open`,
        );
        return Number((rows as { open: string }[])[0].open) === 0;
      },
      60_000,
    );
  }
}
