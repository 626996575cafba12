// The sweep: ends holds whose time is over, within seconds, also after everything was down. Postgres alone, no Redis.
import { Injectable } from '@nestjs/common';
import { PaymentsPort } from '../payments/payments.port.js';
import { Log } from '../platform/observe/log.js';
import { BookingRepository, type OverdueHold } from './booking.repository.js';
import type { ReleaseVerdict } from './inventory.rules.js';
import { Inventory } from './inventory.service.js';

const PAGE = 500;
/** Longer than any undisturbed batch takes, in milliseconds; shorter than what may pass between a hold's end and its units' return. */
const PATIENCE_MS = 1000;

@Injectable()
export class Sweep {
  /** Holds whose end is asked for and not decided yet: somebody keeps their rows. Left out until then. */
  private readonly ending = new Set<string>();

  constructor(
    private readonly bookings: BookingRepository,
    private readonly payments: PaymentsPort,
    private readonly inventory: Inventory,
    private readonly log: Log,
  ) {}

  /** Ends what is overdue; how many. A hold with a payment that may still succeed waits for it. */
  async run(): Promise<number> {
    let ended = 0;
    for (;;) {
      const due = await this.bookings.overdue(false, PAGE, [...this.ending]);
      const done = await this.end(due);
      ended += done;
      if (due.length < PAGE || done === 0) break;
    }
    const paying = await this.bookings.overdue(true, PAGE, [...this.ending]);
    return ended + (await this.end(await this.unpaid(paying)));
  }

  private async unpaid(paying: OverdueHold[]): Promise<OverdueHold[]> {
    const byOrg = groupBy(paying);
    const left: OverdueHold[] = [];
    for (const [orgId, holds] of byOrg) {
      const open = await this.payments.openAmong(orgId, holds.map((h) => h.bookingId)); // prettier-ignore
      left.push(...holds.filter((h) => !open.has(h.bookingId)));
    }
    return left;
  }

  /** Asks for all at once and waits for what is decided soon: a row that somebody keeps for long delays only its own event's holds. */
  private async end(holds: OverdueHold[]): Promise<number> {
    let ended = 0;
    const asked = holds.map(async (hold) => {
      this.ending.add(hold.bookingId);
      try {
        if ((await this.release(hold)).said === 'cancelled') ended += 1;
      } catch (e) {
        this.log.warn({ err: e, bookingId: hold.bookingId }, 'A hold could not be ended and will be tried again');
      } finally {
        this.ending.delete(hold.bookingId);
      }
    });
    await soon(Promise.all(asked));
    return ended;
  }

  private release(hold: OverdueHold): Promise<ReleaseVerdict> {
    return this.inventory.release({
      kind: 'release',
      orgId: hold.orgId,
      bookingId: hold.bookingId,
      version: null,
      reason: hold.paying ? 'payment' : 'expired',
      note: null,
      refund: 0,
      poolIds: hold.poolIds,
      actor: 'system:sweep',
      requestId: 'sweep',
      traceId: null,
    });
  }
}

/** When work is done, or after our patience has ended; the work goes on. */
function soon(work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function groupBy(holds: OverdueHold[]): Map<string, OverdueHold[]> {
  const map = new Map<string, OverdueHold[]>();
  for (const h of holds) map.set(h.orgId, [...(map.get(h.orgId) ?? []), h]);
  return map;
}
