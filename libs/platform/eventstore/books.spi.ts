// Books: what verify asks of every context that keeps counters or sums: do they agree with the rows they are counted from?
import { Spi } from '../spi/spi.registry.js';

/** One thing that is not as it should be: a column of a row, what is stored there, and what it ought to be. */
export interface Difference {
  orgId: string;
  /** `schema.table`. */
  table: string;
  /** The values of the row's primary key, joined with `/`. */
  key: string;
  /** A column, or `*` for a row that is missing or has no history. */
  column: string;
  /** As text; null for what is not there. */
  stored: string | null;
  /** What the history, or the rows it is counted from, say instead. */
  expected: string | null;
}

/** More differences of one kind and organization than this are not listed one by one. */
export const MAX_LISTED = 1000;

@Spi('many')
export abstract class BooksSpi {
  /**
   * Differences in the derived columns of one organization, at most MAX_LISTED of a kind. Asked inside one snapshot of the database,
   * in which nobody's change is half visible; what a consumer has not heard yet is no difference.
   */
  abstract differences(orgId: string): Promise<Difference[]>;
}
