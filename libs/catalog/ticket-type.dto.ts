// Ticket types and pools as they come in and go out to organizers.
import {
  BooleanField,
  EnumField,
  IdField,
  InstantField,
  IntField,
  MoneyDto,
  ObjectField,
  TextField,
} from '../platform/http/fields.js';
import { POSITION_MAX } from './event.rules.js';
import type { Pool } from './ticket-type.entity.js';
import type { NewType, TypeChange, TypeWithPool } from './ticket-type.service.js';

const CAPACITY = { min: 0, max: 1_000_000_000 };
const PER_BOOKING = { min: 1, max: 10_000, nullable: true };
const PER_PERSON = { min: 1, max: 1_000_000, nullable: true };
const CODE = { max: 64, nullable: true, description: 'Hides the type from everyone who does not send it; compared without case' };
const POSITION = { min: 0, max: POSITION_MAX, description: 'Where it stands among the others; last unless given' };

export class CreatePoolDto {
  @TextField() name: string;
  @IntField(CAPACITY) capacity: number;
}

export class ChangePoolDto {
  @TextField({ optional: true }) name?: string;
  @IntField({ optional: true, ...CAPACITY }) capacity?: number;
}

export class CreateTicketTypeDto implements NewType {
  @TextField() name: string;
  @ObjectField(() => MoneyDto) price: MoneyDto;
  @IntField({ optional: true, ...CAPACITY, description: 'Gives it a pool of its own' }) capacity?: number;
  @IdField({ optional: true, description: 'The shared pool it draws from' }) poolId?: string;
  @TextField({ optional: true, max: 64, description: 'The zone of the venue’s seat map whose seats it sells' }) zone?: string;
  @IntField({ optional: true, ...PER_BOOKING }) maxPerBooking?: number | null;
  @IntField({ optional: true, ...PER_PERSON }) maxPerPerson?: number | null;
  @InstantField({ optional: true, nullable: true }) salesStartAt?: Date | null;
  @InstantField({ optional: true, nullable: true }) salesEndAt?: Date | null;
  @TextField({ optional: true, ...CODE }) accessCode?: string | null;
  @IntField({ optional: true, ...POSITION }) position?: number;
}

export class ChangeTicketTypeDto implements TypeChange {
  @TextField({ optional: true }) name?: string;
  @ObjectField(() => MoneyDto, { optional: true }) price?: MoneyDto;
  @IntField({ optional: true, ...CAPACITY, description: 'Only of a type with a pool of its own' }) capacity?: number;
  @IntField({ optional: true, ...PER_BOOKING }) maxPerBooking?: number | null;
  @IntField({ optional: true, ...PER_PERSON }) maxPerPerson?: number | null;
  @InstantField({ optional: true, nullable: true }) salesStartAt?: Date | null;
  @InstantField({ optional: true, nullable: true }) salesEndAt?: Date | null;
  @TextField({ optional: true, ...CODE }) accessCode?: string | null;
  @IntField({ optional: true, ...POSITION }) position?: number;
}

export class PoolView {
  @IdField() id: string;
  @IdField() eventId: string;
  @TextField() name: string;
  @IntField(CAPACITY) capacity: number;
  @BooleanField({ description: 'False for the pool that one ticket type has to itself' }) shared: boolean;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export class TicketTypeView {
  @IdField() id: string;
  @IdField() eventId: string;
  @TextField() name: string;
  @EnumField(['general', 'seated']) kind: string;
  @ObjectField(() => MoneyDto) price: MoneyDto;
  @IdField() poolId: string;
  @IntField({ nullable: true, ...CAPACITY, description: 'Null where it draws from a shared pool' }) capacity: number | null;
  @TextField({ nullable: true, max: 64 }) zone: string | null;
  @IntField(PER_BOOKING) maxPerBooking: number | null;
  @IntField(PER_PERSON) maxPerPerson: number | null;
  @InstantField({ nullable: true }) salesStartAt: Date | null;
  @InstantField({ nullable: true }) salesEndAt: Date | null;
  @TextField(CODE) accessCode: string | null;
  @IntField(POSITION) position: number;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export function poolView({ id, eventId, name, capacity, shared, createdAt, version }: Pool): PoolView {
  return { id, eventId, name, capacity, shared, createdAt, version };
}

export function ticketTypeView({ type, pool, currency }: TypeWithPool): TicketTypeView {
  const { id, eventId, name, kind, poolId, zone, maxPerBooking, maxPerPerson, salesStartAt, salesEndAt, accessCode } = type;
  return {
    id, eventId, name, kind, price: { amount: type.price, currency }, poolId, capacity: pool.shared ? null : pool.capacity, zone,
    maxPerBooking, maxPerPerson, salesStartAt, salesEndAt, accessCode, position: type.position, createdAt: type.createdAt, version: type.version,
  }; // prettier-ignore
}
