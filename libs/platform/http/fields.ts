// Fields: decorators that check a field and document it in one word, so that a DTO is the one source of truth.
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  isEmail,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { isId } from '../../kernel/ids.js';
import { isCurrency } from '../../kernel/money.js';
import { isTimeZone, parseInstant } from '../../kernel/time.js';

interface FieldOptions {
  /** May be left out. */
  optional?: boolean;
  /** May be null. */
  nullable?: boolean;
  description?: string;
  example?: unknown;
}

type Api = ApiPropertyOptions & Record<string, unknown>;

/** Presence rules and documentation, shared by all fields. */
function field(o: FieldOptions, api: Api, ...checks: PropertyDecorator[]): PropertyDecorator {
  const skip = ValidateIf((_, value) => !(o.optional && value === undefined) && !(o.nullable && value === null));
  const doc = {
    ...api,
    required: !o.optional,
    ...(o.nullable && { nullable: true }),
    ...(o.description && { description: o.description }),
    ...(o.example !== undefined && { example: o.example }),
  };
  return applyDecorators(skip, ApiProperty(doc as ApiPropertyOptions), ...checks);
}

const check = (name: string, test: (value: unknown) => boolean, message: string) =>
  ValidateBy({ name, validator: { validate: test, defaultMessage: () => message } });

/** Text that Postgres and JSON can both hold: no NUL, no lone surrogates; length in UTF-16 units as JSON Schema nearly counts. */
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0') && value.isWellFormed();

export function TextField(
  o: FieldOptions & { min?: number; max?: number; pattern?: RegExp; writeOnly?: boolean } = {},
): PropertyDecorator {
  const min = o.min ?? 1;
  const max = o.max ?? 200;
  const api: Api = {
    type: 'string',
    minLength: min,
    maxLength: max,
    ...(o.pattern && { pattern: o.pattern.source }),
    ...(o.writeOnly && { writeOnly: true }),
  };
  const length = check(
    'text',
    (v) => isText(v) && v.length >= min && v.length <= max,
    `Send a text of ${min} to ${max} characters, without NUL.`,
  );
  return field(o, api, ...(o.pattern ? [length, Matches(o.pattern)] : [length]));
}

const ID_PATTERN = '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$';

export const IdField = (o: FieldOptions = {}) =>
  field(
    o,
    { type: 'string', format: 'uuid', pattern: ID_PATTERN },
    check('id', isId, 'Send an id as you got it: a lower-case UUID version 7.'),
  );

/** RFC 3339 in and out; a Date inside. */
export const InstantField = (o: FieldOptions = {}) =>
  field(
    o,
    { type: 'string', format: 'date-time' },
    Transform(({ value }) => (typeof value === 'string' ? (parseInstant(value) ?? value) : value)),
    check('instant', (v) => v instanceof Date, 'Send an RFC 3339 instant such as 2027-05-01T18:00:00Z, from 1970 to 9999.'),
  );

export const TimeZoneField = (o: FieldOptions = {}) =>
  field(
    { example: 'Europe/Berlin', ...o },
    { type: 'string', maxLength: 64 },
    check('timeZone', (v) => typeof v === 'string' && isTimeZone(v), 'Send an IANA time zone such as Europe/Berlin.'),
  );

export const CurrencyField = (o: FieldOptions = {}) =>
  field(
    { example: 'EUR', ...o },
    { type: 'string', minLength: 3, maxLength: 3, pattern: '^[A-Z]{3}$' },
    check('currency', isCurrency, 'Send an ISO 4217 code such as EUR.'),
  );

export function IntField(o: FieldOptions & { min?: number; max?: number } = {}): PropertyDecorator {
  const min = o.min ?? 0;
  const max = o.max ?? 2_147_483_647;
  return field(o, { type: 'integer', minimum: min, maximum: max }, IsInt(), Min(min), Max(max));
}

/** Minor units, 0 to 2^53-1. */
export const AmountField = (o: FieldOptions = {}) =>
  IntField({ description: 'Integer minor units', ...o, min: 0, max: Number.MAX_SAFE_INTEGER });

/** `decimals`: so many places after the point at most. (class-validator's own check throws on 1e-7.) */
export function NumberField(o: FieldOptions & { min: number; max: number; decimals?: number }): PropertyDecorator {
  const { min, max, decimals } = o;
  const rounded = (v: unknown) => typeof v === 'number' && (decimals === undefined || Number(v.toFixed(decimals)) === v);
  return field(
    o,
    { type: 'number', minimum: min, maximum: max },
    IsNumber({ allowNaN: false, allowInfinity: false }),
    Min(min),
    Max(max),
    check('decimals', rounded, `Send a number with at most ${decimals} digits after the point.`),
  );
}

export const BooleanField = (o: FieldOptions = {}) => field(o, { type: 'boolean' }, IsBoolean());

export const EnumField = (values: readonly string[], o: FieldOptions = {}) =>
  field(o, { type: 'string', enum: [...values] }, IsIn([...values]));

/** What most addresses look like. isEmail says yes to all of these, and takes as long for it as all other checks of a booking. */
export const PLAIN_ADDRESS =
  /^[A-Za-z0-9]+(?:[._+-][A-Za-z0-9]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}$/;
const LOCAL_PART_MAX = 64;

const isPlain = (address: string) => PLAIN_ADDRESS.test(address) && address.indexOf('@') <= LOCAL_PART_MAX;

/** Text first: class-validator's own check throws on half a surrogate pair. */
export const isMailAddress = (v: unknown) => isText(v) && v.length <= 254 && (isPlain(v) || isEmail(v));

export const EmailField = (o: FieldOptions = {}) =>
  field(
    { example: 'ada@example.org', ...o },
    { type: 'string', format: 'email', maxLength: 254 },
    Transform(({ value }) => (typeof value === 'string' ? value.trim() : value)),
    check('email', isMailAddress, 'Send a mail address such as ada@example.org.'),
  );

const noLists = (value: unknown) => !Array.isArray(value) || !value.some(Array.isArray);

/** A nested object, or with `list` an array of them. */
export function ObjectField(
  type: () => new () => object,
  o: FieldOptions & { list?: boolean; min?: number; max?: number } = {},
): PropertyDecorator {
  const lazy = { type: () => type() }; // Swagger asks a function called `type` for the class, and takes any other for the class itself.
  if (!o.list) return field(o, { type: lazy.type as never }, IsObject(), ValidateNested(), Type(type));
  const size = [IsArray(), ArrayMinSize(o.min ?? 0), ArrayMaxSize(o.max ?? 100)];
  return field(
    o,
    { type: lazy.type as never, isArray: true, minItems: o.min ?? 0, maxItems: o.max ?? 100 },
    ...size,
    check('objects', noLists, 'Send a list of objects.'), // Of a list in it nothing nested would be looked at.
    ValidateNested({ each: true }),
    Type(type),
  );
}

/** A list of texts, each within `max` characters. */
export function TextListField(
  o: FieldOptions & { maxItems?: number; minItems?: number; max?: number; pattern?: RegExp; values?: readonly string[] } = {},
): PropertyDecorator {
  const max = o.max ?? 200;
  const ok = (v: unknown) =>
    isText(v) && v.length >= 1 && v.length <= max && (!o.pattern || o.pattern.test(v)) && (!o.values || o.values.includes(v));
  const items = {
    type: 'string',
    minLength: 1,
    maxLength: max,
    ...(o.pattern && { pattern: o.pattern.source }),
    ...(o.values && { enum: [...o.values] }),
  };
  return field(
    o,
    { type: 'array', items, minItems: o.minItems ?? 0, maxItems: o.maxItems ?? 100 } as Api,
    IsArray(),
    ArrayMinSize(o.minItems ?? 0),
    ArrayMaxSize(o.maxItems ?? 100),
    check(
      'texts',
      (v) => Array.isArray(v) && v.every(ok),
      `Send a list of texts of 1 to ${max} characters${o.values ? `, each of ${o.values.join(', ')}` : ''}.`,
    ),
  );
}

/** A number given as text in a query string. */
export const asNumber = () =>
  Transform(({ value }) => (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value));

/** `{amount, currency}`. */
export class MoneyDto {
  @AmountField({ example: 2500 }) amount: number;
  @CurrencyField() currency: string;
}

/** `?limit=&cursor=` of every list. */
export class PageQuery {
  @asNumber() @IntField({ optional: true, min: 1, max: 200, description: 'Items in a page, 50 unless given' }) limit: number = 50;
  @TextField({ optional: true, max: 1000, description: 'nextCursor of the page before' }) cursor?: string;
}

/** Any JSON value: what it must be depends on something else, which checks it. */
export const AnyJsonField = (o: FieldOptions = {}) =>
  field(
    o,
    {
      oneOf: [
        { type: 'string' },
        { type: 'number' },
        { type: 'boolean' },
        { type: 'array', items: {} },
        { type: 'object', additionalProperties: true },
      ],
    } as Api,
    check('given', (v) => v !== undefined && v !== null, 'Send a value.'),
  );
