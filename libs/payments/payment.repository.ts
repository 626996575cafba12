// All SQL of payments, refunds and their ledger.
import { Injectable } from '@nestjs/common';
import { Database } from '../platform/db/database.js';
import type { LedgerEntry } from './ledger-entry.entity.js';
import { Payment } from './payment.entity.js';
import { Refund } from './refund.entity.js';

/** Something open that its provider shall be asked about. */
export interface Overdue {
  kind: 'payment' | 'refund';
  orgId: string;
  id: string;
}

const LIVE = `status IN ('created', 'processing', 'succeeded') AND NOT surplus`;

@Injectable()
export class PaymentRepository {
  constructor(private readonly db: Database) {}

  find(orgId: string, id: string): Promise<Payment | null> {
    return this.db.find(Payment, { orgId, id });
  }

  /** Locks the payment; everything of one payment (its refunds and ledger too) changes under this lock, so its stream has one writer. */
  lock(orgId: string, id: string): Promise<Payment | null> {
    return this.db.findForUpdate(Payment, { orgId, id });
  }

  /** The payment of a booking that is open or succeeded. */
  async live(orgId: string, bookingId: string): Promise<Payment | null> {
    const [row] = await this.db.prepared<{ id: string }>(
      'payments-live',
      `SELECT id FROM payments.payment WHERE org_id = $1 AND booking_id = $2 AND ${LIVE}`,
      [orgId, bookingId],
    );
    return row ? this.find(orgId, row.id) : null;
  }

  /** Writes a new payment; false when its booking has a live one, written by someone else a moment ago. */
  async insert(payment: Payment): Promise<boolean> {
    try {
      await this.db.savepoint(() => this.db.insert(payment));
      return true;
    } catch (e) {
      const { code, constraint } = ((e as { driverError?: unknown }).driverError ?? e) as { code?: string; constraint?: string };
      if (code === '23505' && constraint === 'payment_live') return false;
      throw e;
    }
  }

  /** Without surplus ones, which are no money of the booking; newest first. */
  async ofBooking(orgId: string, bookingId: string): Promise<Payment[]> {
    const found = await this.db.findAll(Payment, { orgId, bookingId, surplus: false });
    return found.sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async openAmong(orgId: string, bookingIds: string[]): Promise<string[]> {
    const rows = await this.db.prepared<{ booking_id: string }>(
      'payments-open-among',
      `SELECT booking_id FROM payments.payment
       WHERE org_id = $1 AND booking_id = ANY($2::uuid[]) AND status IN ('created', 'processing')`,
      [orgId, bookingIds],
    );
    return rows.map((r) => r.booking_id);
  }

  /** A page of an organization's payments, newest first, one more than asked for. */
  async list(orgId: string, page: { bookingId?: string; before: string | null; limit: number }): Promise<Payment[]> {
    const params: unknown[] = [orgId, page.limit + 1];
    const and = (sql: string, value: unknown) => (value ? ` AND ${sql} $${params.push(value)}` : '');
    const rows = await this.db.query<{ id: string }>(
      `SELECT id FROM payments.payment
       WHERE org_id = $1${and('booking_id =', page.bookingId)}${and('id <', page.before)} ORDER BY id DESC LIMIT $2`,
      params,
    );
    const found = await Promise.all(rows.map(({ id }) => this.find(orgId, id)));
    return found.filter((p) => p !== null);
  }

  findRefund(orgId: string, id: string): Promise<Refund | null> {
    return this.db.find(Refund, { orgId, id });
  }

  refundByKey(orgId: string, key: string): Promise<Refund | null> {
    return this.db.find(Refund, { orgId, key });
  }

  async refundsOf(orgId: string, paymentId: string): Promise<Refund[]> {
    const found = await this.db.findAll(Refund, { orgId, paymentId });
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Writes the lines of one posting in one statement. */
  async book(entries: readonly LedgerEntry[]): Promise<void> {
    const column = <K extends keyof LedgerEntry>(key: K) => entries.map((e) => e[key]);
    await this.db.prepared(
      'ledger-book',
      `INSERT INTO payments.ledger_entry
         (org_id, id, transaction_id, payment_id, refund_id, kind, account, currency, amount, created_at)
       SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[],
         $9::bigint[], $10::timestamptz[])`,
      [
        column('orgId'), column('id'), column('transactionId'), column('paymentId'), column('refundId'), column('kind'),
        column('account'), column('currency'), column('amount'), column('createdAt'),
      ], // prettier-ignore
    );
  }

  /**
   * Takes what has been open for longer than `seconds` and is due to be asked after; each is then nobody's for a while, longer each
   * time (up to ten minutes), so that several workers share the work and one that dies loses nothing.
   */
  claimOverdue(seconds: number, limit: number): Promise<Overdue[]> {
    const open = (kind: string, states: string) => `
       open_${kind} AS (
         SELECT t.org_id, t.id, '${kind}' AS kind FROM payments.${kind} t
         LEFT JOIN payments.watch w ON w.org_id = t.org_id AND w.subject_id = t.id
         WHERE t.status IN (${states}) AND t.created_at <= platform.now() - $1 * interval '1 second'
           AND (w.due_at IS NULL OR w.due_at <= platform.now())
         ORDER BY t.created_at LIMIT $2 FOR UPDATE OF t SKIP LOCKED)`;
    return this.db.query<Overdue>(
      `WITH ${open('payment', `'created', 'processing'`)}, ${open('refund', `'requested', 'processing'`)},
       due AS (SELECT * FROM open_payment UNION ALL SELECT * FROM open_refund LIMIT $2),
       claimed AS (
         INSERT INTO payments.watch AS w (org_id, subject_id, due_at)
         SELECT org_id, id, platform.now() + $1 * interval '1 second' FROM due
         ON CONFLICT (org_id, subject_id) DO UPDATE SET tries = w.tries + 1,
           due_at = platform.now() + least($1 * power(2, least(w.tries, 10)), 600) * interval '1 second'
           WHERE w.due_at <= platform.now()
         RETURNING org_id, subject_id)
       SELECT d.kind, d.org_id AS "orgId", d.id FROM due d JOIN claimed c ON c.org_id = d.org_id AND c.subject_id = d.id`,
      [seconds, limit],
    );
  }

  /** It is settled: nobody needs to ask any more. */
  async unwatch(orgId: string, id: string): Promise<void> {
    await this.db.execute(`DELETE FROM payments.watch WHERE org_id = $1 AND subject_id = $2`, [orgId, id]);
  }
}
