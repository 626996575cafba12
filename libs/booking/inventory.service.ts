// The inventory's boundary: a request in, a verdict out. Behind it one lane per database decides many buyers together;
// rows that somebody else holds are skipped, and their requests wait in a lane of their own, so that one slow event delays nobody.
import { setTimeout as rest } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { elapsedMs } from '../kernel/time.js';
import { ambient } from '../platform/db/ambient.js';
import { Database } from '../platform/db/database.js';
import { EventPoke } from '../platform/eventstore/event.poke.js';
import { Meter, type Counter } from '../platform/observe/meter.js';
import { BookingCancelled, BookingConfirmed, BookingHeld } from './booking.domain-events.js';
import { BookingConfig } from './booking.config.js';
import { Lane, LaneFull, LaneSilent } from './lane.service.js';
import { InventoryRepository } from './inventory.repository.js';
import {
  poolsOf,
  type ConfirmRequest,
  type ConfirmVerdict,
  type HoldRequest,
  type HoldVerdict,
  type ReleaseRequest,
  type ReleaseVerdict,
  type StockRequest,
  type Verdict,
} from './inventory.rules.js';

/** Milliseconds a side lane waits for a connection before it looks whose time is up. */
const TURN_MS = 1000;
/** And so many it rests before it asks again, should the answer have come at once. */
const REST_MS = 20;
/** So many who wait make a batch that is worth sending while Postgres still decides the one before: it goes on by itself then. */
const AHEAD = 16;
/** How often a batch is tried again when Postgres asks for it (deadlock, serialization) or the connection breaks. */
const TRIES = 4;
/** What the batch functions write into the event store, and the verdict that says so. */
const ANNOUNCED = {
  hold: { event: BookingHeld, by: 'held' },
  confirm: { event: BookingConfirmed, by: 'confirmed' },
  release: { event: BookingCancelled, by: 'cancelled' },
};

@Injectable()
export class Inventory {
  private readonly main: Lane<StockRequest, Verdict>;
  private readonly decided: Record<StockRequest['kind'], Counter>;
  private readonly batches: Counter;
  /** By pool: lanes of rows that somebody else held. They wait for the lock. */
  private readonly side = new Map<string, Lane<StockRequest, Verdict>>();

  constructor(
    private readonly stock: InventoryRepository,
    private readonly db: Database,
    private readonly config: BookingConfig,
    private readonly poke: EventPoke,
    meter: Meter,
  ) {
    this.main = this.lane(false);
    this.decided = {
      hold: meter.counter('evently_holds_total', 'Holds decided, by verdict', 'verdict'),
      confirm: meter.counter('evently_confirms_total', 'Confirmations decided, by verdict', 'verdict'),
      release: meter.counter('evently_releases_total', 'Cancellations and expiries decided, by verdict', 'verdict'),
    };
    this.batches = meter.counter('evently_batches_total', 'Calls of the batch functions, by kind', 'kind');
    meter.gauge(
      'evently_lane_expected_seconds',
      'How long who comes now will wait for a decision',
      () => this.main.expectedMs / 1000,
    );
    meter.gauge('evently_lane_waiting', 'Requests waiting for a decision', () => this.waiting);
  }

  /** Requests waiting for a decision in this process. */
  get waiting(): number {
    let n = this.main.waiting;
    for (const lane of this.side.values()) n += lane.waiting;
    return n;
  }

  /** Refuses with `overloaded`, before any work, who would wait longer than he may. */
  admit(): void {
    try {
      this.main.admit(Math.min(this.config.patienceMs, this.timeLeftMs()));
    } catch (e) {
      throw overloaded(e);
    }
  }

  hold(request: HoldRequest): Promise<HoldVerdict> {
    return this.ask(request) as Promise<HoldVerdict>;
  }

  confirm(request: ConfirmRequest): Promise<ConfirmVerdict> {
    return this.ask(request) as Promise<ConfirmVerdict>;
  }

  release(request: ReleaseRequest): Promise<ReleaseVerdict> {
    return this.ask(request) as Promise<ReleaseVerdict>;
  }

  /** Milliseconds that who asks may wait: as long as anybody, or no longer than the client says. */
  private timeLeftMs(): number {
    const { deadline } = ambient();
    return deadline === undefined ? this.config.deadlineMs : Math.min(this.config.deadlineMs, deadline - elapsedMs());
  }

  private async ask(request: StockRequest): Promise<Verdict> {
    const deadline = elapsedMs() + this.timeLeftMs();
    try {
      if (!this.isAside(request)) {
        const verdict = await this.main.submit(request, deadline - elapsedMs());
        if (verdict.said !== 'skipped') return verdict;
      }
      return await this.aside(request, deadline - elapsedMs());
    } catch (e) {
      throw overloaded(e);
    }
  }

  /** True while others wait for a pool that it wants. */
  private isAside(request: StockRequest): boolean {
    return this.side.size > 0 && poolsOf(request).some((pool) => this.side.has(pool));
  }

  /** Waits for a row that somebody else holds, beside others who want the same. */
  private async aside(request: StockRequest, deadlineMs: number): Promise<Verdict> {
    const key = poolsOf(request).sort()[0];
    let lane = this.side.get(key);
    if (!lane) this.side.set(key, (lane = this.lane(true)));
    try {
      return await lane.submit(request, deadlineMs);
    } finally {
      if (lane.waiting === 0) setImmediate(() => lane.idle && this.side.get(key) === lane && this.side.delete(key));
    }
  }

  private lane(wait: boolean): Lane<StockRequest, Verdict> {
    return new Lane({
      decide: (batch) => this.decide(batch, wait),
      groupOf: (r) => r.kind,
      maxBatch: this.config.maxBatch,
      ahead: wait ? undefined : AHEAD,
      maxWaiting: this.config.maxWaiting,
      nowMs: elapsedMs,
      failsAll: isAway,
    });
  }

  /** Outside of any caller's transaction; tried again while that is safe: keys and versions make a second try find the first. */
  private async decide(batch: StockRequest[], wait: boolean): Promise<Verdict[] | null> {
    // Decided one by one, those behind one that went aside need not find out for themselves.
    if (!wait && batch.length === 1 && this.isAside(batch[0])) return [{ said: 'skipped' }];
    for (let attempt = 1; ; attempt++) {
      try {
        const verdicts = await (wait ? this.onceFree(batch) : this.db.express(() => this.call(batch, false)));
        this.tell(batch[0].kind, verdicts);
        return verdicts;
      } catch (e) {
        if (isStillKept(e)) return wait ? await rest(REST_MS, null) : this.skipped(batch, e);
        if (!isWorthATry(e) || attempt === TRIES) throw e;
      }
    }
  }

  private tell(kind: StockRequest['kind'], verdicts: readonly Verdict[]): void {
    this.batches.add(kind);
    for (const { said } of verdicts) if (said !== 'skipped') this.decided[kind].add(said);
    const { event, by } = ANNOUNCED[kind];
    if (verdicts.some(({ said }) => said === by)) this.poke.tellOfBatch(event.type);
  }

  /** Something else than stock is kept by somebody. Alone one goes aside; a batch is decided one by one, to find whom it concerns. */
  private skipped(batch: StockRequest[], e: unknown): Verdict[] {
    if (batch.length > 1) throw e;
    return [{ said: 'skipped' }];
  }

  /** Waits for the rows of a side lane: for no longer than SQL says, and beside so few others that connections are left for everybody else. */
  private onceFree(batch: StockRequest[]): Promise<Verdict[]> {
    return this.db.detached(() => this.db.slowly('waiting', () => this.call(batch, true), TURN_MS));
  }

  private call(batch: StockRequest[], wait: boolean): Promise<Verdict[]> {
    switch (batch[0].kind) {
      case 'hold':
        return this.stock.hold(batch as HoldRequest[], wait);
      case 'confirm':
        return this.stock.confirm(batch as ConfirmRequest[], wait);
      case 'release':
        return this.stock.release(batch as ReleaseRequest[], wait);
    }
  }
}

function overloaded(e: unknown): unknown {
  if (e instanceof LaneSilent) return edgeErrors.unavailable();
  return e instanceof LaneFull ? edgeErrors.overloaded({ retryAfter: e.retryAfterSeconds }) : e;
}

/** The row was not let go of in time (lock_not_available), or too many wait for theirs. */
const isStillKept = (e: unknown) => ['55P03', 'overloaded'].includes((e as { code?: string }).code ?? '');

/** Serialization failure, deadlock, or a connection that broke before we heard the answer. */
function isWorthATry(e: unknown): boolean {
  const { code, message } = e as { code?: string; message?: string };
  return (
    ['40001', '40P01', 'ECONNRESET', 'EPIPE', '57P01'].includes(code ?? '') ||
    /Connection terminated|is not queryable/.test(message ?? '')
  );
}

/** Postgres could not be reached, whoever asked. */
function isAway(e: unknown): boolean {
  const { code, message } = e as { code?: string; message?: string };
  return (
    ['ECONNREFUSED', 'EHOSTUNREACH', 'ETIMEDOUT'].includes(code ?? '') ||
    /timeout exceeded when trying to connect/.test(message ?? '')
  );
}
