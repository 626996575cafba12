// Verdicts under idempotency keys, for what is decided without the batch: found again, or kept beside the batch's own.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import type { IdempotencyClaim } from '../platform/http/idempotency.js';
import type { HoldVerdict } from './inventory.rules.js';

interface Kept {
  status: number;
  code: string | null;
  subject_id: string | null;
  request_id: string;
  body_hash: Buffer;
}

@Injectable()
export class VerdictRepository {
  constructor(private readonly db: Database) {}

  /** What a key was answered with before, as the batch would say it; null for a new key. */
  async find(orgId: string, claim: IdempotencyClaim): Promise<HoldVerdict | null> {
    const [kept] = await this.db.prepared<Kept>(
      'verdict-find',
      `SELECT status, code, subject_id, request_id, body_hash FROM platform.idempotency
       WHERE org_id = $1 AND scope = $2 AND key = $3 AND created_at > platform.now() - interval '24 hours'`,
      [orgId, claim.scope, claim.key],
    );
    if (!kept) return null;
    if (!kept.body_hash.equals(claim.bodyHash)) return { said: 'reused' };
    return { said: 'replay', status: kept.status, code: kept.code, bookingId: kept.subject_id, requestId: kept.request_id };
  }

  /** Keeps a refusal; false when the key has a verdict already. */
  async keep(orgId: string, claim: IdempotencyClaim, code: string, requestId: string): Promise<boolean> {
    const [{ kept }] = await this.db.prepared<{ kept: number }>(
      'verdict-keep',
      `SELECT platform.idempotency_keep(ARRAY[$1::uuid], ARRAY[$2::bytea], ARRAY[$3], ARRAY[$4::bytea], ARRAY[409::smallint], ARRAY[$5], ARRAY[NULL::uuid], ARRAY[$6], platform.now()) AS kept`,
      [orgId, claim.scope, claim.key, claim.bodyHash, code, requestId],
    );
    return kept > 0;
  }
}
