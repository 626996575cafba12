// The sweep: ends holds whose time is over, within seconds, also after everything was down. Postgres alone, no Redis.
import { Injectable } from '@nestjs/common';
import { PaymentsPort } from '../payments/payments.port.js';
import { BookingRepository, type OverdueHold } from './booking.repository.js';
import { Inventory } from './inventory.service.js';

const PAGE = 500;

@Injectable()
export class Sweep {
  constructor(
    private readonly bookings: BookingRepository,
    private readonly payments: PaymentsPort,
    private readonly inventory: Inventory,
  ) {}

  /** Ends what is overdue; how many. A hold with a payment that may still succeed waits for it. */
  async run(): Promise<number> {
    let ended = 0;
    for (;;) {
      const due = await this.bookings.overdue(false, PAGE);
      const done = await this.end(due);
      ended += done;
      if (due.length < PAGE || done === 0) break;
    }
    const paying = await this.bookings.overdue(true, PAGE);
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

  private async end(holds: OverdueHold[]): Promise<number> {
    const verdicts = await Promise.all(
      holds.map((h) =>
        this.inventory.release({
          kind: 'release',
          orgId: h.orgId,
          bookingId: h.bookingId,
          version: null,
          reason: h.paying ? 'payment' : 'expired',
          note: null,
          refund: 0,
          poolIds: h.poolIds,
          actor: 'system:sweep',
          requestId: 'sweep',
        }),
      ),
    );
    return verdicts.filter((v) => v.said === 'cancelled').length;
  }
}

function groupBy(holds: OverdueHold[]): Map<string, OverdueHold[]> {
  const map = new Map<string, OverdueHold[]>();
  for (const h of holds) map.set(h.orgId, [...(map.get(h.orgId) ?? []), h]);
  return map;
}
