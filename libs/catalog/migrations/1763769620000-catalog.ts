// Catalog's tables: venues and their seat maps, events, pools, ticket types, checkout fields, and the listing that the public searches.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Catalog1763769620000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA IF NOT EXISTS catalog;

CREATE TABLE catalog.venue (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  name text NOT NULL,
  address text,
  time_zone text NOT NULL,
  latitude double precision CHECK (latitude BETWEEN -90 AND 90),
  longitude double precision CHECK (longitude BETWEEN -180 AND 180),
  -- The newest seat map; null while there is none.
  seat_map_version int,
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  CHECK ((latitude IS NULL) = (longitude IS NULL))
);

-- Every seat map a venue had: seats that an event sells keep the map they were placed with. Written once, never changed.
CREATE TABLE catalog.seat_map (
  org_id uuid NOT NULL,
  venue_id uuid NOT NULL,
  version int NOT NULL CHECK (version > 0),
  -- Of the bytes in map.
  sha256 text NOT NULL,
  seats int NOT NULL CHECK (seats >= 0),
  map text NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (org_id, venue_id, version),
  FOREIGN KEY (org_id, venue_id) REFERENCES catalog.venue (org_id, id)
);

CREATE TABLE catalog.event (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  title text NOT NULL,
  description text,
  venue_id uuid,
  -- 'past' is never stored: it is published and over by the clock.
  status text NOT NULL CHECK (status IN ('draft', 'published', 'cancelled')),
  starts_at timestamptz(3) NOT NULL,
  ends_at timestamptz(3) NOT NULL,
  time_zone text NOT NULL,
  currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  hold_seconds int NOT NULL CHECK (hold_seconds BETWEEN 5 AND 3600),
  cancel_until_hours int CHECK (cancel_until_hours >= 0),
  cancel_fee_hundredths int NOT NULL CHECK (cancel_fee_hundredths BETWEEN 0 AND 10000),
  cancel_fee_amount bigint NOT NULL CHECK (cancel_fee_amount >= 0),
  published_at timestamptz(3),
  cancelled_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, venue_id) REFERENCES catalog.venue (org_id, id),
  CHECK (ends_at > starts_at)
);
CREATE INDEX event_by_time ON catalog.event (org_id, starts_at, id);
CREATE INDEX event_by_venue ON catalog.event (org_id, venue_id);

-- Bookkeeping: counts every change of an event and of what it sells. Not part of any aggregate, so that adding a ticket type
-- does not make the event's own ETag stale.
CREATE TABLE catalog.event_revision (
  org_id uuid NOT NULL,
  event_id uuid NOT NULL,
  revision int NOT NULL,
  PRIMARY KEY (org_id, event_id),
  FOREIGN KEY (org_id, event_id) REFERENCES catalog.event (org_id, id)
);

CREATE TABLE catalog.pool (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  name text NOT NULL,
  capacity int NOT NULL CHECK (capacity >= 0),
  -- False: it belongs to one ticket type, and its capacity is changed through that.
  shared boolean NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, event_id) REFERENCES catalog.event (org_id, id)
);
CREATE INDEX pool_by_event ON catalog.pool (org_id, event_id, id);

CREATE TABLE catalog.ticket_type (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  pool_id uuid NOT NULL,
  name text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('general', 'seated')),
  price bigint NOT NULL CHECK (price >= 0),
  zone text,
  -- Which of the venue's seat maps its seats are from.
  seat_map_version int,
  max_per_booking int CHECK (max_per_booking > 0),
  max_per_person int CHECK (max_per_person > 0),
  sales_start_at timestamptz(3),
  sales_end_at timestamptz(3),
  access_code text,
  position int NOT NULL,
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, event_id) REFERENCES catalog.event (org_id, id),
  FOREIGN KEY (org_id, pool_id) REFERENCES catalog.pool (org_id, id),
  CHECK ((kind = 'seated') = (zone IS NOT NULL) AND (zone IS NULL) = (seat_map_version IS NULL)),
  CHECK (sales_end_at > sales_start_at)
);
CREATE INDEX ticket_type_by_event ON catalog.ticket_type (org_id, event_id, position, id);
-- A seat is sold by one ticket type.
CREATE UNIQUE INDEX ticket_type_zone ON catalog.ticket_type (org_id, event_id, zone) WHERE zone IS NOT NULL;

CREATE TABLE catalog.checkout_field (
  org_id uuid NOT NULL,
  id uuid NOT NULL,
  event_id uuid NOT NULL,
  label text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('text', 'choice', 'boolean')),
  required boolean NOT NULL,
  choices text[],
  per text NOT NULL CHECK (per IN ('booking', 'ticket')),
  position int NOT NULL,
  -- Asked no more; answers that were given keep their question.
  archived_at timestamptz(3),
  created_at timestamptz(3) NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id),
  FOREIGN KEY (org_id, event_id) REFERENCES catalog.event (org_id, id),
  CHECK ((kind = 'choice') = (choices IS NOT NULL))
);
CREATE INDEX checkout_field_by_event ON catalog.checkout_field (org_id, event_id, position, id);

-- Bookkeeping: what the public finds, one row an event that is published and not over. Made from event and venue, and can be again.
CREATE TABLE catalog.listing (
  org_id uuid NOT NULL,
  event_id uuid NOT NULL,
  starts_at timestamptz(3) NOT NULL,
  ends_at timestamptz(3) NOT NULL,
  latitude double precision,
  longitude double precision,
  words tsvector NOT NULL,
  PRIMARY KEY (org_id, event_id),
  FOREIGN KEY (org_id, event_id) REFERENCES catalog.event (org_id, id)
);
CREATE INDEX listing_by_time ON catalog.listing (starts_at, event_id);
CREATE INDEX listing_by_end ON catalog.listing (ends_at);
CREATE INDEX listing_by_place ON catalog.listing (latitude, longitude) WHERE latitude IS NOT NULL;
CREATE INDEX listing_by_words ON catalog.listing USING gin (words);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA catalog CASCADE');
  }
}
