// Ticket type: what is priced and limited. Pool: the stock that one or several of them draw from.
import { Entity } from 'typeorm';
import { edgeErrors, invalid } from '../kernel/errors.js';
import {
  AmountColumn,
  BooleanColumn,
  Id,
  IdColumn,
  InstantColumn,
  IntColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import './catalog.personal-data.js';
import { shiftedByDays, windowProblems } from './event.rules.js';

@Entity({ schema: 'catalog', name: 'pool' })
export class Pool {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() eventId: string;
  @TextColumn() name: string;
  @IntColumn() capacity: number;
  /** False for the pool that one ticket type has to itself. */
  @BooleanColumn() shared: boolean;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static of(values: Omit<Pool, 'version' | 'demandVersion'>): Pool {
    return Object.assign(new Pool(), { ...values, version: 1 });
  }

  demandVersion(version: number): void {
    if (this.version !== version) throw edgeErrors.staleVersion();
  }
}

/** What an organizer sets, and may change at any time. */
export interface TicketTypeValues {
  name: string;
  /** Minor units in the event's currency. */
  price: number;
  maxPerBooking: number | null;
  maxPerPerson: number | null;
  salesStartAt: Date | null;
  salesEndAt: Date | null;
  accessCode: string | null;
  position: number;
}

/** Where its places come from; fixed for ever. */
export interface TicketTypeStock {
  orgId: string;
  id: string;
  eventId: string;
  poolId: string;
  zone: string | null;
  seatMapVersion: number | null;
  createdAt: Date;
}

@Entity({ schema: 'catalog', name: 'ticket_type' })
export class TicketType implements TicketTypeValues, TicketTypeStock {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() eventId: string;
  @IdColumn() poolId: string;
  @TextColumn() name: string;
  @TextColumn() kind: 'general' | 'seated';
  @AmountColumn() price: number;
  @TextColumn({ nullable: true }) zone: string | null;
  @IntColumn({ nullable: true }) seatMapVersion: number | null;
  @IntColumn({ nullable: true }) maxPerBooking: number | null;
  @IntColumn({ nullable: true }) maxPerPerson: number | null;
  @InstantColumn({ nullable: true }) salesStartAt: Date | null;
  @InstantColumn({ nullable: true }) salesEndAt: Date | null;
  @TextColumn({ nullable: true }) accessCode: string | null;
  @IntColumn() position: number;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static of(stock: TicketTypeStock, values: TicketTypeValues): TicketType {
    const kind = stock.zone === null ? 'general' : 'seated';
    const type = Object.assign(new TicketType(), { ...stock, kind, version: 1 });
    type.change(values);
    return type;
  }

  demandVersion(version: number): void {
    if (this.version !== version) throw edgeErrors.staleVersion();
  }

  /** Takes what is given; null clears, what is left out stays. */
  change(values: Partial<TicketTypeValues>): void {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) Object.assign(this, { [name]: value });
    const problems = windowProblems(this.salesStartAt, this.salesEndAt, '/salesEndAt');
    if (problems.length > 0) throw invalid(problems);
  }

  /** The same for a copy of its event, its sales moved by days of that event's zone. */
  copyShifted(stock: TicketTypeStock, zone: string, days: number): TicketType {
    const moved = (at: Date | null) => at && shiftedByDays(at, zone, days);
    const { name, price, maxPerBooking, maxPerPerson, accessCode, position } = this;
    const sales = { salesStartAt: moved(this.salesStartAt), salesEndAt: moved(this.salesEndAt) };
    return TicketType.of(stock, { name, price, maxPerBooking, maxPerPerson, accessCode, position, ...sales });
  }
}
