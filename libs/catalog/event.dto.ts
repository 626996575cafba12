// Events as they come in and go out, to organizers and to everyone.
import {
  AmountField,
  BooleanField,
  CurrencyField,
  EnumField,
  IdField,
  InstantField,
  IntField,
  MoneyDto,
  NumberField,
  ObjectField,
  PageQuery,
  TextField,
  TextListField,
  TimeZoneField,
} from '../platform/http/fields.js';
import type { CancelPolicy, EventStatus } from './catalog.port.js';
import type { EventSnapshot } from './catalog.repository.js';
import type { EventNow } from './event.service.js';
import type { Draft, EventChange } from './event.entity.js';
import { LocationDto } from './venue.dto.js';

const statuses = ['draft', 'published', 'cancelled', 'past'] as const;
const HOLD = { min: 5, max: 3600, description: 'How long a hold lasts; 600 unless given' };
const UNTIL = { min: 0, max: 87_600, nullable: true, description: 'Buyers may cancel until so many hours before; null never' };
const FEE = { min: 0, max: 100, decimals: 2, description: 'Kept of what was paid, up to two decimals' };
const FEE_AMOUNT = { description: 'Kept for each ticket, in minor units of the event’s currency' };

export class CancelPolicyDto implements Partial<CancelPolicy> {
  @IntField({ optional: true, ...UNTIL }) untilHours?: number | null;
  @NumberField({ optional: true, ...FEE }) feePercent?: number;
  @AmountField({ optional: true, ...FEE_AMOUNT }) feeAmount?: number;
}

export class CreateEventDto implements Draft {
  @TextField() title: string;
  @TextField({ optional: true, nullable: true, max: 20_000 }) description?: string | null;
  @InstantField() startsAt: Date;
  @InstantField() endsAt: Date;
  @TimeZoneField() timeZone: string;
  @CurrencyField() currency: string;
  @IdField({ optional: true, nullable: true }) venueId?: string | null;
  @IntField({ optional: true, ...HOLD }) holdSeconds?: number;
  @ObjectField(() => CancelPolicyDto, { optional: true }) cancelPolicy?: CancelPolicyDto;
}

export class ChangeEventDto implements EventChange {
  @TextField({ optional: true }) title?: string;
  @TextField({ optional: true, nullable: true, max: 20_000 }) description?: string | null;
  @InstantField({ optional: true }) startsAt?: Date;
  @InstantField({ optional: true }) endsAt?: Date;
  @TimeZoneField({ optional: true, description: 'Without new times, the event keeps its wall times in the new zone' })
  timeZone?: string;
  @CurrencyField({ optional: true, description: 'Only while it has no ticket types' }) currency?: string;
  @IdField({ optional: true, nullable: true }) venueId?: string | null;
  @IntField({ optional: true, ...HOLD }) holdSeconds?: number;
  @ObjectField(() => CancelPolicyDto, { optional: true }) cancelPolicy?: CancelPolicyDto;
}

export class DuplicateEventDto {
  @IntField({ min: -36_600, max: 36_600, description: 'Days by the calendar of its zone; wall times stay' }) shiftDays: number;
}

export class EventListQuery extends PageQuery {
  @EnumField(statuses, { optional: true }) status?: EventStatus;
  @InstantField({ optional: true, description: 'Starts at or after' }) from?: Date;
  @InstantField({ optional: true, description: 'Starts before' }) to?: Date;
}

export class CancelPolicyView implements CancelPolicy {
  @IntField(UNTIL) untilHours: number | null;
  @NumberField(FEE) feePercent: number;
  @AmountField(FEE_AMOUNT) feeAmount: number;
}

export class EventView {
  @IdField() id: string;
  @IdField() orgId: string;
  @TextField() title: string;
  @TextField({ nullable: true, max: 20_000 }) description: string | null;
  @InstantField() startsAt: Date;
  @InstantField() endsAt: Date;
  @TimeZoneField() timeZone: string;
  @CurrencyField() currency: string;
  @IdField({ nullable: true }) venueId: string | null;
  @EnumField(statuses) status: EventStatus;
  @IntField(HOLD) holdSeconds: number;
  @ObjectField(() => CancelPolicyView) cancelPolicy: CancelPolicy;
  @InstantField({ nullable: true }) publishedAt: Date | null;
  @InstantField({ nullable: true }) cancelledAt: Date | null;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export function eventView({ event, now }: EventNow): EventView {
  const { id, orgId, title, description, startsAt, endsAt, timeZone, currency, venueId, holdSeconds, cancelPolicy } = event;
  const { publishedAt, cancelledAt, createdAt, version } = event;
  return {
    id, orgId, title, description, startsAt, endsAt, timeZone, currency, venueId, status: event.statusAt(now), holdSeconds, cancelPolicy,
    publishedAt, cancelledAt, createdAt, version,
  }; // prettier-ignore
}

export class EventSearchQuery extends PageQuery {
  @TextField({ optional: true, description: 'Words of title, description or venue, each perhaps only begun' })
  q?: string;
  @InstantField({ optional: true, description: 'Starts at or after' }) from?: Date;
  @InstantField({ optional: true, description: 'Starts before' }) to?: Date;
  @TextField({
    optional: true,
    max: 80,
    description: '`lat,lon,km`: the venue lies within so many km',
    example: '52.52,13.41,25',
  })
  near?: string;
}

export class PublicEventQuery {
  @TextField({ optional: true, max: 64, description: 'Shows the ticket types hidden behind this code' }) accessCode?: string;
}

export class PublicVenueView {
  @IdField() id: string;
  @TextField() name: string;
  @TextField({ nullable: true, max: 500 }) address: string | null;
  @TimeZoneField() timeZone: string;
  @ObjectField(() => LocationDto, { nullable: true }) location: LocationDto | null;
}

export class PublicFieldView {
  @IdField() id: string;
  @TextField() label: string;
  @EnumField(['text', 'choice', 'boolean']) kind: string;
  @BooleanField() required: boolean;
  @TextListField({ optional: true }) choices?: string[];
  @EnumField(['booking', 'ticket']) per: string;
}

export class PublicTicketTypeView {
  @IdField() id: string;
  @TextField() name: string;
  @EnumField(['general', 'seated']) kind: string;
  @ObjectField(() => MoneyDto) price: MoneyDto;
  @TextField({ optional: true }) zone?: string;
  @IntField({ optional: true, min: 1 }) maxPerBooking?: number;
  @IntField({ optional: true, min: 1 }) maxPerPerson?: number;
  @InstantField({ optional: true }) salesStartAt?: Date;
  @InstantField({ optional: true }) salesEndAt?: Date;
}

export class PublicEventView {
  @IdField() id: string;
  @IdField() orgId: string;
  @TextField() title: string;
  @TextField({ nullable: true, max: 20_000 }) description: string | null;
  @InstantField() startsAt: Date;
  @InstantField() endsAt: Date;
  @TimeZoneField() timeZone: string;
  @CurrencyField() currency: string;
  @EnumField(['published', 'cancelled', 'past']) status: EventStatus;
  @ObjectField(() => PublicVenueView, { nullable: true }) venue: PublicVenueView | null;
  @ObjectField(() => CancelPolicyView) cancelPolicy: CancelPolicy;
  @ObjectField(() => PublicFieldView, { list: true }) fields: PublicFieldView[];
  @ObjectField(() => PublicTicketTypeView, { list: true, max: 500 }) ticketTypes: PublicTicketTypeView[];
}

/** What everyone sees; types with an access code only for those who know it. */
export function publicEventView(event: EventSnapshot, accessCode?: string): PublicEventView {
  const { id, orgId, title, description, startsAt, endsAt, timeZone, currency, status, venue, cancelPolicy } = event;
  const shown = (code: string | null) => code === null || code.toLowerCase() === accessCode?.toLowerCase();
  const fields = event.fields.map(({ choices, ...field }) => ({ ...field, ...(choices && { choices }) }));
  const ticketTypes = event.ticketTypes.filter((type) => shown(type.accessCode)).map((type) => ({
    id: type.id, name: type.name, kind: type.kind, price: { amount: type.price, currency }, zone: type.zone ?? undefined,
    maxPerBooking: type.maxPerBooking ?? undefined, maxPerPerson: type.maxPerPerson ?? undefined,
    salesStartAt: type.salesStartAt ?? undefined, salesEndAt: type.salesEndAt ?? undefined,
  })); // prettier-ignore
  return {
    id,
    orgId,
    title,
    description,
    startsAt,
    endsAt,
    timeZone,
    currency,
    status,
    venue,
    cancelPolicy,
    fields,
    ticketTypes,
  };
}
