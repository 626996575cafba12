// Logging in and out: bodies and views.
import { BooleanField, EmailField, IdField, InstantField, IntField, TextField } from '../platform/http/fields.js';

/** Passwords: any characters, 8 of them at least (NIST SP 800-63B, 5.1.1). */
export const PASSWORD_CHARS = { min: 8, max: 200 };
export const NewPasswordField = () => TextField({ ...PASSWORD_CHARS, writeOnly: true });
/** One that is only compared may be of any length that a body holds. */
const PasswordField = () => TextField({ min: 1, max: 200, writeOnly: true });
const MailedTokenField = () => TextField({ max: 200, description: 'The token of the mailed link' });

export class LoginDto {
  @EmailField() email: string;
  @PasswordField() password: string;
}

export class RefreshDto {
  @TextField({ max: 200 }) refreshToken: string;
}

export class LogoutDto {
  @TextField({ optional: true, max: 200, description: 'Ends the session of this token; without it, that of the bearer' })
  refreshToken?: string;
}

export class EmailDto {
  @EmailField() email: string;
}

export class MailedTokenDto {
  @MailedTokenField() token: string;
}

export class ResetPasswordDto {
  @MailedTokenField() token: string;
  @NewPasswordField() password: string;
}

export class ChangePasswordDto {
  @PasswordField() currentPassword: string;
  @NewPasswordField() newPassword: string;
}

export class TokenReply {
  @TextField({ max: 2048, description: 'RS256, verifiable with /.well-known/jwks.json' }) accessToken: string;
  @TextField({ max: 200, description: 'Counts once: each refresh gives a new one' }) refreshToken: string;
  @IntField({ description: 'Seconds until the access token ends', example: 900 }) expiresIn: number;
}

export class SessionView {
  @IdField() id: string;
  @BooleanField({ description: 'The session that is asking' }) current: boolean;
  @TextField({ nullable: true, max: 300 }) userAgent: string | null;
  @TextField() ip: string;
  @InstantField() startedAt: Date;
  @InstantField() lastSeenAt: Date;
}
