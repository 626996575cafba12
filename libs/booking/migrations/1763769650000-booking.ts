// Booking's tables: stock, bookings, items, seats, tickets, and the counters of limits.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Booking1763769650000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS booking;

-- What catalog last told of an event. A booking is decided against one revision of it.
CREATE TABLE booking.event_sale (
  org_id uuid NOT NULL,
  event_id uuid NOT NULL,
  revision int NOT NULL,
  on_sale boolean NOT NULL,
  starts_at timestamptz NOT NULL,
  ends_at timestamptz NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL,
  PRIMARY KEY (org_id, event_id)
);

-- The counters of one pool: the row that everyone wants. The check is the last line of defence.
CREATE TABLE booking.inventory (
  org_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  event_id uuid NOT NULL,
  capacity int NOT NULL,
  held int NOT NULL DEFAULT 0,
  sold int NOT NULL DEFAULT 0,
  reserved int NOT NULL DEFAULT 0,
  waiting int NOT NULL DEFAULT 0 CHECK (waiting >= 0),
  changes bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (org_id, pool_id),
  CHECK (held >= 0 AND sold >= 0 AND reserved >= 0 AND held + sold + reserved <= capacity)
) WITH (fillfactor = 50);
CREATE INDEX inventory_event ON booking.inventory (org_id, event_id);

CREATE TABLE booking.booking (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  status text NOT NULL CHECK (status IN ('PENDING', 'CONFIRMED', 'CANCELLED')),
  expires_at timestamptz,
  -- The hold was made longer for a payment, which happens once; while paying, only the sweep may end it.
  extended boolean NOT NULL DEFAULT false,
  paying boolean NOT NULL DEFAULT false,
  currency text NOT NULL,
  total bigint NOT NULL CHECK (total >= 0),
  refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  promo_id uuid,
  account_id uuid,
  -- Whose limits it counts against: an HMAC of the account or the mail address; null where nothing is limited.
  person bytea,
  cancel_reason text CHECK (cancel_reason IN ('requested', 'expired', 'payment', 'organizer', 'event')),
  cancel_note text,
  contact_email text,
  contact_name text,
  locale text NOT NULL DEFAULT 'en',
  answers jsonb,
  created_at timestamptz NOT NULL,
  confirmed_at timestamptz,
  cancelled_at timestamptz,
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  CHECK ((status = 'PENDING') = (expires_at IS NOT NULL)),
  CHECK ((status = 'CANCELLED') = (cancel_reason IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX booking_event ON booking.booking (org_id, event_id, id);
CREATE INDEX booking_hold_end ON booking.booking (expires_at) WHERE status = 'PENDING';
CREATE INDEX booking_event_hold_end ON booking.booking (org_id, event_id, expires_at) WHERE status = 'PENDING';

CREATE TABLE booking.item (
  org_id uuid NOT NULL,
  booking_id uuid NOT NULL,
  line smallint NOT NULL,
  ticket_type_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  quantity int NOT NULL CHECK (quantity >= 0),
  unit_price bigint NOT NULL CHECK (unit_price >= 0),
  total bigint NOT NULL CHECK (total >= 0),
  seat_ids text[],
  PRIMARY KEY (org_id, booking_id, line),
  FOREIGN KEY (org_id, booking_id) REFERENCES booking.booking (org_id, id),
  CHECK (seat_ids IS NULL OR cardinality(seat_ids) = quantity)
);

-- One numbered place of one event. The key makes it one row, and so one owner.
CREATE TABLE booking.seat (
  org_id uuid NOT NULL,
  event_id uuid NOT NULL,
  seat_id text NOT NULL,
  ticket_type_id uuid NOT NULL,
  section text NOT NULL,
  section_name text NOT NULL,
  row_name text NOT NULL,
  number text NOT NULL,
  x double precision NOT NULL,
  y double precision NOT NULL,
  zone text NOT NULL,
  accessible boolean NOT NULL,
  companion_of text,
  ordinal int NOT NULL,
  state text NOT NULL DEFAULT 'free' CHECK (state IN ('free', 'held', 'sold', 'blocked')),
  booking_id uuid,
  PRIMARY KEY (org_id, event_id, seat_id),
  CHECK ((state IN ('held', 'sold')) = (booking_id IS NOT NULL))
) WITH (fillfactor = 70);

CREATE TABLE booking.ticket (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  booking_id uuid NOT NULL,
  event_id uuid NOT NULL,
  line smallint NOT NULL,
  ticket_type_id uuid NOT NULL,
  seat_id text,
  status text NOT NULL DEFAULT 'valid' CHECK (status IN ('valid', 'used', 'void')),
  -- ver of the code: a transfer raises it, and the code before is void.
  code_version int NOT NULL DEFAULT 1,
  code text NOT NULL,
  holder_email text,
  holder_name text,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, booking_id) REFERENCES booking.booking (org_id, id)
);
CREATE INDEX ticket_booking ON booking.ticket (org_id, booking_id);
CREATE UNIQUE INDEX ticket_live_seat ON booking.ticket (org_id, event_id, seat_id) WHERE seat_id IS NOT NULL AND status <> 'void';

-- How often a promo code was used, and how much of a ticket type or promo code one person has.
CREATE TABLE booking.promo_use (
  org_id uuid NOT NULL,
  promo_id uuid NOT NULL,
  used int NOT NULL DEFAULT 0 CHECK (used >= 0),
  PRIMARY KEY (org_id, promo_id)
);
CREATE TABLE booking.person_use (
  org_id uuid NOT NULL,
  subject_id uuid NOT NULL,
  person bytea NOT NULL,
  used int NOT NULL CHECK (used >= 0),
  PRIMARY KEY (org_id, subject_id, person)
);

-- An account's bookings over all organizations: a projection, led by the account.
CREATE TABLE booking.account_booking (
  account_id uuid NOT NULL,
  booking_id uuid NOT NULL,
  org_id uuid NOT NULL,
  PRIMARY KEY (account_id, booking_id)
);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA booking CASCADE');
  }
}
