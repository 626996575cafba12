// Payments' books in SQL: the ledger, payments, refunds and the test provider's own books beside one another. Each check names rows (key, column, stored, expected) of one organization ($1).
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

/** A payment is captured once when it succeeded, and never otherwise. */
const ONE_CAPTURE = `
  SELECT p.id::text AS key, 'capture' AS column, count(l.id)::text AS stored, p.wanted::text AS expected
  FROM (SELECT org_id, id, (status IN ('succeeded', 'refunded'))::int AS wanted FROM payments.payment WHERE org_id = $1) p
  LEFT JOIN payments.ledger_entry l ON l.org_id = p.org_id AND l.payment_id = p.id AND l.kind = 'capture' AND l.account = 'provider'
  GROUP BY p.id, p.wanted HAVING count(l.id) <> p.wanted`;

/** The test provider's books say the same, once nothing is open any more; its charges are known by the payment they were made for. */
const PROVIDER = `
  SELECT coalesce(p.id, c.reference)::text AS key, 'held' AS column, coalesce(p.kept::text, 'no payment') AS stored,
    (coalesce(c.amount, 0) - coalesce(c.given, 0))::text AS expected
  FROM (SELECT p.id, p.amount - p.refunded_amount AS kept FROM payments.payment p
    WHERE p.org_id = $1 AND p.provider = 'test' AND p.status IN ('succeeded', 'refunded')) p
  FULL JOIN (SELECT c.reference, c.amount, (SELECT sum(r.amount) FROM payments.test_refund r
      WHERE r.org_id = c.org_id AND r.charge_id = c.id AND r.outcome = 'succeeded' AND r.settles_at <= platform.now()) AS given
    FROM payments.test_charge c WHERE c.org_id = $1 AND c.outcome = 'succeeded' AND c.settles_at <= platform.now()) c ON c.reference = p.id
  WHERE (p.id IS NULL OR p.kept <> coalesce(c.amount, 0) - coalesce(c.given, 0))
    AND NOT EXISTS (SELECT 1 FROM payments.payment o WHERE o.org_id = $1 AND o.id = c.reference AND o.status IN ('created', 'processing'))
    AND NOT EXISTS (SELECT 1 FROM payments.refund o
      WHERE o.org_id = $1 AND o.payment_id = coalesce(p.id, c.reference) AND o.status IN ('requested', 'processing'))`;

const CHECKS: readonly [table: string, sql: string][] = [
  ['payments.ledger_entry', BALANCE],
  ['payments.payment', CAPTURES],
  ['payments.payment', ONE_CAPTURE],
  ['payments.payment', REFUNDS],
  ['payments.test_charge', PROVIDER],
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
