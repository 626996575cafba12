// An account: one person, with a mail address to log in by, a way to be addressed and hours of quiet.
import { Entity, PrimaryColumn } from 'typeorm';
import { InstantColumn, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './auth.personal-data.js';
import type { Link } from './mailed-token.rules.js';

const HOUR = 3_600_000;

@Entity({ schema: 'auth', name: 'account' })
export class Account {
  @PrimaryColumn('uuid', { name: 'account_id' }) id: string;
  /** As the person wrote it; the directory compares it without case. */
  @TextColumn() email: string;
  @TextColumn() name: string;
  @TextColumn() locale: string;
  @TextColumn({ nullable: true }) timeZone: string | null = null;
  @TextColumn({ nullable: true }) phone: string | null = null;
  /** `HH:MM` in the account's zone; both or neither. */
  @TextColumn({ nullable: true }) quietFrom: string | null = null;
  @TextColumn({ nullable: true }) quietTo: string | null = null;
  /** Null for one that cannot log in by password. */
  @TextColumn({ nullable: true }) passwordHash: string | null;
  @InstantColumn({ nullable: true }) emailVerifiedAt: Date | null = null;
  /** When the verification link that counts was asked for; null when none does. */
  @InstantColumn({ nullable: true }) verificationAskedAt: Date | null = null;
  /** When the password reset link that counts was asked for; null when none does. */
  @InstantColumn({ nullable: true }) resetAskedAt: Date | null = null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version = 1;

  /** False when there is nothing to verify any more. */
  askVerification(now: Date): boolean {
    if (this.emailVerifiedAt) return false;
    this.verificationAskedAt = now;
    return true;
  }

  verifyEmail(now: Date): void {
    this.emailVerifiedAt ??= now;
    this.verificationAskedAt = null;
  }

  askPasswordReset(now: Date): void {
    this.resetAskedAt = now;
  }

  /** A new password ends every link to a reset. */
  setPassword(hash: string): void {
    this.passwordHash = hash;
    this.resetAskedAt = null;
  }

  /** The link that was mailed last and may still be used, 24 hours long. */
  verificationLink(now: Date): Link | null {
    return this.link('email-verification', this.verificationAskedAt, 24 * HOUR, now);
  }

  /** The same for a password reset, one hour long. */
  resetLink(now: Date): Link | null {
    return this.link('password-reset', this.resetAskedAt, HOUR, now);
  }

  private link(kind: Link['kind'], askedAt: Date | null, lifeMs: number, now: Date): Link | null {
    if (!askedAt || askedAt.getTime() + lifeMs <= now.getTime()) return null;
    return { kind, id: this.id, version: askedAt.getTime(), expiresAt: new Date(askedAt.getTime() + lifeMs) };
  }
}
