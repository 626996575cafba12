// Trouble short of a crash: replies of Postgres that never arrive, a Postgres that stands still, an application whose clock goes wrong.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { book, confirm, expectStatus, one, shop, type BookingBody } from '../buyer.js';
import { until } from '../harness.js';
import { Crowd } from './crowd.js';
import { Installation } from './installation.js';

const BUYERS = 12;

describe.runIf(process.platform === 'linux' && process.env.FAULTS !== 'short')('trouble', () => {
  let evently: Installation;
  beforeAll(async () => (evently = await Installation.start()));
  afterAll(() => evently?.stop());

  const onSale = (capacity = 400) =>
    shop(evently, [{ capacity }, { capacity: 200, amount: 1500 }], { holdSeconds: 5, cancelPolicy: { untilHours: 0 } });

  it('a connection cut between commit and reply makes one effect, and the buyer hears of it', async () => {
    const cut = new Map<string, number>();
    const worth = ['hold-batch', 'confirm-batch', 'release-batch', 'COMMIT'];
    let seen = 0;
    const crowd = new Crowd(evently, await onSale());
    evently.proxy.onReply = (_reply, asked) => {
      const what = worth.find((w) => asked.includes(w));
      // The reply is there, so the commit is done.
      if (!what || ++seen % 7 !== 0) return 'pass';
      cut.set(what, (cut.get(what) ?? 0) + 1);
      return 'cut';
    };
    crowd.start(BUYERS);
    await until('every kind of reply was lost several times', async () => worth.every((w) => (cut.get(w) ?? 0) >= 3), 60_000);
    evently.proxy.onReply = undefined;
    await crowd.stop();
    console.log('cut', JSON.stringify(Object.fromEntries(cut)), JSON.stringify(crowd.count));
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  });

  it('a Postgres that stands still for five seconds loses nothing', async () => {
    const crowd = new Crowd(evently, await onSale()).start(BUYERS);
    await pause(1500);
    const before = crowd.count.booked;
    evently.signalPostgres('SIGSTOP');
    try {
      expect((await fetch(`${evently.apis[0].url}/livez`)).status).toBe(200);
      await pause(5000);
    } finally {
      evently.signalPostgres('SIGCONT');
    }
    await until('booking goes on', async () => crowd.count.booked > before + 20, 20_000);
    await crowd.stop();
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  });

  it('a Postgres that is cut off without a word, while another answers in its place, delays nobody for long', async () => {
    const crowd = new Crowd(evently, await onSale()).start(BUYERS);
    await pause(1500);
    evently.proxy.forsake();
    const before = crowd.count.booked;
    await until('booking goes on', async () => crowd.count.booked > before + 20, 40_000);
    await crowd.stop();
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  });

  it('an application whose clock is set back an hour decides nothing by it', async () => {
    const s = await onSale();
    const crowd = new Crowd(evently, s).start(4);
    await pause(1000);
    for (const app of [...evently.apis, evently.worker]) app.process!.kill('SIGUSR2');
    await pause(3000);
    // A hold made now ends when the database says, and no later.
    const held = expectStatus(await book(evently, s, one(s)), 201);
    crowd.told.set(held.id, { token: held.accessToken, status: 'CANCELLED' });
    const { rows } = await evently.sql.query<{ left: number }>(
      `SELECT extract(epoch FROM expires_at - platform.now())::float8 AS left FROM booking.booking WHERE id = $1`,
      [held.id],
    );
    expect(rows[0].left).toBeGreaterThan(3);
    expect(rows[0].left).toBeLessThanOrEqual(5);
    await until(
      'it ends within five seconds of its time',
      async () =>
        (await evently.call<BookingBody>('GET', `/v1/bookings/${held.id}`, undefined, { token: held.accessToken })).body
          .status === 'CANCELLED',
      10_500,
    );
    expect((await confirm(evently, held)).body.code).toBe('hold_expired');
    await crowd.stop();
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  });
});
