// Pricing's tables: promo codes.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Pricing1763769640000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS pricing;

CREATE TABLE pricing.promo_code (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  code text NOT NULL,
  -- The code as it is compared: without case.
  code_key text NOT NULL,
  percent_hundredths int CHECK (percent_hundredths BETWEEN 1 AND 10000),
  amount bigint CHECK (amount > 0),
  -- Of amount: the event's when the code was made.
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  max_uses int CHECK (max_uses > 0),
  max_per_person int CHECK (max_per_person > 0),
  valid_from timestamptz(3),
  valid_until timestamptz(3),
  archived_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  CHECK ((percent_hundredths IS NULL) <> (amount IS NULL)),
  CHECK (valid_until > valid_from)
);
-- An archived code may be made again: its uses are counted apart.
CREATE UNIQUE INDEX promo_code_live ON pricing.promo_code (org_id, event_id, code_key) WHERE archived_at IS NULL;
CREATE INDEX promo_code_by_event ON pricing.promo_code (org_id, event_id, id);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA pricing CASCADE');
  }
}
