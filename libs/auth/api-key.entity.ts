// An API key: what an organizer's program shows. The key itself is known only to who made it; here is what it may do, and until when.
import { Entity } from 'typeorm';
import { Id, InstantColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './auth.personal-data.js';

/** What a key can be allowed. `*` is everything; write includes read. */
export const SCOPES = [
  '*',
  'events:read',
  'events:write',
  'bookings:read',
  'bookings:write',
  'venues:read',
  'venues:write',
  'members:read',
  'members:write',
  'reports:read',
  'keys:write',
] as const;

@Entity({ schema: 'auth', name: 'api_key' })
export class ApiKey {
  @OrgId() orgId: string;
  @Id() id: string;
  @TextColumn() name: string;
  /** Its first characters, by which people tell their keys apart. */
  @TextColumn() hint: string;
  @TextColumn({ array: true }) scopes: string[];
  @InstantColumn({ nullable: true }) expiresAt: Date | null;
  @InstantColumn({ nullable: true }) revokedAt: Date | null = null;
  @TextColumn() createdBy: string;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version = 1;

  revoke(now: Date): void {
    this.revokedAt = now;
  }
}
