// Verify: folds every stream of the event store, one organization after another, and compares with what is stored; then asks every context for its books.
import { Injectable } from '@nestjs/common';
import { NO_ORG } from '../../kernel/ids.js';
import { SpiRegistry } from '../spi/spi.registry.js';
import { BooksSpi, type Difference } from './books.spi.js';
import { EventReader, type FoldedRows } from './event.reader.js';
import { VerifyRepository, type Census, type StreamEvent } from './verify.repository.js';
import { orgColumn, type TableShape } from './verify.rules.js';

/** What is in memory at a time: events of a page, and folded rows of a table until they are compared. */
const PAGE = 500;
const CHUNK = 500;

export interface VerifyProgress {
  organizations: number;
  events: number;
  rows: number;
  differences: number;
}

export interface VerifyOptions {
  /** Only this organization. */
  orgId?: string;
  found: (difference: Difference) => void;
  progress?: (so: VerifyProgress) => void;
}

/** Folded rows of one organization that wait to be compared, and the census of those that were. */
interface Pending {
  orgId: string;
  rows: Map<string, Record<string, unknown>[]>;
  seen: Map<string, Census>;
}

@Injectable()
export class Verify {
  constructor(
    private readonly repository: VerifyRepository,
    private readonly reader: EventReader,
    private readonly spis: SpiRegistry,
  ) {}

  /**
   * Tells every difference to `found`. An organization is read in one snapshot of its own: all that belongs together belongs to one
   * organization, and a short snapshot keeps no garbage from being cleared away while a sale is on.
   */
  async run({ orgId, found, progress }: VerifyOptions): Promise<VerifyProgress> {
    const so: VerifyProgress = { organizations: 0, events: 0, rows: 0, differences: 0 };
    const tell = (d: Difference) => {
      so.differences += 1;
      found(d);
    };
    const tables = await this.tables();
    for (const org of orgId ? [orgId] : await this.repository.organizations(tables)) {
      await this.repository.snapshot(async () => {
        await this.organization(org, tables, so, tell);
        for (const books of this.spis.all(BooksSpi)) for (const d of await books.differences(org)) tell(d);
      });
      so.organizations += 1;
      progress?.(so);
    }
    return so;
  }

  private async tables(): Promise<TableShape[]> {
    const shapes = await Promise.all(this.repository.aggregates().map((t) => this.repository.shape(t)));
    return shapes.filter((s) => s !== null);
  }

  private async organization(
    orgId: string,
    tables: readonly TableShape[],
    so: VerifyProgress,
    tell: (d: Difference) => void,
  ): Promise<void> {
    const pending: Pending = { orgId, rows: new Map(), seen: new Map() };
    for await (const { events, folded } of this.streams(orgId, (table) =>
      tell({ orgId, table, key: '*', column: '*', stored: null, expected: 'a table: history tells of its rows' }),
    )) {
      so.events += events;
      for (const [table, rows] of folded) {
        const waiting = pending.rows.get(table) ?? pending.rows.set(table, []).get(table)!;
        waiting.push(...rows.values());
        so.rows += rows.size;
        if (waiting.length >= CHUNK) await this.compare(pending, table, tell);
      }
    }
    for (const table of pending.rows.keys()) await this.compare(pending, table, tell);
    for (const shape of tables) await this.orphans(pending, shape, tell);
  }

  /** Each stream of an organization with the rows it folds to; one stream in memory at a time. `gone` is told of tables that are no more. */
  private async *streams(orgId: string, gone: (table: string) => void): AsyncGenerator<{ events: number; folded: FoldedRows }> {
    const missing = new Set<string>();
    let folded: FoldedRows = new Map();
    let events = 0;
    let last: StreamEvent | undefined;
    for (;;) {
      const page = await this.repository.events(orgId, last ?? { stream: '', streamVersion: 0 }, PAGE);
      for (const event of page) {
        if (last && event.stream !== last.stream) {
          yield { events, folded };
          folded = new Map();
          events = 0;
        }
        await this.reader.fold([await this.withTables(event, missing, gone)], folded);
        events += 1;
        last = event;
      }
      if (page.length < PAGE) break;
    }
    if (last) yield { events, folded };
  }

  /** The event without rows of tables that the database has no more. */
  private async withTables(event: StreamEvent, missing: Set<string>, gone: (table: string) => void): Promise<StreamEvent> {
    const rows = event.data.rows ?? {};
    for (const table of Object.keys(rows)) {
      if ((await this.repository.shape(table)) !== null) continue;
      if (!missing.has(table)) gone(table);
      missing.add(table);
      delete rows[table];
    }
    return event;
  }

  private async compare(pending: Pending, table: string, tell: (d: Difference) => void): Promise<void> {
    const rows = pending.rows.get(table) ?? [];
    pending.rows.set(table, []);
    const shape = await this.repository.shape(table);
    if (rows.length === 0 || !shape) return;
    const { orgId } = pending;
    const told = await this.repository.savepoint(() => this.repository.compare(shape, rows)).catch(() => null);
    if (!told) return this.oneByOne(pending, shape, rows, tell);
    this.add(pending, table, told);
    for (const d of told.differences) tell({ orgId, table, ...d });
  }

  /** Some row's history is not even readable as a row: the others are compared all the same. */
  private async oneByOne(
    pending: Pending,
    shape: TableShape,
    rows: Record<string, unknown>[],
    tell: (d: Difference) => void,
  ): Promise<void> {
    const { orgId } = pending;
    for (const row of rows) {
      try {
        const told = await this.repository.savepoint(() => this.repository.compare(shape, [row]));
        this.add(pending, shape.name, told);
        for (const d of told.differences) tell({ orgId, table: shape.name, ...d });
      } catch (e) {
        const key = shape.key.map((k) => String(row[k])).join('/');
        tell({
          orgId,
          table: shape.name,
          key,
          column: '*',
          stored: null,
          expected: `unreadable history: ${(e as Error).message}`,
        });
      }
    }
  }

  private add(pending: Pending, table: string, more: Census): void {
    const seen = pending.seen.get(table) ?? { found: 0, hash: 0n };
    pending.seen.set(table, { found: seen.found + more.found, hash: seen.hash + more.hash });
  }

  /** Rows without history: where the stored rows are not those that were folded. */
  private async orphans(pending: Pending, shape: TableShape, tell: (d: Difference) => void): Promise<void> {
    const { orgId } = pending;
    if (!orgColumn(shape) && orgId !== NO_ORG) return;
    const stored = await this.repository.census(shape, orgId);
    const seen = pending.seen.get(shape.name) ?? { found: 0, hash: 0n };
    if (stored.found === seen.found && stored.hash === seen.hash) return;
    for (const key of await this.repository.orphans(shape, orgId))
      tell({ orgId, table: shape.name, key, column: '*', stored: 'a row', expected: null });
  }
}
