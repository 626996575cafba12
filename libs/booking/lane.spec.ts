// The lane: one decision at a time, together what came meanwhile; who would wait too long is told at once.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lane, LaneFull, LaneSilent } from './lane.service.js';

/** A lane whose decisions end when told, on a clock that is moved. */
function stage(options: { maxBatch?: number; ahead?: number; maxWaiting?: number; failsAll?: () => boolean } = {}) {
  const at = { ms: 1000 };
  const batches: number[][] = [];
  const underWay: { finish: (undecided?: boolean) => void; fail: (e: Error) => void }[] = [];
  const lane = new Lane<number, string>({
    decide: (batch) => {
      batches.push(batch);
      return new Promise((resolve, reject) => {
        const finish = (undecided?: boolean) => resolve(undecided ? null : batch.map((n) => `verdict ${n}`));
        underWay.push({ finish, fail: reject });
      });
    },
    groupOf: () => 'all',
    maxBatch: options.maxBatch ?? 10,
    ahead: options.ahead,
    maxWaiting: options.maxWaiting ?? 1000,
    nowMs: () => at.ms,
    failsAll: options.failsAll,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  /** So many milliseconds in which nothing is decided. */
  const pass = (ms: number) => {
    at.ms += ms;
    vi.advanceTimersByTime(ms);
  };
  /** So many in which the whole process is stopped: nobody looks at anything. */
  const stop = (ms: number) => void (at.ms += ms);
  /** Ends the oldest decision under way after so many milliseconds. */
  const decideAfter = async (ms: number, undecided = false) => {
    pass(ms);
    underWay.shift()?.finish(undecided);
    await turn();
    await turn();
  };
  return { lane, batches, turn, decideAfter, pass, stop, failed: (e: Error) => underWay.shift()?.fail(e) };
}

describe('a lane', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => vi.useRealTimers());

  it('decides the first at once and together what came meanwhile, each in its order', async () => {
    const { lane, batches, turn, decideAfter } = stage();
    const told = [1, 2, 3].map((n) => lane.submit(n, 1000));
    await turn();
    told.push(lane.submit(4, 1000), lane.submit(5, 1000));
    await decideAfter(5);
    await decideAfter(5);
    expect(batches).toEqual([[1, 2, 3], [4, 5]]); // prettier-ignore
    expect(await Promise.all(told)).toEqual([1, 2, 3, 4, 5].map((n) => `verdict ${n}`));
  });

  it('hands enough of those who wait over before the batch ahead of them is decided, one such batch at most, and tells all in their order', async () => {
    const { lane, batches, turn, decideAfter } = stage({ maxBatch: 4, ahead: 3 });
    const told: string[] = [];
    const submit = (...list: number[]) => {
      for (const n of list) void lane.submit(n, 60_000).then((verdict) => told.push(verdict));
    };
    submit(1);
    await turn();
    submit(2, 3);
    await turn();
    expect(batches).toEqual([[1]]); // Two are better decided together with who comes until then.
    submit(4);
    await turn();
    submit(5, 6, 7, 8, 9);
    await turn();
    expect(batches).toEqual([[1], [2, 3, 4]]); // prettier-ignore
    await decideAfter(10);
    expect(batches).toEqual([[1], [2, 3, 4], [5, 6, 7, 8]]); // prettier-ignore
    await decideAfter(20);
    expect(lane.expectedMs).toBe(12); // Turns of 10 and 20 ms, though the second was under way for 30.
    while (told.length < 9) await decideAfter(10);
    expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `verdict ${n}`));
    expect(lane.idle).toBe(true);
  });

  it('refuses at once when the line is full', async () => {
    const { lane } = stage({ maxWaiting: 2 });
    void lane.submit(1, 1000).catch(() => undefined);
    void lane.submit(2, 1000).catch(() => undefined);
    await expect(lane.submit(3, 1000)).rejects.toBeInstanceOf(LaneFull);
  });

  it('refuses at once who would wait longer than he may, by how long decisions took of late', async () => {
    const { lane, turn, decideAfter } = stage({ maxBatch: 10 });
    const first = lane.submit(0, 60_000);
    await turn();
    for (let n = 1; n <= 40; n++) void lane.submit(n, 60_000);
    lane.admit(1); // Nothing is known yet.
    await decideAfter(1000); // A turn took a second; of the 40 who wait ten are being decided, 30 wait for three turns more.
    await first;
    expect(lane.expectedMs).toBe(3000);
    expect(() => lane.admit(2500)).toThrow(LaneFull);
    await expect(lane.submit(99, 2500)).rejects.toMatchObject({ retryAfterSeconds: 2 });
    lane.admit(3500);
    for (let i = 0; i < 4; i++) await decideAfter(10); // Ten in 10 ms, four times.
    expect(lane.waiting).toBe(0);
    lane.admit(0);
  });

  it('does not take for a long turn that the process was stopped meanwhile', async () => {
    const { lane, turn, decideAfter, stop } = stage({ maxBatch: 2 });
    void lane.submit(0, 60_000);
    await turn();
    for (let n = 1; n <= 5; n++) void lane.submit(n, 60_000);
    stop(20_000);
    await decideAfter(0); // Two are being decided, three wait for two turns.
    expect(lane.expectedMs).toBe(1000);
  });

  it('refuses who waited beyond his deadline, before any work', async () => {
    const { lane, batches, turn, decideAfter } = stage();
    void lane.submit(1, 1000);
    await turn();
    const late = lane.submit(2, 50);
    const patient = lane.submit(3, 1000);
    const refused = expect(late).rejects.toBeInstanceOf(LaneFull);
    await decideAfter(100);
    await refused;
    await decideAfter(5);
    expect(await patient).toBe('verdict 3');
    expect(batches).toEqual([[1], [3]]); // prettier-ignore
  });

  it('keeps those in their place for whom nothing could be decided yet, until their time is up', async () => {
    const { lane, batches, turn, decideAfter } = stage({ maxBatch: 2 });
    const [first, impatient, third] = [lane.submit(1, 5000), lane.submit(2, 500), lane.submit(3, 5000)];
    const refused = expect(impatient).rejects.toBeInstanceOf(LaneFull);
    await turn();
    await decideAfter(1000, true);
    await refused;
    expect(lane.waiting).toBe(0);
    await decideAfter(1000, true);
    await decideAfter(1000);
    expect(await Promise.all([first, third])).toEqual(['verdict 1', 'verdict 3']);
    expect(batches).toEqual([[1, 2], [1, 3], [1, 3]]); // prettier-ignore
    expect(lane.idle).toBe(true);
  });

  it('lets nobody wait much longer than he may for a decision that does not come, and refuses who comes then', async () => {
    const { lane, batches, turn, decideAfter, pass } = stage();
    const decided = lane.submit(1, 10_000);
    await turn();
    const [impatient, patient] = [lane.submit(2, 5000), lane.submit(3, 60_000)];
    const refused = expect(impatient).rejects.toBeInstanceOf(LaneFull);
    const unheard = expect(decided).rejects.toBeInstanceOf(LaneSilent);
    lane.admit(3000);
    pass(6000);
    await refused; // Nothing was begun for him.
    expect(lane.waiting).toBe(1);
    expect(() => lane.admit(3000)).toThrow(LaneFull);
    pass(7000);
    await unheard;
    await decideAfter(0);
    await decideAfter(5);
    expect(await patient).toBe('verdict 3');
    expect(batches).toEqual([[1], [3]]); // prettier-ignore
    pass(1000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tries each alone when a batch fails, but not where nobody could be decided', async () => {
    const gone = new Error('gone');
    for (const failsAll of [false, true]) {
      const { lane, batches, turn, decideAfter, failed } = stage({ failsAll: () => failsAll });
      const told = Promise.allSettled([1, 2].map((n) => lane.submit(n, 1000)));
      await turn();
      failed(gone);
      await turn();
      if (!failsAll) for (let n = 0; n < 2; n++) await decideAfter(5);
      expect((await told).map((t) => (t.status === 'rejected' ? t.reason : t.value))).toEqual(
        failsAll ? [gone, gone] : ['verdict 1', 'verdict 2'],
      );
      expect(batches).toEqual(failsAll ? [[1, 2]] : [[1, 2], [1], [2]]); // prettier-ignore
    }
  });
});
