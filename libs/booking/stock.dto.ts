// What everyone is shown of the stock, and the organizer of its counters.
import {
  BooleanField,
  EnumField,
  IdField,
  InstantField,
  IntField,
  MoneyDto,
  NumberField,
  ObjectField,
  TextField,
} from '../platform/http/fields.js';
import type { SeatState } from './booking.rules.js';

export class TypeAvailabilityView {
  @IdField() id: string;
  @IntField() available: number;
  @EnumField(['on_sale', 'sold_out', 'not_yet', 'ended']) state: 'on_sale' | 'sold_out' | 'not_yet' | 'ended';
}

export class AvailabilityView {
  @IdField() eventId: string;
  @InstantField() asOf: Date;
  @IntField({ description: 'Rises with every change' }) seq: number;
  @ObjectField(() => TypeAvailabilityView, { list: true }) ticketTypes: TypeAvailabilityView[];
}

export class InventoryView {
  @IdField() poolId: string;
  @IntField() capacity: number;
  @IntField() held: number;
  @IntField() sold: number;
  @IntField() reserved: number;
  @IntField() waiting: number;
}

const anywhere = { min: -1e9, max: 1e9 };

export class SeatView {
  @TextField({ max: 64 }) id: string;
  @TextField({ optional: true }) section?: string;
  @TextField({ optional: true }) row?: string;
  @TextField({ optional: true }) number?: string;
  @NumberField({ ...anywhere, optional: true }) x?: number;
  @NumberField({ ...anywhere, optional: true }) y?: number;
  @TextField({ optional: true }) zone?: string;
  @IdField({ optional: true }) ticketTypeId?: string;
  @BooleanField({ optional: true }) accessible?: boolean;
  @TextField({ optional: true, max: 64 }) companionOf?: string;
  @EnumField(['free', 'held', 'sold', 'blocked']) state: SeatState;
}

export class SeatsView {
  @IntField() seq: number;
  @ObjectField(() => SeatView, { list: true, max: 100_000 }) seats: SeatView[];
}

export class SeatsQuery {
  @TextField({ optional: true, pattern: /^id,state$/, description: '`id,state`: only what changes' }) fields?: string;
}

export class AvailabilityQuery {
  @TextField({ optional: true, max: 64, description: 'Shows the ticket types hidden behind it too' }) accessCode?: string;
}

export class SalesQuery {
  @EnumField(['month']) by: 'month';
}

export class SalesMonthView {
  @TextField({ example: '2027-05', description: "Month of the event's start, in its own zone" }) month: string;
  @IntField({ description: 'Confirmed at some time' }) bookings: number;
  @IntField({ description: 'Of these, cancelled since' }) cancelled: number;
  @ObjectField(() => MoneyDto, { description: 'Of what was not cancelled' }) revenue: MoneyDto;
}
