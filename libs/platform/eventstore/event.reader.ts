// The event store's reader: a stream's domain events in order, and the rows they add up to (history, state at a past time, verify).
import { Injectable } from '@nestjs/common';
import { Database } from '../db/database.js';

export interface StoredEvent {
  streamVersion: number;
  type: string;
  data: Record<string, unknown> & { rows?: Record<string, Record<string, unknown>[]> };
  actor: string;
  requestId: string;
  occurredAt: Date;
}

/** Folded rows: by table, then by primary key. */
export type FoldedRows = Map<string, Map<string, Record<string, unknown>>>;

@Injectable()
export class EventReader {
  private readonly keys = new Map<string, Promise<string[]>>();

  constructor(private readonly db: Database) {}

  /** Events of a stream after a version, the oldest first; with `until`, only those that had occurred by then. */
  ofStream(orgId: string, stream: string, part: { after: number; limit: number; until?: Date }): Promise<StoredEvent[]> {
    return this.db.query<StoredEvent>(
      `SELECT stream_version AS "streamVersion", type, data, actor, request_id AS "requestId", occurred_at AS "occurredAt" FROM platform.event
       WHERE org_id = $1 AND stream = $2 AND stream_version > $3 AND ($4::timestamptz IS NULL OR occurred_at <= $4) ORDER BY stream_version LIMIT $5`,
      [orgId, stream, part.after, part.until?.toISOString() ?? null, part.limit],
    );
  }

  /** Adds up what events say of rows: each row an event carries replaces the columns it names of the row with the same primary key. */
  async fold(events: Iterable<StoredEvent>, into: FoldedRows = new Map()): Promise<FoldedRows> {
    for (const event of events) {
      for (const [table, rows] of Object.entries(event.data.rows ?? {})) {
        const key = await this.primaryKey(table);
        const folded = into.get(table) ?? into.set(table, new Map()).get(table)!;
        for (const row of rows) {
          const id = JSON.stringify(key.map((column) => row[column]));
          folded.set(id, { ...folded.get(id), ...row });
        }
      }
    }
    return into;
  }

  /** The columns of a table's primary key, in their order. */
  primaryKey(table: string): Promise<string[]> {
    let key = this.keys.get(table);
    if (!key) {
      key = this.db
        .query<{ name: string }>(
          `SELECT a.attname AS name FROM pg_index i, unnest(i.indkey) WITH ORDINALITY k(attnum, ord)
           JOIN pg_attribute a ON a.attnum = k.attnum WHERE i.indrelid = $1::regclass AND i.indisprimary AND a.attrelid = i.indrelid ORDER BY k.ord`,
          [table],
        )
        .then((rows) => rows.map((r) => r.name));
      this.keys.set(table, key);
    }
    return key;
  }
}
