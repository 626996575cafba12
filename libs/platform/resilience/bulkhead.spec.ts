// The bulkhead: never more at once, in the order they came; who cannot be served is told before any work.
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Bulkhead } from './bulkhead.js';

/** Work that ends when told. */
function task() {
  let end: () => void;
  let fail: (e: Error) => void;
  const told = new Promise<void>((resolve, reject) => ([end, fail] = [resolve, reject]));
  let began = false;
  const work = () => {
    began = true;
    return told;
  };
  return { work, end: end!, fail: fail!, began: () => began };
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a bulkhead', () => {
  it('lets so many in at once, the others as places become free, in the order they came', async () => {
    const bulkhead = new Bulkhead({ atOnce: 2, waiting: 10 });
    const tasks = Array.from({ length: 4 }, task);
    const done = tasks.map((t) => bulkhead.run(t.work).catch((e: Error) => e.message));
    await turn();
    expect(tasks.map((t) => t.began())).toEqual([true, true, false, false]);
    tasks[1].fail(new Error('broken'));
    await turn();
    expect(tasks.map((t) => t.began())).toEqual([true, true, true, false]);
    for (const t of tasks) t.end();
    expect(await Promise.all(done)).toEqual([undefined, 'broken', undefined, undefined]);
    const after = task();
    void bulkhead.run(after.work);
    expect(after.began()).toBe(false);
    await turn();
    expect(after.began()).toBe(true);
  });

  it('refuses who comes when too many wait, and who waited for too long', async () => {
    const bulkhead = new Bulkhead({ atOnce: 1, waiting: 1 });
    const [first, late, next] = [task(), task(), task()];
    const done = bulkhead.run(first.work);
    const refused = expect(bulkhead.run(late.work, 5)).rejects.toMatchObject({ code: 'overloaded' });
    await expect(bulkhead.run(next.work)).rejects.toMatchObject({ code: 'overloaded' });
    await refused;
    const patient = bulkhead.run(next.work, 60_000);
    first.end();
    next.end();
    await Promise.all([done, patient]);
    expect(late.began()).toBe(false);
  });

  it('never lets more in, and leaves no place unused, whoever fails or gives up', async () => {
    const each = fc.record({ ms: fc.nat(3), fails: fc.boolean(), waitMs: fc.option(fc.nat(3), { nil: undefined }) });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(each, { maxLength: 30 }), async (atOnce, asked) => {
        const bulkhead = new Bulkhead({ atOnce, waiting: 20 });
        let [running, most] = [0, 0];
        const work = (ms: number, fails: boolean) => async () => {
          most = Math.max(most, ++running);
          await wait(ms);
          running -= 1;
          if (fails) throw new Error('broken');
        };
        await Promise.allSettled(asked.map(({ ms, fails, waitMs }) => bulkhead.run(work(ms, fails), waitMs)));
        expect(most).toBe(Math.min(atOnce, asked.length));
        // Every place was given back.
        const all = Array.from({ length: atOnce }, task);
        const done = all.map((t) => bulkhead.run(t.work, 0));
        await turn();
        expect(all.every((t) => t.began())).toBe(true);
        for (const t of all) t.end();
        await Promise.all(done);
      }),
      { numRuns: 30 },
    );
  });
});
