// An invitation: a role in an organization, offered to a mail address for 14 days, taken up with the mailed token.
import { Entity } from 'typeorm';
import type { Role } from '../kernel/principal.js';
import { Id, IdColumn, InstantColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './auth.personal-data.js';
import type { Link } from './mailed-token.rules.js';

export const INVITATION_MS = 14 * 24 * 3_600_000;

/** What the row says; `expired` is seen by the clock alone. */
export type InvitationStatus = 'open' | 'accepted' | 'revoked' | 'expired';

@Entity({ schema: 'auth', name: 'invitation' })
export class Invitation {
  @OrgId() orgId: string;
  @Id() id: string;
  @TextColumn() email: string;
  @TextColumn() role: Role;
  @TextColumn() status: Exclude<InvitationStatus, 'expired'> = 'open';
  @InstantColumn() expiresAt: Date;
  /** The principal that invited, as domain events name it. */
  @TextColumn() invitedBy: string;
  @IdColumn({ nullable: true }) acceptedBy: string | null = null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version = 1;

  statusAt(now: Date): InvitationStatus {
    return this.status === 'open' && this.expiresAt <= now ? 'expired' : this.status;
  }

  accept(accountId: string): void {
    this.status = 'accepted';
    this.acceptedBy = accountId;
  }

  revoke(): void {
    this.status = 'revoked';
  }

  /** The mailed link, while it may be used. */
  link(now: Date): Link | null {
    if (this.statusAt(now) !== 'open') return null;
    return { kind: 'invitation', id: this.id, version: this.version, expiresAt: this.expiresAt };
  }
}
