// How mail leaves: the server to hand it to, and whom it is from. Without a server mails go into a table (npm run mails).
import { IsEmail, Matches, ValidateIf } from 'class-validator';
import { Env } from '../platform/config/config.reader.js';

export class MailConfig {
  /** `smtp://user:password@host:587` (STARTTLS where offered) or `smtps://user:password@host:465`; nodemailer's options as a query. */
  @Env('SMTP_URL')
  @ValidateIf((c: MailConfig) => c.smtpUrl !== undefined)
  @Matches(/^smtps?:\/\/[^\s/?#]+/, { message: 'must start with smtp:// or smtps:// and name a host' })
  smtpUrl?: string;

  /** `Evently <tickets@example.org>`: an address that the server of SMTP_URL may send from. */
  @Env('MAIL_FROM')
  @ValidateIf((c: MailConfig) => c.smtpUrl !== undefined || c.mailFrom !== undefined)
  @IsEmail(
    { allow_display_name: true, require_tld: false },
    { message: 'must be a mail address such as Evently <tickets@example.org>; SMTP_URL needs it' },
  )
  mailFrom?: string;
}
