// Crashes: api, worker, Postgres and Redis are killed while buyers buy; afterwards the books agree with what buyers were told.
// When, and of whom the last test kills, is drawn by FAULT_SEED. With FAULTS=short only as much as CI has time for: one api and Postgres, once each.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shop } from '../buyer.js';
import { Crowd } from './crowd.js';
import { Installation, type Part, parts } from './installation.js';
import { dice } from './seed.js';

const short = process.env.FAULTS === 'short';
const ROUNDS = 3;
const BUYERS = 16;

describe.runIf(process.platform === 'linux')('crashes', () => {
  let evently: Installation;
  beforeAll(async () => (evently = await Installation.start()));
  afterAll(() => evently?.stop());

  const onSale = async () =>
    new Crowd(
      evently,
      await shop(evently, [{ capacity: 400 }, { capacity: 200, amount: 1500 }], {
        holdSeconds: 5,
        cancelPolicy: { untilHours: 0 },
      }),
    );
  /** Kills one after another, each after a drawn number of buyers, and looks at the books. */
  const survive = async (names: Part[]) => {
    const crowd = (await onSale()).start(BUYERS);
    const draw = dice(`crashes of ${names.join(', ')}`);
    for (const name of names) {
      await crowd.untilServed(crowd.served + draw.between(50, 600));
      await evently.crash(name);
    }
    await crowd.untilServed(crowd.served + 200);
    await crowd.stop();
    console.log(names.join(', '), JSON.stringify({ ...crowd.count, ...crowd.post.count }));
    expect(crowd.count.booked).toBeGreaterThan(20);
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  };

  it.runIf(short)('an api and Postgres, killed in the middle of a sale, lose nothing', () => survive(['api', 'Postgres']));

  for (const name of parts)
    it.skipIf(short)(`${name}, killed again and again in the middle of a sale, loses nothing`, () =>
      survive(Array.from({ length: ROUNDS }, () => name)),
    );

  it.skipIf(short)('nothing is lost whichever is killed next', () => {
    const draw = dice('whichever is next');
    return survive(Array.from({ length: 8 }, () => draw.pick(parts)));
  });

  it.skipIf(short)('the worker, away for longer than holds last, ends them when it is back', async () => {
    const crowd = (await onSale()).start(4);
    await pause(2000);
    await evently.worker.kill();
    await pause(8000);
    await crowd.stop();
    await evently.worker.start();
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  });
});
