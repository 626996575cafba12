// Crashes: api, worker, Postgres and Redis are killed while buyers buy; afterwards the books agree with what buyers were told.
// With FAULTS=short only as much as CI has time for: one api and Postgres, once each.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shop } from '../buyer.js';
import { Crowd } from './crowd.js';
import { Installation } from './installation.js';

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
  const between = (least: number, most: number) => pause(least + Math.random() * (most - least));

  const faults: Record<string, () => Promise<unknown>> = {
    api: () => evently.apis[0].restart(),
    worker: () => evently.worker.restart(),
    Postgres: () => evently.postgres.kill().then(() => evently.postgres.start()),
    Redis: () => evently.redis.kill().then(() => evently.redis.start()),
  };

  const survive = async (names: string[]) => {
    const crowd = (await onSale()).start(BUYERS);
    for (const name of names) {
      await between(500, 2500);
      await faults[name]();
    }
    await pause(1000);
    await crowd.stop();
    console.log(names.join(', '), JSON.stringify(crowd.count));
    expect(crowd.count.booked).toBeGreaterThan(20);
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
  };

  it.runIf(short)('an api and Postgres, killed in the middle of a sale, lose nothing', () => survive(['api', 'Postgres']));

  for (const name of Object.keys(faults))
    it.skipIf(short)(`${name}, killed again and again in the middle of a sale, loses nothing`, () =>
      survive(Array.from({ length: ROUNDS }, () => name)),
    );

  it.skipIf(short)('nothing is lost whichever is killed next', () =>
    survive(Array.from({ length: 8 }, () => Object.keys(faults)[Math.floor(Math.random() * 4)])),
  );

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
