// Payments' books in SQL: the ledger, payments and refunds beside one another. Each check names rows (key, column, stored, expected) of one organization ($1).
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import { MAX_LISTED, type Difference } from '../platform/eventstore/books.spi.js';

type Told = Omit<Difference, 'orgId' | 'table'>;

/** Double entry: every transaction sums to zero in each currency. */
const BALANCE = `
  SELECT transaction_id || '/' || currency AS key, 'amount' AS column, sum(amount)::text AS stored, '0' AS expected
  FROM payments.ledger_entry WHERE org_id = $1 GROUP BY transaction_id, currency HAVING sum(amount) <> 0`;

/** What the provider holds for a payment is what was taken less what went back, and once money was taken it is the payment's amount. */
const CAPTURES = `
  SELECT p.id::text AS key, 'ledger of provider' AS column, coalesce(l.held, 0)::text AS stored,
    (CASE WHEN p.status IN ('succeeded', 'refunded') THEN p.amount - p.refunded_amount ELSE 0 END)::text AS expected
  FROM payments.payment p
  LEFT JOIN (SELECT payment_id, sum(amount) AS held FROM payments.ledger_entry WHERE org_id = $1 AND account = 'provider' GROUP BY 1) l ON l.payment_id = p.id
  WHERE p.org_id = $1 AND coalesce(l.held, 0) <> CASE WHEN p.status IN ('succeeded', 'refunded') THEN p.amount - p.refunded_amount ELSE 0 END`;

/** What a payment says was given back is the sum of its refunds that succeeded. */
const REFUNDS = `
  SELECT p.id::text AS key, 'refunded_amount' AS column, p.refunded_amount::text AS stored, coalesce(r.paid, 0)::text AS expected
  FROM payments.payment p
  LEFT JOIN (SELECT payment_id, sum(amount) AS paid FROM payments.refund WHERE org_id = $1 AND status = 'succeeded' GROUP BY 1) r ON r.payment_id = p.id
  WHERE p.org_id = $1 AND p.refunded_amount <> coalesce(r.paid, 0)`;

const CHECKS: readonly [table: string, sql: string][] = [
  ['payments.ledger_entry', BALANCE],
  ['payments.payment', CAPTURES],
  ['payments.payment', REFUNDS],
];

@Injectable()
export class PaymentBooksRepository {
  constructor(private readonly db: Database) {}

  async differences(orgId: string): Promise<Difference[]> {
    const found: Difference[] = [];
    for (const [table, sql] of CHECKS) {
      const rows = await this.db.query<Told>(`SELECT * FROM (${sql}) d ORDER BY key LIMIT ${MAX_LISTED}`, [orgId]);
      found.push(...rows.map((row) => ({ orgId, table, ...row })));
    }
    return found;
  }
}
