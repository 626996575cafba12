// The world that fuzzed requests meet: two organizations with everything made, and the ids of all of it, by kind.
import type { Json, JsonObject } from '../libs/platform/http/openapi.rules.js';
import { book, confirm, one, organizer, shop, type BookingBody, type Shop } from './buyer.js';
import type { Harness } from './harness.js';

export class World {
  /** Ids by the path segment before them: `events`, `ticket-types`. */
  readonly ids = new Map<string, string[]>();

  constructor(
    readonly shop: Shop,
    /** Of the guest who holds the first of them. */
    readonly guest: Record<string, string>,
    readonly email: string,
  ) {}

  static async make(evently: Harness): Promise<World> {
    const owner = await organizer(evently);
    const it = await shop(evently, [{ capacity: 500 }, { amount: 2500, capacity: 50 }], {}, owner);
    const booking = (await book(evently, it, one(it))).body as BookingBody;
    const sold = (await book(evently, it, one(it))).body as BookingBody;
    const world = new World(it, { bookings: booking.accessToken, tickets: sold.accessToken }, owner.email);
    world.know('organizations', it.orgId);
    world.know('events', it.eventId);
    world.know('bookings', booking.id);
    for (const id of it.typeIds) world.know('ticket-types', id);
    const { body } = await confirm(evently, sold);
    for (const ticket of body.tickets ?? []) world.know('tickets', ticket.id);
    world.know('bookings', sold.id);
    const org = `/v1/organizations/${it.orgId}`;
    const event = `${org}/events/${it.eventId}`;
    await world.create(evently, `${org}/venues`, { name: 'Hall', timeZone: 'Europe/Berlin' });
    await world.create(evently, `${event}/pools`, { name: 'Pool', capacity: 10 });
    await world.create(evently, `${event}/promo-codes`, { code: 'TEN', percent: 10 });
    await world.create(evently, `${event}/fields`, { label: 'Meal', kind: 'text', required: false, per: 'booking' });
    await world.create(evently, `${org}/api-keys`, { name: 'Program', scopes: ['*'] });
    await world.create(evently, `${org}/invitations`, { email: 'bob@example.org', role: 'staff' });
    return world;
  }

  private async create(evently: Harness, path: string, body: unknown): Promise<void> {
    const reply = await evently.call<JsonObject>('POST', path, body, { token: this.shop.token });
    if (reply.status !== 201) throw new Error(`${path}: ${reply.status} ${reply.text.slice(0, 300)}`);
    this.know(path.slice(path.lastIndexOf('/') + 1), String(reply.body.id));
  }

  know(kind: string, id: string): void {
    const list = this.ids.get(kind) ?? [];
    if (list.length < 20) this.ids.set(kind, [...list, id]);
  }

  /** An address with this world's ids in its places; a part nobody knows an id for gets `otherwise`. */
  address(path: string, otherwise = '01890000-0000-7000-8000-000000000000'): string {
    const parts = path.split('/');
    return parts.map((part, i) => (part.startsWith('{') ? (this.idBefore(parts[i - 1]) ?? otherwise) : part)).join('/');
  }

  private idBefore(kind: string): string | undefined {
    return this.ids.get(kind)?.[0];
  }

  /** Good values for fields by their name. */
  readonly known = (name: string): readonly Json[] => {
    const ids = (kind: string) => this.ids.get(kind) ?? [];
    switch (name) {
      case 'timeZone':
        return ['Europe/Berlin', 'America/New_York', 'UTC'];
      case 'currency':
        return ['EUR'];
      case 'ticketTypeId':
        return ids('ticket-types');
      case 'poolId':
        return ids('pools');
      case 'venueId':
        return ids('venues');
      case 'fieldId':
        return ids('fields');
      case 'scopes':
        return ['events:read', '*'];
      case 'locale':
        return ['en', 'de-AT'];
      case 'near':
        return ['52.5,13.4,10'];
      case 'quantity':
        return [1, 2];
      default:
        return [];
    }
  };
}
