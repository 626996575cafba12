// All SQL about promo codes.
import { Injectable } from '@nestjs/common';
import { In } from 'typeorm';
import { decodeCursor, type PageRequest } from '../kernel/pages.js';
import { Database } from '../platform/db/database.js';
import { codeKey, PromoCode } from './promo-code.entity.js';

@Injectable()
export class PromoCodeRepository {
  constructor(private readonly db: Database) {}

  /** The live code of an event; null when there is none. */
  async byCode(orgId: string, eventId: string, code: string): Promise<PromoCode | null> {
    const sql = `SELECT id FROM pricing.promo_code WHERE org_id = $1 AND event_id = $2 AND code_key = $3 AND archived_at IS NULL`;
    const [row] = await this.db.prepared<{ id: string }>('promo-by-code', sql, [orgId, eventId, codeKey(code)]);
    return row ? this.db.find(PromoCode, { orgId, id: row.id }) : null;
  }

  /** A live code by its id; null for another event's, another organization's and archived ones. */
  async byId(orgId: string, eventId: string, id: string): Promise<PromoCode | null> {
    const promo = await this.db.find(PromoCode, { orgId, eventId, id });
    return promo?.archivedAt ? null : promo;
  }

  async countLive(orgId: string, eventId: string): Promise<number> {
    const sql = 'SELECT count(*)::int AS n FROM pricing.promo_code WHERE org_id = $1 AND event_id = $2 AND archived_at IS NULL';
    return (await this.db.query<{ n: number }>(sql, [orgId, eventId]))[0].n;
  }

  /** Live codes in the order in which they were made, one more than the page holds. */
  async page(orgId: string, eventId: string, { limit, cursor }: PageRequest): Promise<PromoCode[]> {
    const sql = `SELECT id FROM pricing.promo_code WHERE org_id = $1 AND event_id = $2 AND archived_at IS NULL
      AND ($3::uuid IS NULL OR id > $3::uuid) ORDER BY id LIMIT $4`;
    const rows = await this.db.query<{ id: string }>(sql, [orgId, eventId, decodeCursor(cursor, 1)?.[0] ?? null, limit + 1]);
    const found = await this.db.findAll(PromoCode, { orgId, id: In(rows.map((row) => row.id)) });
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }
}
