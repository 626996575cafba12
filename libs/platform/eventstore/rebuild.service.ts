// Rebuild: makes one stored row what its history says it is. Personal columns keep what is stored: history does not know them.
import { Injectable } from '@nestjs/common';
import { NO_ORG } from '../../kernel/ids.js';
import { Database } from '../db/database.js';
import type { Difference } from './books.spi.js';
import { EventReader, type StoredEvent } from './event.reader.js';
import { VerifyRepository } from './verify.repository.js';
import { ident, orgColumn, quoted, type TableShape } from './verify.rules.js';

export interface RebuildPlan {
  table: string;
  key: string;
  /** What would change, column by column; `*` where the row is missing. */
  changes: Difference[];
  /** Columns that differ and that history only knows a digest of: they need a backup or their author. */
  lost: string[];
  /** Columns that must have a value, that history does not know, and that an inserted row gets empty. */
  empty: string[];
}

/** What cannot be rebuilt, in a sentence for the operator. */
export class CannotRebuild extends Error {}

type Row = Record<string, unknown>;

@Injectable()
export class Rebuild {
  constructor(
    private readonly db: Database,
    private readonly reader: EventReader,
    private readonly verify: VerifyRepository,
  ) {}

  /** What rebuilding would do; writes nothing. `key` holds the values of the primary key, in its order. */
  async plan(table: string, key: readonly string[]): Promise<RebuildPlan> {
    const shape = await this.shapeOf(table, key);
    return this.planOf(shape, key, await this.folded(shape, key));
  }

  /** Does it, under the row's lock, so that whoever changes the row right now is done or waits. */
  async apply(table: string, key: readonly string[]): Promise<RebuildPlan> {
    const shape = await this.shapeOf(table, key);
    return this.db.transaction(async () => {
      const where = shape.key.map((k, i) => `${ident(k)}::text = $${i + 1}`).join(' AND ');
      const stored = await this.db.query(`SELECT 1 FROM ${quoted(table)} WHERE ${where} FOR UPDATE`, [...key]);
      const row = await this.folded(shape, key);
      const plan = await this.planOf(shape, key, row);
      if (stored.length > 0) await this.update(shape, row);
      else await this.insert(shape, row, plan.empty);
      return plan;
    });
  }

  private async shapeOf(table: string, key: readonly string[]): Promise<TableShape> {
    if (!this.verify.aggregates().includes(table))
      throw new CannotRebuild(`${table} has no history. Those that have one: ${this.verify.aggregates().join(', ')}.`);
    const shape = await this.verify.shape(table);
    if (!shape) throw new CannotRebuild(`The database has no table ${table}: migrate it first.`);
    if (shape.key.length !== key.length) throw new CannotRebuild(`Name a row of ${table} by its key: ${shape.key.join(' ')}.`);
    return shape;
  }

  /** The row that its history adds up to. */
  private async folded(shape: TableShape, key: readonly string[]): Promise<Row> {
    const given = Object.fromEntries(shape.key.map((k, i) => [k, key[i]]));
    const orgId = orgColumn(shape) ? String(given.org_id) : NO_ORG;
    const wanted = shape.key.map((k) => `'${k}', to_jsonb(e.${ident(k)})`).join(', ');
    const events = await this.db
      .query<StoredEvent>(
        `SELECT s.stream_version AS "streamVersion", s.type, jsonb_build_object('rows', s.data -> 'rows') AS data, s.actor,
           s.request_id AS "requestId", s.occurred_at AS "occurredAt"
         FROM platform.event s, jsonb_populate_record(NULL::${quoted(shape.name)}, $2::jsonb) e
         WHERE s.org_id = $1 AND s.data -> 'rows' -> '${shape.name}' @> jsonb_build_array(jsonb_build_object(${wanted}))
         ORDER BY s.stream, s.stream_version`,
        [orgId, JSON.stringify(given)],
      )
      .catch((e: Error) => {
        throw new CannotRebuild(`${key.join(' ')} is no key of ${shape.name}: ${e.message}`);
      });
    const rows = (await this.reader.fold(events)).get(shape.name) ?? new Map<string, Row>();
    for (const row of rows.values()) if (shape.key.every((k, i) => String(row[k]) === key[i])) return row;
    throw new CannotRebuild(`No domain event tells of ${shape.name} ${key.join(' ')}: there is nothing to rebuild it from.`);
  }

  private async planOf(shape: TableShape, key: readonly string[], row: Row): Promise<RebuildPlan> {
    const { found, differences } = await this.verify.compare(shape, [row]);
    const orgId = orgColumn(shape) ? String(row.org_id) : NO_ORG;
    const hidden = new Set(shape.digested.map((c) => c.name));
    const unknown = shape.columns.filter((c) => shape.personal.includes(c.name) || hidden.has(c.name));
    const needed = unknown.filter((c) => c.notNull && c.default === null);
    return {
      table: shape.name,
      key: key.join('/'),
      changes: differences.filter((d) => !hidden.has(d.column)).map((d) => ({ orgId, table: shape.name, ...d })),
      lost: differences.filter((d) => hidden.has(d.column)).map((d) => d.column),
      empty: found > 0 ? [] : needed.map((c) => c.name),
    };
  }

  /** Columns that history knows the value of, and the table still has. */
  private known(shape: TableShape, row: Row): string[] {
    const unknown = new Set([...shape.personal, ...shape.digested.map((c) => c.name)]);
    return shape.columns.map((c) => c.name).filter((c) => c in row && !unknown.has(c));
  }

  private async update(shape: TableShape, row: Row): Promise<void> {
    const columns = this.known(shape, row).filter((c) => !shape.key.includes(c));
    if (columns.length === 0) return;
    const set = columns.map((c) => `${ident(c)} = e.${ident(c)}`).join(', ');
    const where = shape.key.map((k) => `t.${ident(k)} = e.${ident(k)}`).join(' AND ');
    await this.db.execute(
      `UPDATE ${quoted(shape.name)} t SET ${set} FROM jsonb_populate_record(NULL::${quoted(shape.name)}, $1::jsonb - $2::text[]) e WHERE ${where}`,
      [JSON.stringify(row), shape.digested.map((c) => c.name)],
    );
  }

  /** An empty text is all that a needed column gets which history does not know: no value is invented. */
  private async insert(shape: TableShape, row: Row, empty: readonly string[]): Promise<void> {
    const odd = shape.columns.filter((c) => empty.includes(c.name) && c.type !== 'text');
    if (odd.length > 0)
      throw new CannotRebuild(
        `${shape.name} cannot be inserted without ${odd.map((c) => c.name).join(', ')}, which no history knows.`,
      );
    const columns = this.known(shape, row);
    const names = [...columns, ...empty].map(ident).join(', ');
    const values = [...columns.map((c) => `e.${ident(c)}`), ...empty.map(() => `''`)].join(', ');
    await this.db.execute(
      `INSERT INTO ${quoted(shape.name)} (${names}) SELECT ${values} FROM jsonb_populate_record(NULL::${quoted(shape.name)}, $1::jsonb - $2::text[]) e`,
      [JSON.stringify(row), shape.digested.map((c) => c.name)],
    );
  }
}
