// Stage: what an organizer sets up before doors open, over the public API as any newcomer would: account, organization, key, event.
import { randomBytes, randomUUID } from 'node:crypto';
import { describe, jsonOf, type Call, type Client, type Exchange } from './client.js';
import { ask, insist, Step, type Insistence } from './patience.js';
import { UsageError } from './options.js';

export interface Money {
  amount: number;
  currency: string;
}

/** Setting up was refused: the server answers, but not as the contract says. */
export class StageError extends UsageError {}

/** An organizer's hands: signed in, able to create organizations and to speak with their API keys. */
export class Organizer {
  private token = '';
  readonly run = randomBytes(4).toString('hex');

  constructor(
    readonly client: Client,
    readonly how: Insistence,
  ) {}

  async signUp(): Promise<void> {
    const email = `organizer-${this.run}@rehearsal.example`;
    const password = randomBytes(18).toString('base64url');
    await this.create('/v1/auth/register', { email, password, name: 'Rehearsal organizer' });
    const { accessToken } = await this.create<{ accessToken: string }>('/v1/auth/login', { email, password });
    this.token = accessToken;
  }

  /** A new organization and an API key for it: the key needs no refreshing however long the run takes. */
  async organization(name: string, slug: string): Promise<{ id: string; key: string }> {
    const { id } = await this.create<{ id: string }>('/v1/organizations', { name, slug: `${slug}-${this.run}` });
    const body = { name: 'rehearsal', scopes: ['*'] };
    const { key } = await this.create<{ key: string }>(`/v1/organizations/${id}/api-keys`, body);
    return { id, key };
  }

  /** POSTs and returns the resource; throws StageError unless it was made. */
  async create<T>(path: string, body: unknown, token = this.token): Promise<T> {
    const call: Call = { op: 'setup', method: 'POST', path, key: randomUUID(), body: JSON.stringify(body) };
    if (token) call.token = token;
    return resourceOf<T>(await insist(this.client, new Step(call), this.how));
  }

  async get<T>(op: Call['op'], path: string, token: string): Promise<T> {
    return resourceOf<T>(await ask(this.client, { op, method: 'GET', path, token }, this.how));
  }
}

function resourceOf<T>(exchange: Exchange): T {
  const resource = exchange.status >= 200 && exchange.status < 300 ? jsonOf<T>(exchange.body) : undefined;
  if (resource !== undefined) return resource;
  throw new StageError(
    `The stage could not be set: ${describe(exchange, exchange.sentAt)}\n` +
      'Is this an Evently of this version, and (for a remote one) do its rate limits allow this address (RATE_LIMIT_ALLOW)?',
  );
}

export interface SoldType {
  id: string;
  price: Money;
}

/** The event of a rush: its general admission types share one pool, each zone of the hall is a type of its own. */
export interface Scene {
  orgId: string;
  key: string;
  eventId: string;
  /** The pool of general admission; undefined where only seats are sold. */
  poolId?: string;
  capacity: number;
  general: SoldType[];
  zones: (SoldType & { seats: string[] })[];
}

const generalTypes = [
  { name: 'Standard', amount: 2_500 },
  { name: 'Supporter', amount: 4_000 },
  { name: 'Invited', amount: 0 },
];

export async function setScene(
  organizer: Organizer,
  wanted: { capacity: number; seats: number; holdSeconds: number },
): Promise<Scene> {
  const { id: orgId, key } = await organizer.organization('Rehearsal', 'rehearsal');
  const hall = hallOf(wanted.seats);
  const venue = wanted.seats > 0 ? { venueId: await makeVenue(organizer, orgId, key, hall) } : {};
  const startsAt = Date.now() + 30 * 86_400_000;
  const events = `/v1/organizations/${orgId}/events`;
  const event = await organizer.create<{ id: string }>(
    events,
    {
      title: `Rehearsal ${organizer.run}`,
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(startsAt + 3 * 3_600_000).toISOString(),
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
      holdSeconds: wanted.holdSeconds,
      ...venue,
    },
    key,
  );
  const scene: Scene = { orgId, key, eventId: event.id, capacity: wanted.capacity, general: [], zones: [] };
  const typePath = `${events}/${event.id}/ticket-types`;
  if (wanted.capacity > 0) {
    const pool = await organizer.create<{ id: string }>(
      `${events}/${event.id}/pools`,
      { name: 'Places', capacity: wanted.capacity },
      key,
    );
    scene.poolId = pool.id;
    for (const { name, amount } of generalTypes) {
      const price = { amount, currency: 'EUR' };
      const type = await organizer.create<{ id: string }>(typePath, { name, price, poolId: pool.id }, key);
      scene.general.push({ id: type.id, price });
    }
  }
  for (const zone of hall.filter(({ seats }) => seats.length > 0)) {
    const price = { amount: zone.amount, currency: 'EUR' };
    const type = await organizer.create<{ id: string }>(typePath, { name: zone.name, price, zone: zone.id }, key);
    scene.zones.push({ id: type.id, price, seats: zone.seats.map(({ id }) => id) });
  }
  await organizer.create(`${events}/${event.id}/publish`, {}, key);
  return scene;
}

interface Zone {
  id: string;
  name: string;
  amount: number;
  seats: { id: string; row: number; number: number }[];
}

const seatsPerRow = 20;

/** Rows of twenty; the front two fifths are the dearer zone, which is where a crowd collides. */
function hallOf(seats: number): Zone[] {
  const front: Zone = { id: 'front', name: 'Front', amount: 9_000, seats: [] };
  const back: Zone = { id: 'back', name: 'Back', amount: 6_000, seats: [] };
  for (let n = 0; n < seats; n++) {
    const row = Math.floor(n / seatsPerRow) + 1;
    const number = (n % seatsPerRow) + 1;
    (n < seats * 0.4 ? front : back).seats.push({ id: `R${row}-${number}`, row, number });
  }
  return [front, back];
}

async function makeVenue(organizer: Organizer, orgId: string, key: string, hall: Zone[]): Promise<string> {
  const rows = new Map<number, unknown[]>();
  for (const zone of hall) {
    for (const seat of zone.seats) {
      if (!rows.has(seat.row)) rows.set(seat.row, []);
      rows.get(seat.row)!.push({ id: seat.id, number: String(seat.number), x: seat.number, y: seat.row, zone: zone.id });
    }
  }
  const seatMap = {
    zones: hall.filter(({ seats }) => seats.length > 0).map(({ id, name }) => ({ id, name })),
    sections: [{ id: 'hall', name: 'Hall', rows: [...rows].map(([row, seats]) => ({ id: String(row), seats })) }],
  };
  const body = { name: `Hall ${organizer.run}`, timeZone: 'Europe/Berlin', seatMap };
  return (await organizer.create<{ id: string }>(`/v1/organizations/${orgId}/venues`, body, key)).id;
}
