// API keys: made and shown once, listed, revoked.
import { createHash, randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { isId, newId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { hasScope, principalKey } from '../kernel/principal.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { Database } from '../platform/db/database.js';
import { EventStore } from '../platform/eventstore/event.store.js';
import { ApiKey } from './api-key.entity.js';
import { ApiKeyRepository, type ApiKeyRow } from './api-key.repository.js';
import { ApiKeyCreated, ApiKeyRevoked } from './auth.domain-events.js';
import type { ApiKeyView, CreateApiKeyDto, NewApiKeyView } from './organization.dto.js';
import { PrincipalService } from './principal.service.js';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 32 bytes in base 62. */
const KEY_CHARS = 43;

@Injectable()
export class ApiKeyService {
  constructor(
    private readonly db: Database,
    private readonly keys: ApiKeyRepository,
    private readonly events: EventStore,
    private readonly access: Access,
    private readonly principals: PrincipalService,
    private readonly clock: Clock,
  ) {}

  async list(orgId: string, { limit, cursor }: PageRequest): Promise<Page<ApiKeyView>> {
    this.access.demand('read', 'ApiKey', { orgId }, { type: 'Organization', object: { orgId } });
    const after = decodeCursor(cursor, 1)?.[0];
    const rows = await this.keys.list(orgId, isId(after) ? after : null, limit + 1);
    return pageOf(rows, limit, (r) => [r.id], view);
  }

  /** Makes a key. A program can give no scope that it does not hold itself. */
  async create(orgId: string, body: CreateApiKeyDto): Promise<NewApiKeyView> {
    this.access.demand('create', 'ApiKey', { orgId }, { type: 'Organization', object: { orgId } });
    const now = this.clock.now();
    this.demandScopes(body.scopes);
    if (body.expiresAt && body.expiresAt <= now)
      throw invalid([{ pointer: '/expiresAt', detail: 'Choose an instant that is still to come.' }]);
    const secret = newKey();
    const key = new ApiKey();
    key.orgId = orgId;
    key.id = newId(orgId);
    key.name = body.name;
    key.hint = secret.slice(0, 8);
    key.scopes = [...new Set(body.scopes)];
    key.expiresAt = body.expiresAt ?? null;
    key.createdBy = principalKey(this.access.who);
    key.createdAt = now;
    await this.db.transaction(async () => {
      await this.keys.add(key, createHash('sha256').update(secret).digest());
      await this.events.announce(ApiKeyCreated({ orgId, apiKeyId: key.id }), key);
    });
    const { id, name, hint, scopes, expiresAt } = key;
    return { id, key: secret, name, hint, scopes, expiresAt, lastUsedAt: null, createdAt: now };
  }

  async revoke(orgId: string, id: string): Promise<void> {
    this.access.demand('delete', 'ApiKey', { orgId }, { type: 'Organization', object: { orgId } });
    await this.db.transaction(async () => {
      const key = await this.keys.findForUpdate(orgId, id);
      if (!key || key.revokedAt) throw edgeErrors.notFound();
      key.revoke(this.clock.now());
      await this.keys.save(key);
      await this.events.announce(ApiKeyRevoked({ orgId, apiKeyId: id }), key);
      this.db.afterCommit(() => this.principals.forgetApiKey(id));
    });
  }

  private demandScopes(wanted: string[]): void {
    const { who } = this.access;
    if (who.kind !== 'apiKey') return;
    const beyond = wanted.filter((scope) => (scope === '*' ? !who.scopes.includes('*') : !hasScope(who.scopes, scope)));
    if (beyond.length > 0) throw edgeErrors.forbidden({ scopes: beyond }, 'A key can give away only what it may do itself.');
  }
}

/** `evk_` and 32 random bytes in base 62, the same length always. */
function newKey(): string {
  let n = BigInt(`0x${randomBytes(32).toString('hex')}`);
  let text = '';
  while (text.length < KEY_CHARS) {
    text = BASE62[Number(n % 62n)] + text;
    n /= 62n;
  }
  return `evk_${text}`;
}

const view = (r: ApiKeyRow): ApiKeyView => ({
  id: r.id,
  name: r.name,
  hint: r.hint,
  scopes: r.scopes,
  expiresAt: r.expires_at,
  lastUsedAt: r.used_at,
  createdAt: r.created_at,
});
