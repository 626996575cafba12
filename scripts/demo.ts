// The demo organization that the first `npm start` loads, through the public API; later starts find it again and make a new on-sale
// when the last one is over. Prints lines of JSON, {label, value}, for the table at the end of the start.
import 'reflect-metadata';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiModule } from '../apps/api/api.module.js';
import { AuthPort } from '../libs/auth/auth.port.js';
import { makeDataSource } from '../libs/platform/db/data-source.js';
import { makeServer } from '../libs/platform/http/server.js';
import { hall } from './hall.js';

/** Public, and so refused in production, where start.mjs does not run this. */
const PASSWORD = 'evently-demo-password';
const SLUG = 'demo-hall';
const people = { owner: 'owner@demo.evently.test', manager: 'manager@demo.evently.test', staff: 'staff@demo.evently.test' };
const DAY_MS = 86_400_000;

interface Sale {
  eventId: string;
  ticketTypeId: string;
}

const tell = (label: string, value: string) => console.log(JSON.stringify({ label, value }));

/** The demo's next event with a free general ticket; null when there is none (any more). */
async function findSale(): Promise<Sale | null> {
  const source = await makeDataSource({ url: process.env.DATABASE_URL ?? '', poolSize: 1 }).initialize();
  try {
    const [sale] = (await source.query(
      `SELECT e.id AS "eventId", t.id AS "ticketTypeId" FROM auth.organization o
       JOIN catalog.event e ON e.org_id = o.org_id AND e.status = 'published' AND e.starts_at > now() + interval '1 day'
       JOIN catalog.ticket_type t ON t.org_id = e.org_id AND t.event_id = e.id AND t.price = 0 AND t.zone IS NULL AND t.access_code IS NULL
       WHERE o.slug = $1 ORDER BY e.starts_at LIMIT 1`,
      [SLUG],
    )) as Sale[];
    return sale ?? null;
  } finally {
    await source.destroy();
  }
}

class Client {
  constructor(
    private readonly url: string,
    private readonly token?: string,
  ) {}

  async post<T>(path: string, body: unknown, expected = [200, 201]): Promise<T> {
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (this.token) headers.authorization = `Bearer ${this.token}`;
    const reply = await fetch(this.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const text = await reply.text();
    if (!expected.includes(reply.status))
      throw new Error(`The demo could not be loaded: POST ${path} answered ${reply.status} ${text}`);
    return JSON.parse(text) as T;
  }

  async get<T>(path: string): Promise<T> {
    return (await (await fetch(this.url + path, { headers: { authorization: `Bearer ${this.token}` } })).json()) as T;
  }
}

/** Registers somebody, or finds them registered, and logs in. */
async function loggedIn(url: string, email: string, name: string): Promise<Client> {
  const anyone = new Client(url);
  await anyone.post('/v1/auth/register', { email, password: PASSWORD, name }, [201, 400, 409]);
  const { accessToken } = await anyone.post<{ accessToken: string }>('/v1/auth/login', { email, password: PASSWORD });
  return new Client(url, accessToken);
}

/** The organization with its three roles; found again when it is there. */
async function makeOrganization(app: NestFastifyApplication, url: string): Promise<{ owner: Client; orgId: string }> {
  const owner = await loggedIn(url, people.owner, 'Olivia Owner');
  const mine = await owner.get<{ items: { id: string; slug: string }[] }>('/v1/me/organizations');
  const known = mine.items.find((o) => o.slug === SLUG);
  if (known) return { owner, orgId: known.id };
  const { id: orgId } = await owner.post<{ id: string }>('/v1/organizations', { name: 'Demo Hall', slug: SLUG });
  for (const role of ['manager', 'staff'] as const) {
    const invited = await owner.post<{ id: string }>(`/v1/organizations/${orgId}/invitations`, { email: people[role], role });
    const mailed = await app.get(AuthPort).mailedToken('invitation', invited.id);
    const person = await loggedIn(url, people[role], role === 'manager' ? 'Max Manager' : 'Sam Staff');
    if (mailed) await person.post('/v1/invitations/accept', { token: mailed.token });
  }
  return { owner, orgId };
}

/** Two on-sales: a concert (free and paid general admission) and an evening with numbered seats. */
async function makeSale(owner: Client, orgId: string): Promise<Sale> {
  const at = (days: number, hours = 0) =>
    new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS + days * DAY_MS + (18 + hours) * 3_600_000).toISOString();
  const base = `/v1/organizations/${orgId}`;
  const venue = await owner.post<{ id: string }>(`${base}/venues`, {
    name: 'Demo Hall',
    address: 'Marktplatz 1, 10178 Berlin',
    timeZone: 'Europe/Berlin',
    seatMap: hall(1000),
  });
  const event = (title: string, days: number, more = {}) =>
    owner.post<{ id: string }>(`${base}/events`, {
      title, startsAt: at(days), endsAt: at(days, 3), timeZone: 'Europe/Berlin', currency: 'EUR', description: 'Made by npm start to try things on.', ...more,
    }); // prettier-ignore
  const concert = await event('Open Air on-sale', 30);
  const types = `${base}/events/${concert.id}/ticket-types`;
  const free = await owner.post<{ id: string }>(types, {
    name: 'Free entry',
    price: { amount: 0, currency: 'EUR' },
    capacity: 5000,
  });
  await owner.post(types, { name: 'Front of stage', price: { amount: 4900, currency: 'EUR' }, capacity: 300, maxPerBooking: 6 });
  await owner.post(`${base}/events/${concert.id}/publish`, {});
  const seated = await event('An evening with numbered seats', 45, { venueId: venue.id });
  const zones = hall(1000).zones;
  for (const [i, zone] of zones.entries()) {
    const price = { amount: Math.max(1900, 6900 - i * 1500), currency: 'EUR' };
    await owner.post(`${base}/events/${seated.id}/ticket-types`, { name: zone.name, price, zone: zone.id });
  }
  await owner.post(`${base}/events/${seated.id}/publish`, {});
  return { eventId: concert.id, ticketTypeId: free.id };
}

async function load(): Promise<Sale> {
  const app = await makeServer(ApiModule);
  try {
    await app.listen(0, '127.0.0.1');
    const { owner, orgId } = await makeOrganization(app, (await app.getUrl()).replace('[::1]', '127.0.0.1'));
    return await makeSale(owner, orgId);
  } finally {
    await app.close();
  }
}

try {
  const sale = (await findSale()) ?? (await load());
  const url = process.env.PUBLIC_URL ?? `http://127.0.0.1:${process.env.PORT ?? 3000}`;
  const body = JSON.stringify({
    items: [{ ticketTypeId: sale.ticketTypeId, quantity: 1 }],
    contact: { email: 'you@example.org' },
  });
  for (const [role, email] of Object.entries(people)) tell(role, `${email}  password: ${PASSWORD}`);
  tell(
    'book a ticket',
    `curl -sS ${url}/v1/events/${sale.eventId}/bookings -H 'Content-Type: application/json' -H "Idempotency-Key: $(date +%s%N)" -d '${body}'`,
  );
  process.exit(0);
} catch (e) {
  console.error((e as Error).message);
  process.exit(1);
}
