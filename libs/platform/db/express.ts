// Express: one connection for what cannot wait for others to give theirs back. Statements are sent one behind the other, without waiting
// for an answer in between (libpq calls it pipeline mode): Postgres takes them in the order they were sent, each in a transaction of its own.
import pg from 'pg';

/** Whatever takes a statement. */
export interface Queryable {
  query(statement: string | pg.QueryConfig, params?: unknown[]): Promise<pg.QueryResult>;
}

/** A connection in use. */
interface Line {
  client: Promise<pg.PoolClient>;
  users: number;
  broken?: Error;
}

export class Express implements Queryable {
  private line?: Line;

  /** `pool`: of connections in pipeline mode, of which one at a time is used. */
  constructor(private readonly pool: pg.Pool) {}

  async query(statement: string | pg.QueryConfig, params?: unknown[]): Promise<pg.QueryResult> {
    const line = (this.line ??= { client: this.pool.connect(), users: 0 });
    line.users += 1;
    try {
      return await (await line.client).query(statement as string, params);
    } catch (e) {
      // What Postgres refuses concerns that statement alone; anything else the connection, and who comes now gets another.
      if (!(e instanceof pg.DatabaseError) || e.severity !== 'ERROR') this.part(line, e as Error);
      throw e;
    } finally {
      line.users -= 1;
      if (line.users === 0) {
        this.part(line);
        void line.client.then((client) => client.release(line.broken), () => undefined); // prettier-ignore
      }
    }
  }

  async end(): Promise<void> {
    await this.pool.end();
  }

  private part(line: Line, broken?: Error): void {
    line.broken ??= broken;
    if (this.line === line) this.line = undefined;
  }
}
