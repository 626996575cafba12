// Statistics: counts tables again that have doubled since Postgres counted them, so that plans made for small tables do not outlive them.
import { Injectable } from '@nestjs/common';
import { Database } from '../db/database.js';
import { Every } from './processor.decorators.js';

/** Below this many rows any plan is quick. */
const FEW = 200;
/** Of 300 rows times this, sampled: 3 000. How many rows a table has and how many of them are alike needs no more; autovacuum counts again, ten times as many. */
const TARGET = 10;

@Injectable()
export class Statistics {
  constructor(private readonly db: Database) {}

  /**
   * An on-sale fills tables in seconds; autovacuum looks once a minute, and until then every connection keeps its prepared plans. ANALYZE ends
   * them. It reads a small sample, and each doubling is counted once: it does not take what buyers need.
   */
  @Every(2000) async countDoubled(): Promise<void> {
    const doubled = await this.db.query<{ name: string }>(
      `SELECT format('%I.%I', s.schemaname, s.relname) AS name FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
       WHERE s.n_live_tup > greatest($1, 2 * c.reltuples) ORDER BY 1`,
      [FEW],
    );
    // Another worker may be at it; where the tables are another role's, Postgres warns and leaves them to autovacuum.
    for (const { name } of doubled) {
      await this.db.transaction(async () => {
        await this.db.execute(`SET LOCAL default_statistics_target = ${TARGET}`);
        await this.db.execute(`ANALYZE (SKIP_LOCKED) ${name}`);
      });
    }
  }
}
