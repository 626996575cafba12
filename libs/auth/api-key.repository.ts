// All SQL about API keys: the rows, the directory that finds one by its hash, and when each was last used.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { ApiKey } from './api-key.entity.js';

export interface LiveKey {
  org_id: string;
  id: string;
  scopes: string[];
  expires_at: Date | null;
}

export interface ApiKeyRow extends LiveKey {
  name: string;
  hint: string;
  created_at: Date;
  used_at: Date | null;
}

@Injectable()
export class ApiKeyRepository {
  constructor(private readonly db: Database) {}

  async add(key: ApiKey, hash: Buffer): Promise<void> {
    await this.db.insert(key);
    await this.db.execute(`INSERT INTO auth.api_key_directory (hash, org_id, api_key_id) VALUES ($1, $2, $3)`, [
      hash,
      key.orgId,
      key.id,
    ]);
  }

  save(key: ApiKey): Promise<void> {
    return this.db.saveVersioned(key);
  }

  findForUpdate(orgId: string, id: string): Promise<ApiKey | null> {
    return this.db.findForUpdate(ApiKey, { orgId, id });
  }

  /** The key of this hash, unless it is revoked or expired. */
  async liveByHash(hash: Buffer): Promise<LiveKey | undefined> {
    const [row] = await this.db.prepared<LiveKey>(
      'api-key-live',
      `SELECT k.org_id, k.id, k.scopes, k.expires_at FROM auth.api_key_directory d
       JOIN auth.api_key k ON k.org_id = d.org_id AND k.id = d.api_key_id
       WHERE d.hash = $1 AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > platform.now())`,
      [hash],
    );
    return row;
  }

  /** Writes at most once a minute, whoever asks. */
  async noteUse(orgId: string, id: string): Promise<void> {
    await this.db.prepared(
      'api-key-use',
      `INSERT INTO auth.api_key_use AS u (org_id, api_key_id, used_at) VALUES ($1, $2, platform.now())
       ON CONFLICT (org_id, api_key_id) DO UPDATE SET used_at = excluded.used_at WHERE u.used_at < excluded.used_at - interval '1 minute'`,
      [orgId, id],
    );
  }

  /** Keys that were not revoked, newest first, after a cursor. */
  list(orgId: string, after: string | null, limit: number): Promise<ApiKeyRow[]> {
    return this.db.query<ApiKeyRow>(
      `SELECT k.org_id, k.id, k.name, k.hint, k.scopes, k.expires_at, k.created_at, u.used_at
       FROM auth.api_key k LEFT JOIN auth.api_key_use u ON u.org_id = k.org_id AND u.api_key_id = k.id
       WHERE k.org_id = $1 AND k.revoked_at IS NULL AND ($2::uuid IS NULL OR k.id < $2) ORDER BY k.id DESC LIMIT $3`,
      [orgId, after, limit],
    );
  }
}
