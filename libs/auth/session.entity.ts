// A session: one login on one device, and with it one family of refresh tokens.
import { Entity, PrimaryColumn } from 'typeorm';
import { Id, InstantColumn, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './auth.personal-data.js';

/** Why it ended: the person left, somebody ended it from elsewhere, a used refresh token came again, the password changed. */
export type SessionEnd = 'logout' | 'revoked' | 'reuse' | 'password';

@Entity({ schema: 'auth', name: 'session' })
export class Session {
  @PrimaryColumn('uuid', { name: 'account_id' }) accountId: string;
  @Id() id: string;
  @TextColumn({ nullable: true }) userAgent: string | null;
  @TextColumn() ip: string;
  @InstantColumn() createdAt: Date;
  @InstantColumn({ nullable: true }) endedAt: Date | null = null;
  @TextColumn({ nullable: true }) endReason: SessionEnd | null = null;
  @VersionColumn() version = 1;

  end(reason: SessionEnd, now: Date): void {
    this.endedAt = now;
    this.endReason = reason;
  }
}
