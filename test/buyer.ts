// Builders for specs: an organizer with an event on sale, and what buyers do, all through the public API.
import type { CallOptions, Harness, Reply } from './harness.js';

/** Anything that makes requests. */
type Caller = Pick<Harness, 'call'>;

export interface Shop {
  token: string;
  orgId: string;
  eventId: string;
  currency: string;
  typeIds: string[];
}

export interface BookingBody {
  id: string;
  status: string;
  expiresAt: string | null;
  total: { amount: number; currency: string };
  items: { ticketTypeId: string; quantity: number; seatIds?: string[] }[];
  tickets?: { id: string; code: string; status: string; seatId?: string }[];
  cancelReason?: string;
  accessToken: string;
  version: number;
  code?: string;
  payment?: { id: string; status: string };
}

let serial = 0;
/** Distinct text for names and keys of one process. */
export const unique = (word: string) => `${word}-${process.pid}-${++serial}`;

/** Fails with what the server said. */
export function expectStatus<T>(reply: Reply<T>, status: number): T {
  if (reply.status !== status) throw new Error(`Expected ${status}, got ${reply.status}: ${reply.text.slice(0, 500)}`);
  return reply.body;
}

/** Registers an organizer and an organization. */
export async function organizer(evently: Caller): Promise<{ token: string; orgId: string; email: string }> {
  const email = `${unique('ada')}@example.org`;
  const password = 'correct horse battery';
  expectStatus(await evently.call('POST', '/v1/auth/register', { email, password, name: 'Ada' }), 201);
  const { accessToken } = expectStatus(
    await evently.call<{ accessToken: string }>('POST', '/v1/auth/login', { email, password }),
    200,
  );
  const org = await evently.call<{ id: string }>(
    'POST',
    '/v1/organizations',
    { name: 'Hall', slug: unique('hall') },
    { token: accessToken },
  );
  return { token: accessToken, orgId: expectStatus(org, 201).id, email };
}

export interface TypeWish {
  name?: string;
  amount?: number;
  capacity?: number;
  zone?: string;
  poolId?: string;
  more?: Record<string, unknown>;
}

/** An event on sale with these ticket types. */
export async function shop(
  evently: Caller,
  types: TypeWish[],
  event: Record<string, unknown> = {},
  owner?: { token: string; orgId: string },
): Promise<Shop> {
  const { token, orgId } = owner ?? (await organizer(evently));
  const base = `/v1/organizations/${orgId}/events`;
  const body = {
    title: 'Concert',
    startsAt: '2027-06-01T18:00:00Z',
    endsAt: '2027-06-01T21:00:00Z',
    timeZone: 'Europe/Berlin',
    currency: 'EUR',
    ...event,
  };
  const made = expectStatus(await evently.call<{ id: string }>('POST', base, body, { token }), 201);
  const typeIds: string[] = [];
  for (const t of types) {
    const stock = t.zone ? { zone: t.zone } : t.poolId ? { poolId: t.poolId } : { capacity: t.capacity ?? 10 };
    const wish = { name: t.name ?? 'Standard', price: { amount: t.amount ?? 0, currency: body.currency }, ...stock, ...t.more };
    typeIds.push(
      expectStatus(await evently.call<{ id: string }>('POST', `${base}/${made.id}/ticket-types`, wish, { token }), 201).id,
    );
  }
  expectStatus(await evently.call('POST', `${base}/${made.id}/publish`, {}, { token }), 200);
  return { token, orgId, eventId: made.id, currency: body.currency, typeIds };
}

/** One guest's attempt to book. */
export function book(
  evently: Caller,
  s: Shop,
  items: unknown,
  more: Record<string, unknown> = {},
  { key = unique('key'), ...how }: CallOptions = {},
): Promise<Reply<BookingBody>> {
  const contact = { email: `${unique('guest')}@example.org`, name: 'Guest' };
  return evently.call<BookingBody>('POST', `/v1/events/${s.eventId}/bookings`, { items, contact, ...more }, { key, ...how });
}

export const one = (s: Shop, quantity = 1, type = 0) => [{ ticketTypeId: s.typeIds[type], quantity }];

export function confirm(evently: Caller, b: BookingBody, body: unknown = {}, key?: string): Promise<Reply<BookingBody>> {
  return evently.call<BookingBody>('POST', `/v1/bookings/${b.id}/confirm`, body, { token: b.accessToken, key });
}

export function cancel(evently: Caller, b: BookingBody, body: unknown = {}): Promise<Reply<BookingBody>> {
  return evently.call<BookingBody>('POST', `/v1/bookings/${b.id}/cancel`, body, { token: b.accessToken });
}

export async function inventory(
  evently: Caller,
  s: Shop,
): Promise<{ poolId: string; capacity: number; held: number; sold: number; reserved: number }[]> {
  const path = `/v1/organizations/${s.orgId}/events/${s.eventId}/inventory`;
  return expectStatus(
    await evently.call<{ poolId: string; capacity: number; held: number; sold: number; reserved: number }[]>(
      'GET',
      path,
      undefined,
      { token: s.token },
    ),
    200,
  );
}
