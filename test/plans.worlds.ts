// Worlds: what one organization lived through, copied as if thousands of others had lived through it too, so that the planner has a choice.
import type pg from 'pg';

/** As many rows a table gets at least. */
const ROWS = 10_000;
/** In so many worlds everything is there, so that rows find each other in them. */
const WHOLE = 150;
const NIL = '00000000-0000-0000-0000-000000000000';

interface Column {
  name: string;
  type: string;
  unique: boolean;
}

/** Every table of the house, without those of the migrations. */
export async function tablesOf(sql: pg.ClientBase | pg.Pool): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'public') ORDER BY 1`,
  );
  return rows.map((r) => r.name);
}

/** Copies every row of the tables into other worlds; returns how many rows each then has. */
export async function multiply(pool: pg.Pool, tables: readonly string[]): Promise<Record<string, number>> {
  const client = await pool.connect();
  const counts: Record<string, number> = {};
  try {
    await client.query('BEGIN; SET LOCAL session_replication_role = replica'); // Foreign keys hold by how ids are made.
    for (const table of tables) {
      const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`);
      const worlds = rows[0].n === 0 ? 0 : Math.max(WHOLE, Math.ceil(ROWS / rows[0].n));
      const columns = await columnsOf(client, table);
      const copied = await client.query(
        `INSERT INTO ${table} (${columns.map((c) => c.name).join()}) SELECT ${columns.map(inWorld).join()}
         FROM ${table} t, generate_series(1, ${worlds}) w ON CONFLICT DO NOTHING`,
      );
      counts[table] = rows[0].n + (copied.rowCount ?? 0);
    }
    // Events of other worlds are elsewhere, at other times, and called otherwise.
    await client.query(`UPDATE catalog.listing SET latitude = random() * 160 - 80, longitude = random() * 360 - 180,
      starts_at = starts_at + random() * interval '900 days', ends_at = ends_at + interval '900 days', words = to_tsvector('simple', 'evening ' || event_id || (ARRAY[' jazz', ' rock', ' opera', ' chess'])[1 + floor(random() * 4)::int])
      WHERE right(event_id::text, 8) <> right(org_id::text, 8)`);
    await client.query('COMMIT');
    await client.query('VACUUM ANALYZE');
  } finally {
    client.release(true);
  }
  return counts;
}

async function columnsOf(client: pg.ClientBase, table: string): Promise<Column[]> {
  const { rows } = await client.query<Column>(
    `SELECT quote_ident(a.attname) AS name, format_type(a.atttypid, NULL) AS type,
       EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND a.attnum = ANY (i.indkey)) AS unique
     FROM pg_attribute a WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attidentity = '' AND a.attgenerated = ''
     ORDER BY a.attnum`,
    [table],
  );
  return rows;
}

/** A column's value in world w: ids are others, the same wherever the id occurs; texts and bytes differ where they must be unique. */
function inWorld({ name, type, unique }: Column): string {
  const c = `t.${name}`;
  const other = `overlay(overlay(md5(${c}::text || w) PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid`;
  if (name === 'org_id') return `CASE WHEN ${c} = '${NIL}' OR w % 8 = 1 THEN ${c} ELSE ${other} END`; // An eighth is of one organization.
  if (type === 'uuid') return `CASE ${c} WHEN '${NIL}' THEN ${c} ELSE ${other} END`;
  if (!unique) return c;
  if (name === 'tag') return `left(md5(${c} || w), 8)`;
  if (type === 'text') return `${c} || '~' || w`;
  if (type === 'bytea') return `sha256(${c} || w::text::bytea)`;
  return c;
}
