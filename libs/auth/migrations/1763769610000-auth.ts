// Auth's tables: accounts and their sessions, organizations with members, invitations and API keys, and what finds them by a text.
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Auth1763769610000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
CREATE SCHEMA auth;

-- Account tables lead with account_id: a person belongs to no organization.
CREATE TABLE auth.account (
  account_id uuid PRIMARY KEY,
  email text NOT NULL,
  name text NOT NULL,
  locale text NOT NULL,
  time_zone text,
  phone text,
  quiet_from text,
  quiet_to text,
  password_hash text,
  email_verified_at timestamptz,
  verification_asked_at timestamptz,
  reset_asked_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  CHECK ((quiet_from IS NULL) = (quiet_to IS NULL))
);

CREATE TABLE auth.session (
  account_id uuid NOT NULL REFERENCES auth.account (account_id),
  id uuid NOT NULL,
  user_agent text,
  ip text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  ended_at timestamptz,
  end_reason text CHECK (end_reason IN ('logout', 'revoked', 'reuse', 'password')),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (account_id, id),
  CHECK ((ended_at IS NULL) = (end_reason IS NULL))
);
CREATE INDEX session_live ON auth.session (account_id, id) WHERE ended_at IS NULL;

-- Bookkeeping of a session: the hash of its one refresh token that still counts. Changes with every refresh, so no part of the aggregate.
CREATE TABLE auth.session_refresh (
  account_id uuid NOT NULL,
  session_id uuid NOT NULL,
  hash bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  refreshed_at timestamptz NOT NULL DEFAULT platform.now(),
  PRIMARY KEY (account_id, session_id),
  FOREIGN KEY (account_id, session_id) REFERENCES auth.session (account_id, id)
);

-- Organizations, and what belongs to each.
CREATE TABLE auth.organization (
  org_id uuid PRIMARY KEY,
  name text NOT NULL,
  slug text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1
);

-- One who left keeps the row, with left_at, and takes it up again on return.
CREATE TABLE auth.member (
  org_id uuid NOT NULL REFERENCES auth.organization (org_id),
  account_id uuid NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
  joined_at timestamptz NOT NULL,
  left_at timestamptz,
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, account_id)
);
CREATE INDEX member_of ON auth.member (account_id) WHERE left_at IS NULL;

CREATE TABLE auth.invitation (
  org_id uuid NOT NULL REFERENCES auth.organization (org_id),
  id uuid NOT NULL,
  email text NOT NULL,
  role text NOT NULL CHECK (role IN ('owner', 'manager', 'staff')),
  status text NOT NULL CHECK (status IN ('open', 'accepted', 'revoked')),
  expires_at timestamptz NOT NULL,
  invited_by text NOT NULL,
  accepted_by uuid,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id)
);

CREATE TABLE auth.api_key (
  org_id uuid NOT NULL REFERENCES auth.organization (org_id),
  id uuid NOT NULL,
  name text NOT NULL,
  hint text NOT NULL,
  scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
  expires_at timestamptz,
  revoked_at timestamptz,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT platform.now(),
  version int NOT NULL DEFAULT 1,
  PRIMARY KEY (org_id, id)
);

-- Bookkeeping: when a key was last used, at most a minute old.
CREATE TABLE auth.api_key_use (
  org_id uuid NOT NULL,
  api_key_id uuid NOT NULL,
  used_at timestamptz NOT NULL,
  PRIMARY KEY (org_id, api_key_id),
  FOREIGN KEY (org_id, api_key_id) REFERENCES auth.api_key (org_id, id)
);

-- Directories: they find by a text what is kept under an id, and make that text unique; so they lead with it. They hold nothing else.
CREATE TABLE auth.email_directory (email_key text PRIMARY KEY, account_id uuid NOT NULL);
CREATE TABLE auth.organization_tag (tag text PRIMARY KEY CHECK (tag ~ '^[0-9a-f]{8}$'), org_id uuid NOT NULL);
CREATE TABLE auth.organization_slug (slug text PRIMARY KEY, org_id uuid NOT NULL);
CREATE TABLE auth.api_key_directory (hash bytea PRIMARY KEY, org_id uuid NOT NULL, api_key_id uuid NOT NULL);

-- Bookkeeping: how much of its allowance a key (an HMAC of mail or network address, never the address) has used up: see throttle.repository.
CREATE TABLE auth.throttle (key text PRIMARY KEY, empty_at timestamptz NOT NULL);
CREATE INDEX throttle_age ON auth.throttle (empty_at);
`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP SCHEMA auth CASCADE');
  }
}
