// Volume's asks: what is measured, each a request about something drawn from all there is, the same draws at every run.
import { setTimeout as wait } from 'node:timers/promises';
import type { Ask, House } from './volume.house.js';
import {
  EVENTS_EACH, adaOwns, artistOf, bookingId, cityOf, eventId, genreOf, orgId, placeAt, startOf, ticketTypeId,
} from './volume.rows.js'; // prettier-ignore

/** Something to ask for, number i of those drawn. */
type Draw = (house: House, i: number) => Ask;

const drawn = (i: number, of: number) => (Math.imul(i + 1, 0x85ebca6b) >>> 0) % of;
const orgOf = (house: House, i: number) => drawn(i, house.organizations);
const eventOf = (i: number) => drawn(i * 31 + 7, EVENTS_EACH);

/** One of Ada's organizations. */
function hers(house: House, i: number): number {
  let o = orgOf(house, i);
  while (!adaOwns(o, house.organizations)) o = (o + 1) % house.organizations;
  return o;
}

/** A booking of the first event of one of hers, which has half of them. */
function herBooking(house: House, i: number): string {
  const each = Math.max(2, Math.floor(house.size.bookings / house.organizations));
  return bookingId(hers(house, i), drawn(i, Math.floor(each / 2)));
}

const desk = (house: House, i: number, query: string): Ask => {
  const o = hers(house, i);
  return { path: `/v1/organizations/${orgId(o)}/events/${eventId(o, 0)}/bookings${query}`, token: house.token };
};
const search = (query: Record<string, string>): Ask => ({ path: `/v1/events?limit=20&${new URLSearchParams(query).toString()}` });

export const READS: Record<string, Draw> = {
  event: (h, i) => ({ path: `/v1/events/${eventId(orgOf(h, i), eventOf(i))}` }),
  availability: (h, i) => ({ path: `/v1/events/${eventId(orgOf(h, i), eventOf(i))}/availability` }),
  'listing from a day on': (h, i) => search({ from: new Date(startOf(orgOf(h, i), eventOf(i))).toISOString() }),
  'search by artist': (h, i) => search({ q: artistOf(orgOf(h, i), eventOf(i)) }),
  'search by genre and city': (h, i) => search({ q: `${genreOf(orgOf(h, i), eventOf(i))} ${cityOf(orgOf(h, i))}` }),
  'search by genre': (h, i) => search({ q: genreOf(orgOf(h, i), eventOf(i)) }),
  'search for two genres, in vain': (h, i) =>
    search({ q: `${genreOf(orgOf(h, i), 1)} ${genreOf(orgOf(h, i), 1) === 'jazz' ? 'rock' : 'jazz'}` }),
  'search within 25 km': (h, i) => {
    const { lat, lon } = placeAt(orgOf(h, i));
    return search({ near: `${lat},${lon},25` });
  },
  'my bookings': (h) => ({ path: '/v1/me/bookings', token: h.token }),
  "an organizer's events": (h, i) => ({ path: `/v1/organizations/${orgId(hers(h, i))}/events`, token: h.token }),
  "an event's bookings": (h, i) => desk(h, i, ''),
  "search in an event's bookings": (h, i) => desk(h, i, `?q=uyer${drawn(i, 900)}`),
  'booking by id': (h, i) => ({ path: `/v1/bookings/${herBooking(h, i)}`, token: h.token }),
  'its history': (h, i) => ({ path: `/v1/bookings/${herBooking(h, i)}/history`, token: h.token }),
};

let serial = 0;

/** A guest books and confirms; how long each took, in milliseconds. */
export async function bookAndConfirm(house: House, i: number): Promise<{ hold: number; confirm: number }> {
  const o = orgOf(house, i);
  const key = `volume-${process.pid}-${++serial}`;
  const body = {
    items: [{ ticketTypeId: ticketTypeId(o, eventOf(i)), quantity: 1 }],
    contact: { email: `${key}@example.org`, name: 'Guest' },
  };
  const began = performance.now();
  const held = await house.must<{ id: string; accessToken: string }>(201, { method: 'POST', path: `/v1/events/${eventId(o, eventOf(i))}/bookings`, key, body }); // prettier-ignore
  const between = performance.now();
  await house.must(200, {
    method: 'POST',
    path: `/v1/bookings/${held.id}/confirm`,
    token: held.accessToken,
    key: `${key}-c`,
    body: {},
  });
  return { hold: between - began, confirm: performance.now() - between };
}

/** What takes seconds each is asked less often, so that the run comes to its end. */
const LONGEST_MS = 20_000;

/** How long `n` asks took each, in milliseconds, so many at a time; fewer where they take too long together. */
export async function times(n: number, atOnce: number, once: (i: number) => Promise<number>): Promise<number[]> {
  const taken: number[] = [];
  let next = 0;
  const end = performance.now() + LONGEST_MS;
  const lane = async () => {
    while (next < n && (next < atOnce || performance.now() < end)) taken.push(await once(next++));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  await wait(50); // What the server still has to do for these is not the next one's.
  return taken;
}
