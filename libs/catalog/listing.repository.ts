// All SQL of the public listing: one row an event that is published and not over, kept beside the event in the same transaction.
import { Injectable } from '@nestjs/common';
import { edgeErrors } from '../kernel/errors.js';
import { decodeCursor, type PageRequest } from '../kernel/pages.js';
import { Database } from '../platform/db/database.js';
import type { EventPath } from './catalog.repository.js';
import type { Event } from './event.entity.js';
import {
  CELLS_PER_DEGREE, allOf, boxAround, cellsOver, distanceSql, eachCell, inWeek, plainLetters, searchWords, weeksToLook, wordsForIndex, worthLooking, type Looked,
  type Near,
} from './listing.rules.js'; // prettier-ignore

export interface ListingQuery extends PageRequest {
  q?: string;
  from?: Date;
  to?: Date;
  near?: Near;
}

export interface Listed extends EventPath {
  startsAt: Date;
}

const LISTED = `org_id AS "orgId", event_id AS "eventId", starts_at AS "startsAt"`;

const IN_ORDER = 'ORDER BY starts_at, event_id';
const ROW = `floor(latitude * ${CELLS_PER_DEGREE})::int`;
const COLUMN = `floor(longitude * ${CELLS_PER_DEGREE})::int`;

/** So many of the next events are looked through for what was asked for before an index is. */
const NEXT = 1000;

/**
 * What an index is asked for may be long to read. Memory that keeps which of some ten million events have a common word: with less, Postgres remembers pages
 * and reads their rows. And so long may it take: whoever asks for words that everything has and nothing has together must not keep Postgres busy.
 */
const AT_LENGTH = { workMemMiB: 64, statementTimeoutMs: 2000 };

/** What the next events tell, of which too few are asked for. */
interface Counted extends Looked {
  /** Each word as Postgres sees it. */
  tsqueries: string[];
}

@Injectable()
export class ListingRepository {
  constructor(private readonly db: Database) {}

  /** Makes the event's row what the event and its venue say now. */
  async refresh(event: Event): Promise<void> {
    const { orgId, id } = event;
    if (event.status !== 'published') {
      await this.db.execute('DELETE FROM catalog.listing WHERE org_id = $1 AND event_id = $2', [orgId, id]);
      return;
    }
    const venue = await this.venueOf(event);
    const words = plainLetters([event.title, venue?.name, venue?.address, event.description].filter(Boolean).join('\n'));
    await this.db.execute(
      `INSERT INTO catalog.listing (org_id, event_id, starts_at, ends_at, latitude, longitude, words)
       VALUES ($1, $2, $3, $4, $5, $6, to_tsvector('simple', $7))
       ON CONFLICT (org_id, event_id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at,
         latitude = excluded.latitude, longitude = excluded.longitude, words = excluded.words`,
      [orgId, id, event.startsAt, event.endsAt, venue?.latitude ?? null, venue?.longitude ?? null, words],
    );
  }

  /** Locked against change, so that a venue that moves at the same time finds this event, or this event finds it moved. */
  private async venueOf({ orgId, venueId }: Event) {
    if (venueId === null) return null;
    const sql = 'SELECT name, address, latitude, longitude FROM catalog.venue WHERE org_id = $1 AND id = $2 FOR SHARE';
    type Row = { name: string; address: string | null; latitude: number | null; longitude: number | null };
    return (await this.db.query<Row>(sql, [orgId, venueId]))[0] ?? null;
  }

  /**
   * What the public finds, by start, one more than the page holds. `from` is included, `to` is not; both ask for the start. What is
   * common is among the next events. What is not is found by the index that has the fewest rows for it, as those events tell:
   * left to itself, Postgres takes two common words for a common pair, and reads a common word to the end beside a rare one.
   */
  async search(query: ListingQuery): Promise<Listed[]> {
    const { q, near } = query;
    const words = q === undefined ? [] : searchWords(q);
    if (q !== undefined && words.length === 0) return [];
    const wanted = query.limit + 1;
    const ask = new Ask(query, words);
    if (words.length === 0 && !near) return this.db.query<Listed>(...ask.inOrder());
    const cells = near ? eachCell(cellsOver(boxAround(near))) : null;
    if (cells && words.length === 0 && cells.rows.length * wanted <= NEXT) return this.db.query<Listed>(...ask.byCell(cells));
    const soon = await this.db.query<Listed>(...ask.among(NEXT));
    if (soon.length >= wanted) return soon;
    const [counted] = await this.db.query<Counted>(...ask.counted());
    if (counted.looked < NEXT) return soon;
    const nearest = cells && counted.near <= Math.min(...counted.words) ? cells : null;
    if (words.length > 0 && !nearest) return this.byWords(ask, counted, wanted, query.to);
    const further = words.length > 0 ? null : worthLooking(counted, wanted);
    const more = further === null ? [] : await this.db.query<Listed>(...ask.among(further));
    if (more.length >= wanted) return more;
    return this.atLength(nearest ? ask.byCell(nearest) : ask.byPlace());
  }

  /** The next weeks' events that have all of the words; where they are too few, those of any time. */
  private async byWords(ask: Ask, counted: Counted, wanted: number, to?: Date): Promise<Listed[]> {
    const words = allOf(wordsForIndex(counted.tsqueries, counted.words));
    const { weeks, beyond } = weeksToLook(counted, wanted, to);
    const next = weeks.length > 0 ? await this.atLength(ask.byWeek(words, weeks)) : [];
    return next.length >= wanted || !beyond ? next : this.atLength(ask.byWords(words));
  }

  /** Reads as much as an index has. Rejects with `overloaded` what would take too long, or while too many such searches are under way. */
  private async atLength(statement: Statement): Promise<Listed[]> {
    try {
      return await this.db.slowly(
        'reading',
        () => this.db.transaction(() => this.db.query<Listed>(...statement), AT_LENGTH),
        AT_LENGTH.statementTimeoutMs,
      );
    } catch (e) {
      if ((e as { code?: string }).code !== '57014') throw e;
      throw edgeErrors.overloaded(
        { retryAfter: 10 },
        'This search has too much to look through. Ask for rarer words, a place or a span of time.',
      );
    }
  }

  /** Takes away up to 1 000 rows of events that are over; returns how many. An event that is moved later comes back by its change. */
  forgetPast(): Promise<number> {
    return this.db.execute(
      `DELETE FROM catalog.listing l USING (
         SELECT org_id, event_id FROM catalog.listing WHERE ends_at <= platform.now() ORDER BY ends_at LIMIT 1000 FOR UPDATE SKIP LOCKED
       ) past WHERE l.org_id = past.org_id AND l.event_id = past.event_id`,
    );
  }
}

type Statement = [sql: string, params: unknown[]];

/** One search's statements: each finds the same, by another way. */
class Ask {
  private params: unknown[] = [];

  constructor(
    private readonly query: ListingQuery,
    private readonly words: readonly string[],
  ) {}

  /** The next events, whatever they are. */
  inOrder(): Statement {
    return this.statement(() => `SELECT ${LISTED} FROM catalog.listing WHERE ${this.when()} ${this.page()}`);
  }

  /** Looks through so many of the next events until a page is full. */
  among(next: number): Statement {
    return this.statement(() => `SELECT ${LISTED} FROM (${this.next(next)}) next WHERE ${this.what()} ${this.page()}`);
  }

  /** What the next events are, of which too few are asked for. */
  counted(): Statement {
    return this.statement(() => {
      // A word without letters in it, as Postgres sees it, is in no event, but asks for nothing beside others.
      const words = this.words.map((word) => `words @@ ${this.tsquery(word)} OR numnode(${this.tsquery(word)}) = 0`);
      return `SELECT count(*)::int AS looked, count(*) FILTER (WHERE ${this.nearby()})::int AS near,
          ARRAY[${words.map((word) => `count(*) FILTER (WHERE ${word})::int`).join(', ')}]::int[] AS words,
          min(starts_at) AS first, max(starts_at) AS last,
          ARRAY[${this.words.map((word) => `${this.tsquery(word)}::text`).join(', ')}]::text[] AS tsqueries,
          (SELECT reltuples FROM pg_class WHERE oid = 'catalog.listing'::regclass) AS "all"
        FROM (${this.next(NEXT)}) next`;
    });
  }

  /** By some of the words, which the index knows. All else is asked of what these found: with the time, Postgres would read all to come. */
  byWords(tsquery: string): Statement {
    return this.statement(() => this.outOf(`words @@ ${this.put(tsquery)}::tsquery`));
  }

  /** By some of the words, week by week until a page is full. */
  byWeek(tsquery: string, weeks: readonly number[]): Statement {
    return this.statement(() => {
      const asked = `unnest(${this.put(weeks.map((week) => inWeek(tsquery, week)))}::tsquery[]) WITH ORDINALITY AS week (tsquery, n)`;
      const found = 'SELECT * FROM catalog.listing l WHERE catalog.words_of_week(l.words, l.starts_at) @@ week.tsquery OFFSET 0';
      return `SELECT ${LISTED} FROM ${asked}, LATERAL (${found}) found
        WHERE ${this.when()} AND ${this.what()} ORDER BY n, starts_at, event_id LIMIT ${this.put(this.query.limit + 1)}`;
    });
  }

  /** By the cells around, all their events. */
  byPlace(): Statement {
    return this.statement(() => {
      const { rows, columns } = cellsOver(boxAround(this.query.near!));
      const across = columns.map(([from, to]) => `${COLUMN} BETWEEN ${this.put(from)} AND ${this.put(to)}`);
      const down = Array.from({ length: rows[1] - rows[0] + 1 }, (_, i) => rows[0] + i);
      return this.outOf(`${ROW} = ANY (${this.put(down)}::int[]) AND (${across.join(' OR ')})`);
    });
  }

  /** By the cells around, the next events of each. IS TRUE keeps Postgres from reading the index of words for each. */
  byCell(cells: { rows: number[]; columns: number[] }): Statement {
    return this.statement(() => {
      const around = `unnest(${this.put(cells.rows)}::int[], ${this.put(cells.columns)}::int[])`;
      return `SELECT ${LISTED} FROM ${around} AS cell (row_no, column_no), LATERAL (
          SELECT org_id, event_id, starts_at FROM catalog.listing
          WHERE ${ROW} = cell.row_no AND ${COLUMN} = cell.column_no AND ${this.when()} AND (${this.what()}) IS TRUE ${this.page()}
        ) next ${this.page()}`;
    });
  }

  /** OFFSET 0 keeps the rest of the conditions out of what is found by an index. */
  private outOf(indexed: string): string {
    const found = `SELECT * FROM catalog.listing WHERE ${indexed} OFFSET 0`;
    return `SELECT ${LISTED} FROM (${found}) found WHERE ${this.when()} AND ${this.what()} ${this.page()}`;
  }

  private statement(sql: () => string): Statement {
    this.params = [];
    return [sql(), this.params];
  }

  private put(value: unknown): string {
    return `$${this.params.push(value)}`;
  }

  private tsquery(words: string): string {
    return `to_tsquery('simple', ${this.put(words)})`;
  }

  private allWords(): string {
    return this.tsquery(this.words.join(' & '));
  }

  private next(events: number): string {
    return `SELECT * FROM catalog.listing WHERE ${this.when()} ${IN_ORDER} LIMIT ${this.put(events)}`;
  }

  private page(): string {
    return `${IN_ORDER} LIMIT ${this.put(this.query.limit + 1)}`;
  }

  private when(): string {
    const { from, to, cursor } = this.query;
    const after = decodeCursor(cursor, 2);
    // Asked once: the function itself would be called for every row.
    const when = ['ends_at > (SELECT platform.now())'];
    if (from) when.push(`starts_at >= ${this.put(from)}`);
    if (to) when.push(`starts_at < ${this.put(to)}`);
    if (after) when.push(`(starts_at, event_id) > (${this.put(after[0])}::timestamptz, ${this.put(after[1])}::uuid)`);
    return when.join(' AND ');
  }

  private what(): string {
    return this.words.length > 0 ? `words @@ ${this.allWords()} AND ${this.nearby()}` : this.nearby();
  }

  /** First the box, which is quickly told, then the circle in it. */
  private nearby(): string {
    const { near } = this.query;
    if (!near) return 'true';
    const { south, north, west, east } = boxAround(near);
    const [w, e] = [this.put(west), this.put(east)];
    const across = west <= east ? `longitude BETWEEN ${w} AND ${e}` : `(longitude >= ${w} OR longitude <= ${e})`;
    const distance = distanceSql(`${this.put(near.lat)}::float8`, `${this.put(near.lon)}::float8`);
    return `latitude BETWEEN ${this.put(south)} AND ${this.put(north)} AND ${across} AND ${distance} <= ${this.put(near.km)}`;
  }
}
