// Verify's SQL by rule: how a table's stored rows are put beside what its history folds to. Pure: text in, text out.
import { personalDataOf } from '../../kernel/personal-data.js';

export interface ColumnShape {
  name: string;
  /** As format_type writes it: `text`, `text[]`, `timestamp with time zone`. */
  type: string;
  notNull: boolean;
  /** The default's expression, null for none. */
  default: string | null;
}

/** What verify knows of a table: from the database's catalog and from its personal-data declaration. */
export interface TableShape {
  /** `schema.table`. */
  name: string;
  key: string[];
  columns: ColumnShape[];
  /** Outside: history does not hold them. */
  personal: string[];
  /** Organizers' texts: history holds their SHA-256. */
  digested: ColumnShape[];
}

/** Where a row of history does not name a column (it is older than the column), it has the column's default. */
export function defaultsOf(shape: TableShape): string {
  const constant = shape.columns.filter((c) => c.default !== null && !isComputed(c.default));
  const pairs = constant.map((c) => `'${c.name}', to_jsonb((${c.default})::${c.type})`);
  return `jsonb_build_object(${pairs.join(', ')})`;
}

/** Columns whose default is made at the moment of the insert: nothing is expected of them where history is silent. */
export const computedDefaults = (shape: TableShape): string[] =>
  shape.columns.filter((c) => c.default !== null && isComputed(c.default)).map((c) => c.name);

const isComputed = (expression: string) => expression.includes('(');

export const ident = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const quoted = (table: string) => table.split('.').map(ident).join('.');
const list = (names: readonly string[]) => `ARRAY[${names.map((n) => `'${n.replaceAll("'", "''")}'`).join(', ')}]::text[]`;

/** The organization's column, or null for account tables, which belong to none. */
export const orgColumn = (shape: TableShape): string | null => (shape.key.includes('org_id') ? 'org_id' : null);

/** The key of row `t` as one text, and a hash of it that adds up. */
export const keyText = (shape: TableShape, t: string) =>
  `concat_ws('/', ${shape.key.map((k) => `${t}.${ident(k)}::text`).join(', ')})`;
export const keyHash = (shape: TableShape, t: string) => `hashtextextended(${keyText(shape, t)}, 0)::numeric`;

/** `digest` of event.store.ts, in SQL. Throws for a type it has no text form for. */
function digestSql({ name, type }: ColumnShape, t: string): string {
  const column = `${t}.${ident(name)}`;
  const sha = (text: string) =>
    `CASE WHEN ${column} IS NULL THEN NULL ELSE 'sha256:' || encode(sha256(convert_to(${text}, 'UTF8')), 'hex') END`;
  if (type === 'text') return sha(column);
  if (type !== 'text[]') throw new Error(`Verify cannot digest the column ${name} of type ${type}: say how in verify.rules.ts.`);
  const items = `SELECT string_agg(coalesce(to_json(x)::text, 'null'), ',' ORDER BY ord) FROM unnest(${column}) WITH ORDINALITY u(x, ord)`;
  return sha(`'[' || coalesce((${items}), '') || ']'`);
}

/** The stored row `t` as verify compares it: personal columns left out, organizers' texts as digests. */
function storedSql(shape: TableShape, t: string): string {
  const digests = shape.digested.map((c) => `'${c.name}', ${digestSql(c, t)}`);
  return `(to_jsonb(${t}) - ${list([...shape.personal, ...shape.digested.map((c) => c.name)])} || jsonb_build_object(${digests.join(', ')}))`;
}

/** The folded row `row`, read by Postgres as a row of the table would be, so that times, bytes and numbers are written alike. */
function expectedSql(shape: TableShape, row: string): string {
  const digests = shape.digested.map((c) => `'${c.name}', ${row} -> '${c.name}'`);
  const hidden = list([...shape.personal, ...shape.digested.map((c) => c.name)]);
  const populated = `jsonb_populate_record(NULL::${quoted(shape.name)}, ${defaultsOf(shape)} || (${row} - ${hidden}))`;
  return `(to_jsonb(${populated}) - ${hidden} || jsonb_build_object(${digests.join(', ')}))`;
}

/**
 * Puts folded rows ($1, a JSON array) beside the stored ones. One row comes back: how many of them are stored, the sum of their
 * keys' hashes, and the differences, `[{key, column, stored, expected}]`.
 */
export function compareSql(shape: TableShape): string {
  const on = shape.key.map((k) => `t.${ident(k)} = (g.e).${ident(k)}`).join(' AND ');
  const silent = computedDefaults(shape);
  const dropped = `ARRAY(SELECT c FROM unnest(${list(silent)}) c WHERE NOT b.row ? c)`;
  return `
    WITH given AS (
      SELECT f.row, jsonb_populate_record(NULL::${quoted(shape.name)}, f.row - ${list(shape.digested.map((c) => c.name))}) AS e
      FROM jsonb_array_elements($1::jsonb) f(row)),
    beside AS (
      SELECT g.row, ${keyText(shape, '(g.e)')} AS key, ${expectedSql(shape, 'g.row')} AS expected,
        CASE WHEN t.${ident(shape.key[0])} IS NOT NULL THEN ${storedSql(shape, 't')} END AS stored,
        CASE WHEN t.${ident(shape.key[0])} IS NOT NULL THEN ${keyHash(shape, 't')} END AS hash
      FROM given g LEFT JOIN ${quoted(shape.name)} t ON ${on}),
    wrong AS (
      SELECT b.key, c.name AS column, b.stored ->> c.name AS stored, b.expected ->> c.name AS expected
      FROM beside b, LATERAL (SELECT b.stored - ${dropped} AS s, b.expected - ${dropped} AS e) x,
        LATERAL (SELECT k AS name FROM jsonb_object_keys(x.s || x.e) k WHERE x.s -> k IS DISTINCT FROM x.e -> k) c
      WHERE b.stored IS NOT NULL
      UNION ALL SELECT b.key, '*', NULL, 'the row that its history tells of' FROM beside b WHERE b.stored IS NULL)
    SELECT (SELECT count(stored) FROM beside)::int AS found, (SELECT coalesce(sum(hash), 0) FROM beside)::text AS hash,
      (SELECT coalesce(jsonb_agg(to_jsonb(w) ORDER BY w.key, w.column), '[]') FROM wrong w) AS differences`;
}

/** How many rows an organization ($1) has, and the sum of their keys' hashes. Account tables: all of them. */
export function censusSql(shape: TableShape): string {
  const where = orgColumn(shape) ? 'WHERE t.org_id = $1' : 'WHERE $1::uuid IS NOT NULL';
  return `SELECT count(*)::int AS found, coalesce(sum(${keyHash(shape, 't')}), 0)::text AS hash FROM ${quoted(shape.name)} t ${where}`;
}

/** Keys of an organization's ($1) rows that no domain event tells of, at most $2. Reads the whole history: only where a census differs. */
export function orphansSql(shape: TableShape): string {
  const own = orgColumn(shape) ? 't.org_id = $1 AND' : '';
  const same = shape.key.map((k) => `r.row ->> '${k}' = t.${ident(k)}::text`).join(' AND ');
  return `SELECT ${keyText(shape, 't')} AS key FROM ${quoted(shape.name)} t WHERE ${own} NOT EXISTS (
      SELECT 1 FROM platform.event e CROSS JOIN LATERAL jsonb_array_elements(e.data -> 'rows' -> '${shape.name}') r(row)
      WHERE e.org_id = $1 AND ${same})
    ORDER BY 1 LIMIT $2`;
}

/** A table's shape out of the catalog's columns and its declaration. */
export function shapeOf(name: string, key: string[], columns: ColumnShape[]): TableShape {
  const declared = personalDataOf(name)?.columns ?? {};
  const personal = Object.keys(declared).filter((c) => declared[c] !== 'text');
  return { name, key, columns, personal, digested: columns.filter((c) => declared[c.name] === 'text') };
}
