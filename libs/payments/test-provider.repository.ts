// All SQL of the test provider's own books, as if another company kept them: its own transactions, no table of ours in any of them.
import { Injectable } from '@nestjs/common';
import { newId } from '../kernel/ids.js';
import { Database } from '../platform/db/database.js';

/** A charge or refund of its books. `settled`: its time has come; before, it is processing. `atOnce`: it was settled in the answer. */
interface Entry {
  orgId: string;
  id: string;
  key: string;
  /** Our payment's or refund's id. */
  reference: string;
  amount: number;
  currency: string;
  code: string | null;
  createdAt: Date;
  settled: boolean;
  atOnce: boolean;
}

export interface TestCharge extends Entry {
  outcome: 'succeeded' | 'declined';
  /** HMAC of the card number, so that a replay with another card is noticed and no number is kept. */
  fingerprint: string;
  /** Null for a charge that was given up before it was made. */
  last4: string | null;
}

export interface TestRefund extends Entry {
  outcome: 'succeeded' | 'failed';
  chargeId: string;
}

type New<E extends Entry> = Omit<E, 'id' | 'createdAt' | 'settled' | 'atOnce'> & { settlesMs: number };

const SHARED = `org_id AS "orgId", id, key, reference, amount, currency, outcome, code, created_at AS "createdAt",
  settles_at <= platform.now() AS settled, settles_at <= created_at AS "atOnce"`;
const CHARGE = `${SHARED}, fingerprint, last4`;
const REFUND = `${SHARED}, charge_id AS "chargeId"`;

@Injectable()
export class TestProviderRepository {
  constructor(private readonly db: Database) {}

  /** Null when there is one by that key. */
  async addCharge(c: New<TestCharge>): Promise<TestCharge | null> {
    const [row] = await this.db.prepared<TestCharge>(
      'test-charge-add',
      `INSERT INTO payments.test_charge
         (org_id, id, key, fingerprint, reference, amount, currency, last4, outcome, code, created_at, settles_at)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, n.now, n.now + $11 * interval '1 millisecond' FROM platform.now() AS n(now)
       ON CONFLICT (org_id, key) DO NOTHING RETURNING ${CHARGE}`,
      [
        c.orgId, newId(c.orgId), c.key, c.fingerprint, c.reference, c.amount, c.currency, c.last4, c.outcome, c.code, c.settlesMs,
      ], // prettier-ignore
    );
    return row ?? null;
  }

  async chargeByKey(orgId: string, key: string): Promise<TestCharge | null> {
    const [row] = await this.db.prepared<TestCharge>(
      'test-charge-by-key',
      `SELECT ${CHARGE} FROM payments.test_charge WHERE org_id = $1 AND key = $2`,
      [orgId, key],
    );
    return row ?? null;
  }

  /** Locked, so that refunds of one charge are counted one after the other. */
  async lockChargeOf(orgId: string, reference: string): Promise<TestCharge | null> {
    const [row] = await this.db.query<TestCharge>(
      `SELECT ${CHARGE} FROM payments.test_charge WHERE org_id = $1 AND key = $2 FOR UPDATE`,
      [orgId, reference],
    );
    return row ?? null;
  }

  async addRefund(r: New<TestRefund>): Promise<TestRefund> {
    const [row] = await this.db.query<TestRefund>(
      `INSERT INTO payments.test_refund
         (org_id, id, key, charge_id, reference, amount, currency, outcome, code, created_at, settles_at)
       SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, n.now, n.now + $10 * interval '1 millisecond' FROM platform.now() AS n(now)
       RETURNING ${REFUND}`,
      [r.orgId, newId(r.orgId), r.key, r.chargeId, r.reference, r.amount, r.currency, r.outcome, r.code, r.settlesMs],
    );
    return row;
  }

  async refundByKey(orgId: string, key: string): Promise<TestRefund | null> {
    const [row] = await this.db.query<TestRefund>(`SELECT ${REFUND} FROM payments.test_refund WHERE org_id = $1 AND key = $2`, [
      orgId,
      key,
    ]);
    return row ?? null;
  }

  /** What was given back of a charge, or is about to be. */
  async givenBack(orgId: string, chargeId: string): Promise<number> {
    const [{ sum }] = await this.db.query<{ sum: number }>(
      `SELECT coalesce(sum(amount), 0)::bigint AS sum FROM payments.test_refund
       WHERE org_id = $1 AND charge_id = $2 AND outcome = 'succeeded'`,
      [orgId, chargeId],
    );
    return sum;
  }

  async addWebhook(orgId: string, id: string, body: string): Promise<void> {
    await this.db.prepared('test-webhook-add', `INSERT INTO payments.test_webhook (org_id, id, body) VALUES ($1, $2, $3)`, [
      orgId,
      id,
      body,
    ]);
  }

  async webhookBody(orgId: string, id: string): Promise<string | null> {
    const [row] = await this.db.prepared<{ body: string }>(
      'test-webhook-body',
      `SELECT body FROM payments.test_webhook WHERE org_id = $1 AND id = $2`,
      [orgId, id],
    );
    return row?.body ?? null;
  }

  /** Forgets, a page at a time, webhooks whose deliveries are long over. */
  async trimWebhooks(days: number, page: number): Promise<number> {
    return this.db.execute(
      `DELETE FROM payments.test_webhook WHERE ctid IN (SELECT ctid FROM payments.test_webhook
         WHERE created_at < platform.now() - $1 * interval '1 day' LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [days, page],
    );
  }
}
