// Verify's reads: what tables domain events explain, whose they are, the history in its order, and the comparison of folded with stored rows.
import { Injectable } from '@nestjs/common';
import { getMetadataArgsStorage } from 'typeorm';
import { NO_ORG } from '../../kernel/ids.js';
import { Database } from '../db/database.js';
import { pendingMigrations } from '../db/migrations.js';
import { PlatformConfig } from '../config/platform.config.js';
import { MAX_LISTED, type Difference } from './books.spi.js';
import type { StoredEvent } from './event.reader.js';
import {
  censusSql,
  compareSql,
  orgColumn,
  orphansSql,
  quoted,
  shapeOf,
  type ColumnShape,
  type TableShape,
} from './verify.rules.js';

/** How many rows, and the sum of their keys' hashes: two sets with the same census are taken for the same. */
export interface Census {
  found: number;
  hash: bigint;
}

type Told = Omit<Difference, 'orgId' | 'table'>;

export interface StreamEvent extends StoredEvent {
  stream: string;
}

@Injectable()
export class VerifyRepository {
  private readonly shapes = new Map<string, Promise<TableShape | null>>();

  constructor(
    private readonly db: Database,
    private readonly config: PlatformConfig,
  ) {}

  /** Names of migrations the database lacks: what it stores cannot be judged by this program then. */
  pending(): Promise<string[]> {
    return pendingMigrations(this.config.databaseUrl);
  }

  /**
   * Runs work in one snapshot of the database, without the limits that requests have. It writes nothing and takes no transaction id,
   * so nobody waits for it, and consumers of domain events move on.
   */
  snapshot<T>(work: () => Promise<T>): Promise<T> {
    return this.db.transaction(
      async () => {
        await this.db.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
        return work();
      },
      { unlimited: true },
    );
  }

  /** Tables that domain events explain: those of every entity. Bookkeeping has no entity. */
  aggregates(): string[] {
    const tables = getMetadataArgsStorage().tables.map((t) => `${t.schema ?? 'public'}.${t.name ?? ''}`);
    return [...new Set(tables)].sort();
  }

  /** Null for a table that is not there (any more). */
  shape(table: string): Promise<TableShape | null> {
    let shape = this.shapes.get(table);
    if (!shape) this.shapes.set(table, (shape = this.readShape(table)));
    return shape;
  }

  private async readShape(table: string): Promise<TableShape | null> {
    const columns = await this.db.query<ColumnShape & { place: number | null }>(
      `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS "notNull", pg_get_expr(d.adbin, d.adrelid) AS default,
         array_position(i.indkey::int2[], a.attnum) AS place
       FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.attgenerated = ''
       LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
       WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`,
      [quoted(table)],
    );
    const key = columns.filter((c) => c.place !== null).sort((a, b) => a.place! - b.place!);
    if (key.length === 0) return null;
    return shapeOf(table, key.map((c) => c.name), columns.map(({ place: _p, ...c }) => c)); // prettier-ignore
  }

  /** Every organization that has a history or rows, by id; NO_ORG, for what belongs to none, among them. Each is one step through an index. */
  async organizations(tables: readonly TableShape[]): Promise<string[]> {
    const found = new Set<string>([NO_ORG]);
    const sources = ['platform.event', ...tables.filter((t) => orgColumn(t)).map((t) => quoted(t.name))];
    for (const source of sources) {
      const rows = await this.db.query<{ org: string }>(
        `WITH RECURSIVE o AS ((SELECT org_id FROM ${source} ORDER BY org_id LIMIT 1)
           UNION ALL SELECT (SELECT s.org_id FROM ${source} s WHERE s.org_id > o.org_id ORDER BY s.org_id LIMIT 1) FROM o WHERE o.org_id IS NOT NULL)
         SELECT org_id AS org FROM o WHERE org_id IS NOT NULL`,
      );
      for (const { org } of rows) found.add(org);
    }
    return [...found].sort();
  }

  /** The next domain events of an organization, in the order of streams and their versions, after a place. */
  events(orgId: string, after: { stream: string; streamVersion: number }, limit: number): Promise<StreamEvent[]> {
    return this.db.prepared<StreamEvent>(
      'verify-events',
      `SELECT stream, stream_version AS "streamVersion", type, jsonb_build_object('rows', data -> 'rows') AS data, actor,
         request_id AS "requestId", occurred_at AS "occurredAt"
       FROM platform.event WHERE org_id = $1 AND (stream, stream_version) > ($2, $3) ORDER BY stream, stream_version LIMIT $4`,
      [orgId, after.stream, after.streamVersion, limit],
    );
  }

  /** Folded rows of one table beside the stored ones. */
  async compare(shape: TableShape, rows: readonly unknown[]): Promise<Census & { differences: Told[] }> {
    const [told] = await this.db.query<{ found: number; hash: string; differences: Told[] }>(compareSql(shape), [
      JSON.stringify(rows),
    ]);
    return { ...told, hash: BigInt(told.hash) };
  }

  async census(shape: TableShape, orgId: string): Promise<Census> {
    const [told] = await this.db.query<{ found: number; hash: string }>(censusSql(shape), [orgId]);
    return { found: told.found, hash: BigInt(told.hash) };
  }

  async orphans(shape: TableShape, orgId: string): Promise<string[]> {
    const rows = await this.db.query<{ key: string }>(orphansSql(shape), [orgId, MAX_LISTED]);
    return rows.map((r) => r.key);
  }

  savepoint<T>(work: () => Promise<T>): Promise<T> {
    return this.db.savepoint(work);
  }
}
