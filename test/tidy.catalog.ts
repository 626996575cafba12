// Rules of the database, asked of its own catalog: whose keys begin with the organization, and which columns hold what is personal.
import type pg from 'pg';

export interface Key {
  table: string;
  name: string;
  kind: 'primary' | 'unique' | 'foreign';
  columns: string[];
}

export interface ColumnOf {
  table: string;
  column: string;
}

/** Tables whose keys do not begin with org_id, and why. */
export const APART: Record<string, string> = {
  'auth.account': 'a person belongs to no organization',
  'auth.organization': 'its own id is the organization',
  'auth.organization_tag': 'directory: finds the organization by the tag at the end of an id',
  'auth.organization_slug': 'directory: slugs are unique over all organizations',
  'auth.email_directory': 'directory: finds the account of a mail address',
  'auth.api_key_directory': 'directory: finds the organization of an API key',
  'auth.throttle': 'failed logins by account and address, before it is known who asks',
  'platform.clock_shift': 'one row, for tests',
  'platform.consumer': 'places in the store, of no organization',
};

/** Tables of people, led by account_id. */
export const ACCOUNT_TABLES: readonly string[] = ['auth.session', 'auth.session_refresh', 'booking.account_booking'];

/** Schemas that are not ours. */
const FOREIGN = `('pg_catalog', 'information_schema', 'pg_toast', 'public')`;

export async function readKeys(sql: pg.Pool): Promise<Key[]> {
  const { rows } = await sql.query<Key>(`
    SELECT n.nspname || '.' || c.relname AS table, k.conname AS name,
      CASE k.contype WHEN 'p' THEN 'primary' WHEN 'f' THEN 'foreign' ELSE 'unique' END AS kind,
      (SELECT array_agg(a.attname::text ORDER BY o.n) FROM unnest(k.conkey) WITH ORDINALITY o(attnum, n)
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = o.attnum) AS columns
    FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE k.contype IN ('p', 'u', 'f', 'x') AND n.nspname NOT IN ${FOREIGN}
    UNION ALL
    SELECT n.nspname || '.' || c.relname, i.relname, 'unique',
      (SELECT array_agg(coalesce(a.attname::text, '(expression)') ORDER BY o.n) FROM unnest(x.indkey::int[]) WITH ORDINALITY o(attnum, n)
       LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = o.attnum AND o.attnum > 0)
    FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE x.indisunique AND n.nspname NOT IN ${FOREIGN} AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = x.indexrelid)
    ORDER BY 1, 2`);
  return rows;
}

export async function readColumns(sql: pg.Pool): Promise<ColumnOf[]> {
  const { rows } = await sql.query<ColumnOf>(
    `SELECT table_schema || '.' || table_name AS table, column_name AS column FROM information_schema.columns
     WHERE table_schema NOT IN ${FOREIGN} ORDER BY 1, 2`,
  );
  return rows;
}

/** Each key begins with org_id; keys of account tables with account_id; those listed apart may begin as they like. */
export function keysBeginWithOrganization(
  keys: readonly Key[],
  accountTables: readonly string[],
  apart: Record<string, string>,
): string[] {
  return keys
    .filter(({ table, columns }) => {
      if (apart[table] !== undefined) return false;
      return columns[0] !== (accountTables.includes(table) ? 'account_id' : 'org_id');
    })
    .map(({ table, name, kind, columns }) => `${table}: the ${kind} key ${name} begins with ${columns[0]}.`);
}

/** Every table has a primary key, and every name on the lists is a table's. */
export function listsAreTrue(columns: readonly ColumnOf[], keys: readonly Key[], listed: readonly string[]): string[] {
  const tables = new Set(columns.map((c) => c.table));
  const keyed = new Set(keys.filter((k) => k.kind === 'primary').map((k) => k.table));
  return [
    ...[...tables].filter((t) => !keyed.has(t)).map((t) => `${t} has no primary key.`),
    ...listed.filter((t) => !tables.has(t)).map((t) => `${t} is listed as an exception, but is no table.`),
  ];
}

/** Names under which personal data or free text usually hides. */
const TELLING =
  /^(e_?mail|.*_email|name|.*_name|first_.*|last_name|phone|.*_phone|ip|ip_address|.*_ip|address|contact|.*contact.*|answers?|user_agent|title|description|label|subject|body|text|note|reason_text|birth.*|recipient|to_address)$/;
/** Columns that look so and are not, and why. */
export const NOT_PERSONAL: Record<string, string> = {
  'platform.consumer.name': 'a consumer of domain events',
  'booking.seat.section_name': 'a part of a hall',
  'booking.seat.row_name': 'a row of a hall',
  'payments.test_webhook.body': 'ids and amounts, in the books of the test provider',
};

export function personalDataIsDeclared(
  columns: readonly ColumnOf[],
  declared: ReadonlyMap<string, readonly string[]>,
  notPersonal: Record<string, string>,
): string[] {
  const there = new Set(columns.map((c) => `${c.table}.${c.column}`));
  const undeclared = columns
    .filter(({ column }) => TELLING.test(column))
    .filter(({ table, column }) => !declared.get(table)?.includes(column) && notPersonal[`${table}.${column}`] === undefined)
    .map(
      ({ table, column }) =>
        `${table}.${column} may hold personal data: declare it in personal-data, or say here why it does not.`,
    );
  const gone = [...declared]
    .flatMap(([table, list]) => list.map((column) => `${table}.${column}`))
    .filter((name) => !there.has(name))
    .map((name) => `${name} is declared personal, but there is no such column.`);
  return [...undeclared, ...gone];
}
