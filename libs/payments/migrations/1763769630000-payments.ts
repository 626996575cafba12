// Payments' tables: payments, refunds, the ledger, the webhook inbox, what is being asked after, and the test provider's own books.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Payments1763769630000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA payments;

CREATE TABLE payments.payment (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  booking_id uuid NOT NULL,
  provider text NOT NULL,
  charge_id text,
  amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  status text NOT NULL CHECK (status IN ('created', 'processing', 'succeeded', 'declined', 'refunded')),
  decline_code text,
  refunded_amount bigint NOT NULL DEFAULT 0 CHECK (refunded_amount BETWEEN 0 AND amount),
  surplus boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  CHECK ((status = 'refunded') = (refunded_amount = amount))
);
-- One payment of a booking may be open or succeeded. A surplus one is money the provider took besides: it is on its way back.
CREATE UNIQUE INDEX payment_live ON payments.payment (org_id, booking_id)
  WHERE status IN ('created', 'processing', 'succeeded') AND NOT surplus;
CREATE INDEX payment_booking ON payments.payment (org_id, booking_id);
CREATE INDEX payment_open ON payments.payment (created_at) WHERE status IN ('created', 'processing');

CREATE TABLE payments.refund (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  payment_id uuid NOT NULL,
  booking_id uuid NOT NULL,
  key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
  amount bigint NOT NULL CHECK (amount BETWEEN 1 AND 9007199254740991),
  currency text NOT NULL,
  reason text NOT NULL,
  status text NOT NULL CHECK (status IN ('requested', 'processing', 'succeeded', 'failed')),
  failure_code text,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, payment_id) REFERENCES payments.payment (org_id, id)
);
CREATE UNIQUE INDEX refund_key ON payments.refund (org_id, key);
CREATE INDEX refund_payment ON payments.refund (org_id, payment_id);
CREATE INDEX refund_open ON payments.refund (created_at) WHERE status IN ('requested', 'processing');

-- Double entry: the lines of one transaction_id sum to zero per currency. Lines are written once and never changed.
CREATE TABLE payments.ledger_entry (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  transaction_id uuid NOT NULL,
  payment_id uuid NOT NULL,
  refund_id uuid,
  kind text NOT NULL CHECK (kind IN ('capture', 'refund-owed', 'refund-paid', 'refund-failed')),
  account text NOT NULL CHECK (account IN ('buyer', 'provider', 'revenue', 'refunds')),
  currency text NOT NULL,
  amount bigint NOT NULL CHECK (amount <> 0),
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, payment_id) REFERENCES payments.payment (org_id, id)
);
CREATE INDEX ledger_payment ON payments.ledger_entry (org_id, payment_id);
-- The last line of defence: a payment is captured once, a refund is paid out once.
CREATE UNIQUE INDEX ledger_one_capture ON payments.ledger_entry (org_id, payment_id) WHERE kind = 'capture' AND account = 'provider';
CREATE UNIQUE INDEX ledger_one_payout ON payments.ledger_entry (org_id, refund_id) WHERE kind = 'refund-paid' AND account = 'provider';

-- Inbox: each event of a provider takes effect once. What names no payment of ours is kept for operators (org_id is the nil UUID
-- where it does not even name an organization).
CREATE TABLE payments.webhook_event (
  org_id uuid NOT NULL,
  provider text NOT NULL,
  event_id text NOT NULL,
  type text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('applied', 'nothing-new', 'unknown', 'mismatch', 'ignored')),
  data jsonb NOT NULL,
  received_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, provider, event_id)
);
CREATE INDEX webhook_event_odd ON payments.webhook_event (received_at) WHERE outcome IN ('unknown', 'mismatch');

-- What was open for too long and is being asked after: when next, and how often it was.
CREATE TABLE payments.watch (
  org_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  tries int NOT NULL DEFAULT 1,
  due_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, subject_id)
);

-- The test provider's books, as if another company kept them: nothing above refers to them, and they refer to nothing above.
CREATE TABLE payments.test_charge (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  key text NOT NULL,
  fingerprint text NOT NULL,
  reference uuid NOT NULL,
  amount bigint NOT NULL,
  currency text NOT NULL,
  last4 text,
  outcome text NOT NULL CHECK (outcome IN ('succeeded', 'declined')),
  code text,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  settles_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id)
);
CREATE UNIQUE INDEX test_charge_key ON payments.test_charge (org_id, key);
CREATE TABLE payments.test_refund (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  key text NOT NULL,
  charge_id uuid NOT NULL,
  reference uuid NOT NULL,
  amount bigint NOT NULL,
  currency text NOT NULL,
  outcome text NOT NULL CHECK (outcome IN ('succeeded', 'failed')),
  code text,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  settles_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, charge_id) REFERENCES payments.test_charge (org_id, id)
);
CREATE UNIQUE INDEX test_refund_key ON payments.test_refund (org_id, key);
CREATE TABLE payments.test_webhook (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, id)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA payments CASCADE');
  }
}
