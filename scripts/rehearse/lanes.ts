// Lanes: work in a given order with a bounded number at a time, where items of one lane follow one another strictly.

export interface LaneWork<T> {
  laneOf: (item: T) => string;
  atATime: number;
  /** The part that must be done before the lane's next item starts. */
  inLane: (item: T) => Promise<void>;
  /** The rest, while the lane already goes on. */
  after: (item: T) => Promise<void>;
}

/** How far ahead of the oldest waiting item others may overtake it. */
const lookAhead = 2_000;

/** Rejects with the first failure. */
export async function inLanes<T>(items: readonly T[], work: LaneWork<T>): Promise<void> {
  const queue = new LaneQueue(items, work.laneOf);
  const worker = async () => {
    for (let item = await queue.take(); item !== undefined; item = await queue.take()) {
      await work.inLane(item);
      queue.release(item);
      await work.after(item);
    }
  };
  await Promise.all(Array.from({ length: work.atATime }, worker));
}

class LaneQueue<T> {
  private next = 0;
  private waiting = 0;
  /** A lane is here while one of its items is being worked on; its list holds those that wait for it. */
  private readonly busy = new Map<string, T[]>();
  /** Items whose lane has just become theirs. */
  private readonly ready: T[] = [];
  private readonly idle: ((item: T | undefined) => void)[] = [];

  constructor(
    private readonly items: readonly T[],
    private readonly laneOf: (item: T) => string,
  ) {}

  /** The next item whose lane is free; undefined when all have been handed out. */
  take(): Promise<T | undefined> {
    const released = this.ready.shift();
    if (released !== undefined) return Promise.resolve(released);
    while (this.next < this.items.length && this.waiting < lookAhead) {
      const item = this.items[this.next++]!;
      const lane = this.busy.get(this.laneOf(item));
      if (!lane) {
        this.busy.set(this.laneOf(item), []);
        return Promise.resolve(item);
      }
      lane.push(item);
      this.waiting++;
    }
    if (this.waiting === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => this.idle.push(resolve));
  }

  release(item: T): void {
    const lane = this.laneOf(item);
    const following = this.busy.get(lane)!.shift();
    if (following === undefined) this.busy.delete(lane);
    else {
      this.waiting--;
      this.ready.push(following);
    }
    // Whoever waits looks again: for the item just released, or for the end.
    for (const resolve of this.idle.splice(0)) void this.take().then(resolve);
  }
}
