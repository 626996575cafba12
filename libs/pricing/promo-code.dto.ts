// Promo codes as they come in and go out to organizers.
import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateBy, ValidateIf } from 'class-validator';
import { isAmount, isCurrency, type Money } from '../kernel/money.js';
import {
  AmountField,
  CurrencyField,
  IdField,
  InstantField,
  IntField,
  MoneyDto,
  NumberField,
  TextField,
} from '../platform/http/fields.js';
import type { PromoCode } from './promo-code.entity.js';
import type { Wanted } from './promo-code.service.js';

const CODE = {
  max: 64,
  pattern: /^[A-Za-z0-9._-]+$/,
  description: 'Compared without case; unique within the event',
  example: 'EARLY10',
};
const PERCENT = { decimals: 2, min: 0.01, max: 100, description: 'Off each line, rounded half up; up to two decimals' };
const USES = { min: 1, max: 1_000_000_000, nullable: true, description: 'Bookings it may be used by; unlimited unless given' };
const PER_PERSON = { min: 1, max: 1_000_000, nullable: true, description: 'Bookings of one person it may be used by' };
const WHEN = { nullable: true };

/** Minor units of the event's currency: a plain number, or money that says so. */
function DiscountField(o: { nullable?: boolean } = {}): PropertyDecorator {
  const isMoney = (v: unknown): v is Money =>
    typeof v === 'object' &&
    v !== null &&
    Object.keys(v).length === 2 &&
    isAmount((v as Money).amount) &&
    isCurrency((v as Money).currency);
  const valid = (v: unknown) => (isMoney(v) ? v.amount > 0 : isAmount(v) && v > 0);
  const message = 'Send whole minor units above 0, as a number or as {amount, currency}.';
  const number = { type: 'integer', minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
  return applyDecorators(
    ValidateIf((_, v) => v !== undefined && !(o.nullable && v === null)),
    ApiExtraModels(MoneyDto) as PropertyDecorator,
    ApiProperty({
      oneOf: [number, { $ref: getSchemaPath(MoneyDto) }],
      required: false,
      description: 'Off the booking’s total, at most all of it, in the event’s currency',
      ...(o.nullable && { nullable: true }),
    } as never),
    Transform(({ obj, key }) => (obj as Record<string, unknown>)[key]), // As it came: it is checked here as a whole.
    ValidateBy({ name: 'discount', validator: { validate: valid, defaultMessage: () => message } }),
  );
}

export class CreatePromoCodeDto {
  @TextField(CODE) code: string;
  @NumberField({ optional: true, ...PERCENT }) percent?: number;
  @DiscountField() amount?: number | Money;
  @IntField({ optional: true, ...USES }) maxUses?: number | null;
  @IntField({ optional: true, ...PER_PERSON }) maxPerPerson?: number | null;
  @InstantField({ optional: true, ...WHEN }) from?: Date | null;
  @InstantField({ optional: true, ...WHEN }) until?: Date | null;
}

export class ChangePromoCodeDto {
  @NumberField({ optional: true, nullable: true, ...PERCENT }) percent?: number | null;
  @DiscountField({ nullable: true }) amount?: number | Money | null;
  @IntField({ optional: true, ...USES }) maxUses?: number | null;
  @IntField({ optional: true, ...PER_PERSON }) maxPerPerson?: number | null;
  @InstantField({ optional: true, ...WHEN }) from?: Date | null;
  @InstantField({ optional: true, ...WHEN }) until?: Date | null;
}

/** What the service is asked for: an amount is a number there, its currency beside it. */
export function wantedOf({ amount, percent, maxUses, maxPerPerson, from, until }: ChangePromoCodeDto): Wanted {
  const money = typeof amount === 'object' && amount !== null ? amount : { amount, currency: undefined };
  return { percent, maxUses, maxPerPerson, from, until, amount: money.amount, currency: money.currency };
}

export class PromoCodeView {
  @IdField() id: string;
  @IdField() eventId: string;
  @TextField(CODE) code: string;
  @NumberField({ nullable: true, ...PERCENT }) percent: number | null;
  @AmountField({ nullable: true }) amount: number | null;
  @CurrencyField({ description: 'Of amount' }) currency: string;
  @IntField(USES) maxUses: number | null;
  @IntField(PER_PERSON) maxPerPerson: number | null;
  @InstantField(WHEN) from: Date | null;
  @InstantField(WHEN) until: Date | null;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export function promoCodeView(promo: PromoCode): PromoCodeView {
  const { id, eventId, code, percent, amount, currency, maxUses, maxPerPerson, from, until, createdAt, version } = promo;
  return { id, eventId, code, percent, amount, currency, maxUses, maxPerPerson, from, until, createdAt, version };
}
