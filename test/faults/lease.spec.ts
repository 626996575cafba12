// A lease holder that is stopped: an api stands still in the middle of bookings for longer than its leases last, while another sells the same
// seats and places to the same buyers. What the first decides late is right, and it frees no lease but its own.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { hall } from '../../scripts/hall.js';
import { type BookingBody, expectStatus, inventory, organizer, shop, type Shop, unique } from '../buyer.js';
import { callAt, type Reply, until } from '../harness.js';
import { Crowd } from './crowd.js';
import { type App, Installation } from './installation.js';

const LEASES_END_MS = 20_000;
const STANDING = 5;
const FEW = 37;
const BUYERS = 12;

describe.runIf(process.platform === 'linux' && process.env.FAULTS !== 'short')('two apis', () => {
  let evently: Installation;
  let redis: Redis;
  beforeAll(async () => {
    // Who waits in the stopped api is decided late, and not refused for being late.
    evently = await Installation.start({ BOOKING_DEADLINE_MS: '60000' });
    redis = new Redis(evently.env.REDIS_URL!);
  });
  afterAll(async () => {
    redis?.disconnect();
    await evently?.stop();
  });

  const opera = async () => {
    const owner = await organizer(evently);
    const map = hall(60);
    const venue = { name: 'Opera', timeZone: 'Europe/Berlin', seatMap: map };
    const path = `/v1/organizations/${owner.orgId}/venues`;
    const { id } = expectStatus(await evently.call<{ id: string }>('POST', path, venue, { token: owner.token }), 201);
    const seats = map.sections.flatMap((s) => s.rows).flatMap((r) => r.seats);
    const { zone } = seats[0];
    // The balcony comes first: whoever wants it and a seat waits for the balcony, and keeps nobody from the seats meanwhile.
    const s = await shop(evently, [{ capacity: 5 }, { capacity: STANDING }, { zone }], { venueId: id, holdSeconds: 60 }, owner);
    const [balcony, standing, seated] = s.typeIds;
    return {
      s,
      balcony: { ticketTypeId: balcony, quantity: 1 },
      standing: { ticketTypeId: standing, quantity: 1 },
      seat: seats.filter((seat) => seat.zone === zone).map((seat) => ({ ticketTypeId: seated, seatIds: [seat.id] })),
    };
  };

  const book = (app: App, s: Shop, buyer: string, items: unknown[]): Promise<Reply<BookingBody>> =>
    callAt(app.url, 'POST', `/v1/events/${s.eventId}/bookings`, {
      body: { items, contact: { email: `${buyer}@example.org`, name: buyer } },
      key: unique('key'),
    });
  const confirm = async (app: App, bookings: BookingBody[], told: Crowd['told']) => {
    for (const { id, accessToken: token } of bookings) {
      expectStatus(await callAt(app.url, 'POST', `/v1/bookings/${id}/confirm`, { body: {}, token }), 200);
      told.set(id, { token, status: 'CONFIRMED' });
    }
  };
  const codes = async (replies: Promise<Reply<BookingBody>>[]) =>
    (await Promise.all(replies)).map((r) => r.body.code ?? r.body.status);
  const booked = async (replies: Promise<Reply<BookingBody>>[]) =>
    (await Promise.all(replies)).filter((r) => r.status === 201).map((r) => r.body);
  const leases = (s: Shop, names: string[]) =>
    redis.mget(names.map((name) => `evently:lock:${name.replace(':', `:${s.eventId}:`)}`));

  /** Keeps the stock of a ticket type from everyone, or of all of them, as a slow transaction would; returns how to let go. */
  const occupy = async (s: Shop, ...typeIds: string[]): Promise<() => Promise<void>> => {
    const client = await evently.sql.connect();
    await client.query('BEGIN');
    await client.query(
      `SELECT 1 FROM booking.inventory v JOIN catalog.ticket_type t ON t.org_id = v.org_id AND t.pool_id = v.pool_id
       WHERE t.org_id = $1 AND t.id = ANY ($2) ORDER BY v.pool_id FOR UPDATE OF v`,
      [s.orgId, typeIds],
    );
    let holding = true;
    const letGo = async () => {
      if (holding) await client.query('ROLLBACK');
      if (holding) client.release();
      holding = false;
    };
    onTestFinished(letGo);
    return letGo;
  };
  const waitingInPostgres = async () =>
    (await evently.sql.query(`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%hold_batch%'`))
      .rowCount;
  const waitingIn = async (app: App) =>
    Number(/^evently_lane_waiting(?:{.*})? (\d+)/m.exec(await (await fetch(`${app.url}/metrics`)).text())?.[1]);

  it('one of them stopped for longer than its leases last decides right when it goes on, and frees nobody else’s lease', async () => {
    const [stopped, other] = evently.apis;
    const hurried = { holdSeconds: 5, cancelPolicy: { untilHours: 0 } };
    const crowd = new Crowd(evently, await shop(evently, [{ capacity: 200 }], hurried)).start(BUYERS);
    onTestFinished(() => crowd.stop());
    const { s, balcony, standing, seat } = await opera();
    const named = new Crowd(evently, s);
    const buyer = (n: number) => `buyer-${n}`;

    // Buyers 0 and 1 are being decided, 2 to 7 want seats behind them, 8 to 13 places.
    let letGo = await occupy(s, standing.ticketTypeId, seat[0].ticketTypeId);
    const begun = [book(stopped, s, buyer(0), [seat[0]]), book(stopped, s, buyer(1), [standing])];
    await until('two are being decided', async () => (await waitingInPostgres()) === 2);
    const seats = [2, 3, 4, 5, 6, 7].map((n) => book(stopped, s, buyer(n), [seat[n]]));
    const places = [8, 9, 10, 11, 12, 13].map((n) => book(stopped, s, buyer(n), [standing]));
    await until('twelve wait', async () => (await waitingIn(stopped)) === seats.length + places.length);
    const held = Array.from({ length: 14 }, (_, n) => `buyer:${buyer(n)}@example.org`);
    const taken = [0, 2, 3, 4, 5, 6, 7].map((n) => `seat:${seat[n].seatIds[0]}`);
    expect(await leases(s, [...held, ...taken])).not.toContain(null);

    stopped.process!.kill('SIGSTOP');
    onTestFinished(() => void stopped.process!.kill('SIGCONT'));
    const { served } = crowd;
    await letGo();
    // While the leases last, they keep the same buyers and seats out.
    expect(await codes([book(other, s, buyer(2), [balcony]), book(other, s, 'somebody', [seat[3]])])).toEqual([
      'busy',
      'seat_taken',
    ]);
    await until(
      'its leases end',
      async () => (await leases(s, [...held, ...taken])).every((each) => each === null),
      LEASES_END_MS,
    );

    // The other sells three of the seats and all places left, partly to the very buyers who wait in the stopped one.
    const sold = [2, 3, 4].map((n) => book(other, s, buyer(n), [seat[n]]));
    const soldPlaces = [8, 9, 20, 21].map((n) => book(other, s, buyer(n), [standing]));
    expect(new Set(await codes([...sold, ...soldPlaces]))).toEqual(new Set(['PENDING']));
    await confirm(other, await booked([...sold, ...soldPlaces]), named.told);
    await crowd.untilServed(served + BUYERS);

    // And it is in the middle of bookings of the other three when the stopped one goes on.
    letGo = await occupy(s, balcony.ticketTypeId);
    const next = [5, 6, 7].map((n) => book(other, s, buyer(n), [balcony, seat[n]]));
    const names = [5, 6, 7].flatMap((n) => [held[n], `seat:${seat[n].seatIds[0]}`]);
    let tokens: (string | null)[] = [];
    await until('they hold their leases', async () => !(tokens = await leases(s, names)).includes(null));
    stopped.process!.kill('SIGCONT');

    expect(await codes(begun)).toEqual(['PENDING', 'PENDING']);
    expect(await codes(seats)).toEqual([...Array(3).fill('seat_taken'), ...Array(3).fill('PENDING')]);
    expect(new Set(await codes(places))).toEqual(new Set(['sold_out']));
    // Its releases reach Redis before what it asks for now.
    const after = book(stopped, s, buyer(30), [seat[8]]);
    expect(await codes([after])).toEqual(['PENDING']);
    expect(await leases(s, names)).toEqual(tokens);
    await letGo();
    expect(await codes(next)).toEqual(Array(3).fill('seat_taken'));

    await confirm(stopped, await booked([...begun, ...seats, after]), named.told);
    await crowd.untilServed(crowd.served + 2 * BUYERS);
    await crowd.stop();
    console.log(JSON.stringify({ ...crowd.count, ...crowd.post.count }));
    await crowd.rest();
    expect([...(await crowd.judge()), ...(await named.judge())]).toEqual([]);
  }, 180_000);

  it('together sell all of an event with few places, and no more', async () => {
    const s = await shop(evently, [{ capacity: FEW }]);
    const crowd = new Crowd(evently, s, { buyers: 600, most: 1, again: 0.2, confirm: 1, cancel: 0 }).start(100);
    await crowd.all();
    console.log(JSON.stringify({ ...crowd.count, ...crowd.post.count }));
    expect(crowd.count).toEqual({ booked: FEW, confirmed: FEW, cancelled: 0, refused: 600 - FEW });
    expect(await inventory(evently, s)).toMatchObject([{ capacity: FEW, held: 0, sold: FEW, reserved: 0 }]);
    expect(await crowd.judge()).toEqual([]);
  });
});
