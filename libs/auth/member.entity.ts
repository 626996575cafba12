// A member: an account's role in an organization. One who left keeps the row, so that history has it.
import { Entity, PrimaryColumn } from 'typeorm';
import type { Role } from '../kernel/principal.js';
import { InstantColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';

@Entity({ schema: 'auth', name: 'member' })
export class Member {
  @OrgId() orgId: string;
  @PrimaryColumn('uuid', { name: 'account_id' }) accountId: string;
  @TextColumn() role: Role;
  @InstantColumn() joinedAt: Date;
  @InstantColumn({ nullable: true }) leftAt: Date | null = null;
  @VersionColumn() version = 1;

  get active(): boolean {
    return this.leftAt === null;
  }

  /** Takes up a role: again, after having left, or a higher one than before. */
  join(role: Role, now: Date): void {
    if (!this.active) this.joinedAt = now;
    this.role = role;
    this.leftAt = null;
  }

  leave(now: Date): void {
    this.leftAt = now;
  }
}
