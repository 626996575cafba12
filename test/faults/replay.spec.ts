// The great rush: ten thousand buyers for a thousand places, a fifth of their requests sent again with the same key, everything killed
// in the middle of it. Each buyer is told once what he gets, and is told the same whenever he asks again. FAULT_SEED replays a run.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shop } from '../buyer.js';
import { until } from '../harness.js';
import { Crowd } from './crowd.js';
import { Installation, type Part, parts } from './installation.js';
import { dice } from './seed.js';

const BUYERS = 10_000;
const PLACES = 1000;
const CONNECTIONS = 300;
const AGAIN = 0.2;
/** Of the places: while so many are booked, more than there are because some come back, each part is killed once. */
const TROUBLED = 1.25;

describe.runIf(process.platform === 'linux' && process.env.FAULTS !== 'short')('the great rush', () => {
  let evently: Installation;
  beforeAll(async () => (evently = await Installation.start()));
  afterAll(() => evently?.stop());

  const draw = dice('rush');
  /** Each part once, in drawn order, each after a drawn number of bookings of its own share of them. */
  const share = (PLACES * TROUBLED) / parts.length;
  const plan = draw.shuffled(parts).map((part, i) => ({ part, booked: Math.round(share * (i + draw.between(0.05, 0.9))) }));
  /** And one of them again, when nearly everyone hears that all is sold. */
  const last = { part: draw.pick(parts), served: BUYERS * draw.between(0.4, 0.8) };

  it('gives every buyer one answer for each key, and a thousand of them a place, whatever is killed', async () => {
    const s = await shop(evently, [{ capacity: PLACES }], { holdSeconds: 10, cancelPolicy: { untilHours: 0 } });
    const crowd = new Crowd(evently, s, { buyers: BUYERS, most: 1, again: AGAIN });
    const kill = async (part: Part) => {
      console.log(`${part} is killed at`, JSON.stringify(crowd.count));
      await evently.crash(part);
      console.log(`${part} is back at`, JSON.stringify(crowd.count));
    };
    crowd.start(CONNECTIONS);
    for (const { part, booked } of plan) {
      await until(`${booked} are booked`, async () => crowd.count.booked >= booked, 60_000);
      await kill(part);
    }
    await crowd.untilServed(last.served);
    await kill(last.part);
    await crowd.all();
    console.log('all were served', JSON.stringify({ ...crowd.count, ...crowd.post.count }));
    await crowd.rest();
    expect(await crowd.judge()).toEqual([]);
    expect(crowd.served).toBe(BUYERS);
    // Otherwise nothing was tried.
    expect(crowd.count.booked).toBeGreaterThan(PLACES);
    expect(crowd.count.refused).toBeGreaterThan(PLACES);
    expect(crowd.post.count.replays).toBeGreaterThan(BUYERS * AGAIN * 0.5);
  });
});
