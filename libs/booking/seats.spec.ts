// Numbered seats from outside: named and best available, many wanting the same, moved by the organizer, given back one by one.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import {
  book,
  cancel,
  confirm,
  expectStatus,
  inventory,
  organizer,
  shop,
  type BookingBody,
  type Shop,
} from '../../test/buyer.js';
import { Harness } from '../../test/harness.js';
import { hall } from '../../scripts/hall.js';

interface Seats {
  seats: { id: string; state: string; ticketTypeId: string; section: string; row: string; number: string }[];
}

describe('seats', () => {
  let evently: Harness;
  let owner: { token: string; orgId: string };
  let venueId: string;
  const map = hall(120);
  const zone = map.sections[0].rows[0].seats[0].zone;

  beforeAll(async () => {
    evently = await Harness.start(ApiModule);
    owner = await organizer(evently);
    const venue = { name: 'Opera', timeZone: 'Europe/Berlin', seatMap: map };
    const path = `/v1/organizations/${owner.orgId}/venues`;
    venueId = expectStatus(await evently.call<{ id: string }>('POST', path, venue, { token: owner.token }), 201).id;
  });
  afterAll(() => evently?.stop());

  const opera = (more: object[] = []) => shop(evently, [{ zone }, ...more], { venueId }, owner);
  const seatsOf = async (s: Shop) => expectStatus(await evently.call<Seats>('GET', `/v1/events/${s.eventId}/seats`), 200).seats;
  const named = (s: Shop, seatIds: string[]) => [{ ticketTypeId: s.typeIds[0], seatIds }];

  it('holds named seats, shows them held, then sold', async () => {
    const s = await opera();
    const [a, b] = (await seatsOf(s)).map((x) => x.id);
    const held = expectStatus(await book(evently, s, named(s, [a, b])), 201);
    expect(held.items[0]).toMatchObject({ quantity: 2, seatIds: [a, b] });
    const states = async () => Object.fromEntries((await seatsOf(s)).map((x) => [x.id, x.state]));
    expect(await states()).toMatchObject({ [a]: 'held', [b]: 'held' });
    const done = expectStatus(await confirm(evently, held), 200);
    expect(done.tickets?.map((t) => t.seatId)).toEqual([a, b]);
    expect(await states()).toMatchObject({ [a]: 'sold', [b]: 'sold' });
    expect((await book(evently, s, named(s, [b]))).body).toMatchObject({ code: 'seat_taken' });
    expect((await book(evently, s, named(s, ['no-such-seat']))).status).toBe(400);
  });

  it('says of named seats that they are taken, not that all is sold out, and takes over those of a hold that has ended', async () => {
    const s = await opera();
    const ids = (await seatsOf(s)).map((x) => x.id);
    expectStatus(await book(evently, s, named(s, ids)), 201);
    expect((await book(evently, s, named(s, ids.slice(0, 2)))).body).toMatchObject({ code: 'seat_taken' });
    await evently.shiftClock(601);
    expectStatus(await book(evently, s, named(s, ids.slice(0, 2))), 201);
  });

  it('gives each seat to one of many who want overlapping ones', async () => {
    const s = await opera();
    const ids = (await seatsOf(s)).map((x) => x.id).slice(0, 12);
    const wishes = Array.from({ length: 80 }, (_, i) => [ids[i % 12], ids[(i * 7 + 3) % 12], ids[(i * 5 + 1) % 12]]).map((w) => [
      ...new Set(w),
    ]);
    const replies = await Promise.all(wishes.map((w) => book(evently, s, named(s, w))));
    const won = replies.filter((r) => r.status === 201).flatMap((r) => r.body.items[0].seatIds ?? []);
    expect(new Set(won).size).toBe(won.length);
    expect(replies.filter((r) => r.status !== 201).every((r) => r.body.code === 'seat_taken')).toBe(true);
    expect((await inventory(evently, s))[0].held).toBe(won.length);
  });

  it('sells a zone out by best available seats, each once, though all ask at the same time', async () => {
    const s = await opera();
    const total = (await seatsOf(s)).length;
    const replies = await Promise.all(
      Array.from({ length: total + 20 }, () => book(evently, s, [{ ticketTypeId: s.typeIds[0], quantity: 1 }])),
    );
    const won = replies.filter((r) => r.status === 201).flatMap((r) => r.body.items[0].seatIds ?? []);
    expect(won).toHaveLength(total);
    expect(new Set(won).size).toBe(total);
    expect(new Set(replies.filter((r) => r.status !== 201).map((r) => r.body.code))).toEqual(new Set(['sold_out']));
  });

  it('answers a key the same after everything has changed: sold out since, or free since', async () => {
    const s = await opera();
    const all = [{ ticketTypeId: s.typeIds[0], quantity: (await seatsOf(s)).length }];
    const contact = { contact: { email: 'again@example.org' } };
    const won = await book(evently, s, all, contact, { key: 'won' });
    expect(won.status).toBe(201);
    const lost = await book(evently, s, all, contact, { key: 'lost' });
    expect(lost.body).toMatchObject({ code: 'sold_out' });
    expect((await book(evently, s, all, contact, { key: 'won' })).text).toBe(won.text);
    expectStatus(await cancel(evently, won.body), 200);
    const again = await book(evently, s, all, contact, { key: 'lost' });
    expect([again.status, again.text]).toEqual([409, lost.text]);
  });

  it('books general admission and seats together, or neither', async () => {
    const s = await opera([{ name: 'Parking', capacity: 1 }]);
    const [a] = (await seatsOf(s)).map((x) => x.id);
    const both = [{ ticketTypeId: s.typeIds[0], seatIds: [a] }, { ticketTypeId: s.typeIds[1], quantity: 2 }]; // prettier-ignore
    expect((await book(evently, s, both)).body).toMatchObject({ code: 'sold_out' });
    expect((await seatsOf(s)).find((x) => x.id === a)?.state).toBe('free');
    both[1].quantity = 1;
    expectStatus(await book(evently, s, both), 201);
  });

  it('gives back some tickets of a booking, and only their seats', async () => {
    const s = await opera();
    const ids = (await seatsOf(s)).map((x) => x.id).slice(0, 3);
    const done = expectStatus(await confirm(evently, expectStatus(await book(evently, s, named(s, ids)), 201)), 200);
    const token = { accessToken: await bearer(done, s) };
    const [first] = done.tickets!;
    const left = expectStatus(await cancel(evently, { ...done, ...token }, { ticketIds: [first.id] }), 200);
    expect(left.items[0]).toMatchObject({ quantity: 2, seatIds: ids.slice(1) });
    expect(left.tickets?.map((t) => t.status).sort()).toEqual(['valid', 'valid', 'void']);
    expect((await seatsOf(s)).find((x) => x.id === ids[0])?.state).toBe('free');
    expect((await inventory(evently, s))[0].sold).toBe(2);
  });

  it('moves a booking to other seats, also where two seats change places', async () => {
    const s = await opera();
    const ids = (await seatsOf(s)).map((x) => x.id).slice(0, 4);
    const held = expectStatus(await book(evently, s, named(s, ids.slice(0, 2))), 201);
    expectStatus(await confirm(evently, held), 200);
    const move = (from: string[], to: string[]) =>
      evently.call<BookingBody>('POST', `/v1/bookings/${held.id}/seats`, { from, to }, { token: s.token });
    const moved = expectStatus(await move(ids.slice(0, 2), ids.slice(2)), 200);
    expect(moved.tickets?.map((t) => t.seatId).sort()).toEqual(ids.slice(2).sort());
    expectStatus(await move([ids[2], ids[3]], [ids[3], ids[2]]), 200);
    expect((await move([ids[0]], [ids[1]])).status).toBe(400);
    const other = expectStatus(await book(evently, s, named(s, [ids[0]])), 201);
    expect(other.status).toBe('PENDING');
    expect((await move([ids[2]], [ids[0]])).body).toMatchObject({ code: 'seat_taken' });
  });

  /** The organizer may do with a booking what its guest may. */
  const bearer = async (_b: BookingBody, s: Shop) => s.token;
});
