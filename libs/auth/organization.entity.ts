// An organization: the tenant. The tag at the end of its id ends every id of what it owns.
import { Entity } from 'typeorm';
import { InstantColumn, OrgId, TextColumn, VersionColumn } from '../platform/db/columns.js';
import './auth.personal-data.js';

@Entity({ schema: 'auth', name: 'organization' })
export class Organization {
  @OrgId() orgId: string;
  @TextColumn() name: string;
  @TextColumn() slug: string;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version = 1;
}
