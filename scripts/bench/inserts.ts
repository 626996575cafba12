// Single-row inserts: what Postgres alone does with one small row and a commit each, over so many connections.
import pg from 'pg';

export class SingleInserts {
  private constructor(private readonly pool: pg.Pool) {}

  /** A table of its own; the connections are opened here, so that opening them is not measured. */
  static async open(url: string, connections: number): Promise<SingleInserts> {
    const pool = new pg.Pool({ connectionString: url, max: connections, idleTimeoutMillis: 0 });
    await pool.query('CREATE TABLE public.bench_row (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, quantity int NOT NULL)');
    const clients = await Promise.all(Array.from({ length: connections }, () => pool.connect()));
    for (const client of clients) client.release();
    return new SingleInserts(pool);
  }

  async insert(): Promise<void> {
    await this.pool.query({ name: 'b-row', text: 'INSERT INTO public.bench_row (quantity) VALUES ($1)', values: [1] });
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}
