// A lane: requests that arrive while a decision is under way are decided together by the next one. No timer: when idle, the first goes at once.

import { setImmediate as immediate } from 'node:timers/promises';

/** Refused before any work: too many wait, or its time ran out while waiting. */
export class LaneFull extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super('Too many requests wait in this lane.');
    this.name = 'LaneFull';
  }
}

/** No answer came in time, and nobody knows whether there was a decision: asking again with the same key tells. */
export class LaneSilent extends Error {
  constructor() {
    super('No decision was heard of in time.');
    this.name = 'LaneSilent';
  }
}

/** Who is being decided hears that nothing was heard once his deadline has passed and a turn has taken so long: an answer that is a little late is better than none. */
const GRACE_MS = 2000;
/** How often it is looked whose time is up. */
const LOOK_MS = 500;

interface Waiting<Q, V> {
  request: Q;
  deadline: number;
  resolve: (verdict: V) => void;
  reject: (e: unknown) => void;
}

interface Turn<Q, V> {
  batch: readonly Waiting<Q, V>[];
  /** How often it was looked at since it began: a process that was stopped itself has heard nothing, and knows nothing of that. */
  looks: number;
}

export interface LaneOptions<Q, V> {
  /** Decides a batch: a verdict each, in order; null where nothing could be decided yet. Then whose time is not up stays in line, in its place. */
  decide: (batch: Q[]) => Promise<V[] | null>;
  /** Only requests of one group are decided together; the groups take turns. */
  groupOf: (request: Q) => string;
  maxBatch: number;
  /**
   * From so many on, those who wait are handed over while the batch before them is still being decided, so that the decider never waits for this process;
   * it must take batches in turn. Fewer wait and are decided with who comes until then. Absent: never.
   */
  ahead?: number;
  maxWaiting: number;
  nowMs: () => number;
  /** True for what failed whoever asked, as a connection that is gone: nobody of the batch is tried alone then. */
  failsAll?: (e: unknown) => boolean;
}

export class Lane<Q, V> {
  private readonly groups = new Map<string, Waiting<Q, V>[]>();
  private count = 0;
  /** Milliseconds a turn took of late, averaged. */
  private turnMs = 0;
  private endedMs = -Infinity;
  private planned = false;
  /** Under way, the oldest first. */
  private readonly turns = new Set<Turn<Q, V>>();
  private watch?: NodeJS.Timeout;

  constructor(private readonly options: LaneOptions<Q, V>) {}

  /** How many wait: for metrics and admission. */
  get waiting(): number {
    return this.count;
  }

  get idle(): boolean {
    return this.turns.size === 0 && this.count === 0;
  }

  /**
   * Milliseconds somebody who comes now will wait, by what the lane has measured: the turns before his, as long as turns are of late, and for one that
   * takes longer than those as long again.
   */
  get expectedMs(): number {
    const [oldest] = this.turns;
    const sinceMs = oldest ? oldest.looks * LOOK_MS : 0;
    const turnsBefore = Math.ceil(this.count / this.options.maxBatch) + Math.max(0, this.turns.size - 1);
    return turnsBefore * this.turnMs + (sinceMs > this.turnMs ? sinceMs : 0);
  }

  /** Throws LaneFull when the line is full, or so long that the turn of who comes now would come too late. */
  admit(deadlineMs: number): void {
    const full = this.full(deadlineMs);
    if (full) throw full;
  }

  private full(deadlineMs: number): LaneFull | null {
    if (this.count < this.options.maxWaiting && this.expectedMs <= deadlineMs) return null;
    return new LaneFull(Math.max(1, Math.ceil(this.expectedMs / 2000))); // Half of what waits is gone by then.
  }

  /** Waits in line; rejects with LaneFull at once when not admitted, or when `deadlineMs` passes before its turn. */
  submit(request: Q, deadlineMs: number): Promise<V> {
    const full = this.full(deadlineMs);
    if (full) return Promise.reject(full);
    return new Promise((resolve, reject) => {
      const group = this.options.groupOf(request);
      const line = this.groups.get(group);
      const waiting = { request, deadline: this.options.nowMs() + deadlineMs, resolve, reject };
      if (line) line.push(waiting);
      else this.groups.set(group, [waiting]);
      this.count += 1;
      this.plan();
      this.watch ??= setInterval(() => this.tellTheLate(), LOOK_MS).unref();
    });
  }

  /** However long a turn takes, nobody waits much longer than he may. */
  private tellTheLate(): void {
    const now = this.options.nowMs();
    for (const [group, line] of this.groups) {
      const inTime = line.filter((w) => w.deadline >= now);
      if (inTime.length === line.length) continue;
      for (const w of line) if (w.deadline < now) w.reject(new LaneFull(1));
      this.count -= line.length - inTime.length;
      if (inTime.length > 0) this.groups.set(group, inTime);
      else this.groups.delete(group);
    }
    for (const turn of this.turns) {
      turn.looks += 1;
      if (turn.looks * LOOK_MS > GRACE_MS) for (const w of turn.batch) if (w.deadline < now) w.reject(new LaneSilent());
    }
    if (!this.idle) return;
    clearInterval(this.watch);
    this.watch = undefined;
  }

  /** One turn of the event loop gathers what came with it; costs no latency and fills the first batch. */
  private plan(): void {
    if (this.planned || !this.ready) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.begin();
    });
  }

  /** True when somebody's turn has come. */
  private get ready(): boolean {
    if (this.turns.size === 0) return this.count > 0;
    return this.turns.size === 1 && this.count >= (this.options.ahead ?? Infinity);
  }

  private begin(): void {
    while (this.ready) void this.turn();
  }

  private async turn(): Promise<void> {
    const batch = this.take();
    if (batch.length === 0) return;
    const turn = { batch, looks: 0 };
    this.turns.add(turn);
    const began = this.options.nowMs();
    const tell = await this.decided(batch);
    this.turns.delete(turn);
    this.learn(began, turn);
    this.begin(); // Before the replies are written: Postgres decides while this process writes.
    await told(batch.length, tell);
  }

  /** Decides a batch; returns what tells the i-th his verdict. */
  private async decided(batch: Waiting<Q, V>[]): Promise<(i: number) => void> {
    try {
      const verdicts = await this.options.decide(batch.map((w) => w.request));
      if (!verdicts) {
        this.putBack(batch);
        return () => undefined;
      }
      return (i) => batch[i].resolve(verdicts[i]);
    } catch (e) {
      if (batch.length === 1 || this.options.failsAll?.(e)) return (i) => batch[i].reject(e);
      await this.oneByOne(batch);
      return () => undefined;
    }
  }

  /** To the head of their own line; the other groups come first. */
  private putBack(batch: Waiting<Q, V>[]): void {
    const group = this.options.groupOf(batch[0].request);
    const behind = this.groups.get(group) ?? [];
    this.groups.delete(group);
    this.groups.set(group, [...batch, ...behind]);
    this.count += batch.length;
  }

  /**
   * A turn that began while another was under way took as long as it kept the next from its end. And none took longer than it was looked at: who comes
   * after the process was stopped for half a minute is not to be told that turns last as long.
   */
  private learn(began: number, { looks }: Turn<Q, V>): void {
    const now = this.options.nowMs();
    const ms = Math.min(now - Math.max(began, this.endedMs), (looks + 1) * LOOK_MS);
    this.endedMs = now;
    this.turnMs = this.turnMs === 0 ? ms : this.turnMs * 0.8 + ms * 0.2;
  }

  /** A batch failed as a whole: each is decided alone, so that a poisoned one fails nobody but itself. */
  private async oneByOne(batch: Waiting<Q, V>[]): Promise<void> {
    for (const w of batch) {
      await this.options
        .decide([w.request])
        .then((verdicts) => (verdicts ? w.resolve(verdicts[0]) : w.reject(new LaneFull(1))))
        .catch((e: unknown) => w.reject(e));
    }
  }

  /** The group that waited longest since its turn: the map's first. It goes to the end when more of it is left. */
  private take(): Waiting<Q, V>[] {
    for (const [group, line] of this.groups) {
      this.groups.delete(group);
      const batch: Waiting<Q, V>[] = [];
      const now = this.options.nowMs();
      let i = 0;
      for (; i < line.length && batch.length < this.options.maxBatch; i++) {
        if (line[i].deadline < now) line[i].reject(new LaneFull(1));
        else batch.push(line[i]);
      }
      this.count -= i;
      if (i < line.length) this.groups.set(group, line.slice(i));
      if (batch.length > 0) return batch;
    }
    return [];
  }
}

/** So many replies are written before others have their turn: a batch's replies take tens of milliseconds. Fewer would run with colder caches. */
const AT_ONCE = 32;

/** Tells some, then lets the event loop turn: whose verdict is asked for meanwhile goes into a batch before the rest is told. One alone hears at once. */
async function told(count: number, tell: (i: number) => void): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % AT_ONCE === 0 && count > 1) await immediate();
    tell(i);
  }
}
