// Accounts: bodies and views.
import { BooleanField, EmailField, IdField, IntField, ObjectField, TextField, TimeZoneField } from '../platform/http/fields.js';
import type { Account } from './account.entity.js';
import { NewPasswordField } from './session.dto.js';

const LOCALE = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$/;
const TIME = /^([01][0-9]|2[0-3]):[0-5][0-9]$/;
const PHONE = /^\+[1-9][0-9]{6,14}$/;

const LocaleField = (o: { optional?: boolean } = {}) =>
  TextField({ ...o, max: 12, pattern: LOCALE, description: 'BCP 47', example: 'en-GB' });
const NameField = (o: { optional?: boolean } = {}) => TextField({ ...o, max: 200, pattern: /\S/, example: 'Ada Lovelace' });

export class RegisterDto {
  @EmailField() email: string;
  @NewPasswordField() password: string;
  @NameField() name: string;
  @LocaleField({ optional: true }) locale?: string;
  @TimeZoneField({ optional: true }) timeZone?: string;
}

/** Hours in which only what is urgent is sent, in the account's zone; from 22:00 to 07:00 goes over midnight. */
export class QuietHours {
  @TextField({ max: 5, pattern: TIME, example: '22:00' }) from: string;
  @TextField({ max: 5, pattern: TIME, example: '07:00' }) to: string;
}

/** What is left out stays; null takes away. */
export class ChangeAccountDto {
  @NameField({ optional: true }) name?: string;
  @LocaleField({ optional: true }) locale?: string;
  @TimeZoneField({ optional: true, nullable: true }) timeZone?: string | null;
  @TextField({ optional: true, nullable: true, max: 16, pattern: PHONE, description: 'E.164', example: '+4930123456' })
  phone?: string | null;
  @ObjectField(() => QuietHours, { optional: true, nullable: true }) quietHours?: QuietHours | null;
}

export class AccountView {
  @IdField() id: string;
  @EmailField() email: string;
  @BooleanField() emailVerified: boolean;
  @NameField() name: string;
  @LocaleField() locale: string;
  @TimeZoneField({ description: 'UTC until one is chosen' }) timeZone: string;
  @TextField({ optional: true, pattern: PHONE }) phone?: string;
  @ObjectField(() => QuietHours, { optional: true }) quietHours?: QuietHours;
  @IntField() version: number;
}

export function accountView(a: Account): AccountView {
  return {
    id: a.id,
    email: a.email,
    emailVerified: a.emailVerifiedAt !== null,
    name: a.name,
    locale: a.locale,
    timeZone: a.timeZone ?? 'UTC',
    ...(a.phone !== null && { phone: a.phone }),
    ...(a.quietFrom !== null && a.quietTo !== null && { quietHours: { from: a.quietFrom, to: a.quietTo } }),
    version: a.version,
  };
}
