// The SQL of the batch, as the migration beside it installs it. Each function keeps one rule: inventory rows are locked first, in id
// order; under those locks nobody else changes the stock, seats or limits of these pools, so what is read then is what is decided by.
//
// What domain events say of rows is written as text, from what the call was asked with or has just changed: reading rows back and to_jsonb(), which asks the
// catalog of every column, took a third of a hold each. Columns that booking.personal-data.ts names stay out; one that is missing is found by `npm run verify`.

/**
 * Look-ups must use their keys whatever the tables looked like when the plan was made: a plan made on empty tables keeps its scans. And
 * the plan made once is kept: planning for each batch's own arrays took longer than deciding it.
 */
const pinned = `SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off SET plan_cache_mode = force_generic_plan`;

/**
 * No lock is waited for longer (SQLSTATE 55P03): those of stock are skipped where waiting is not wanted, but others (a seat, a promo code's uses) may be kept
 * by somebody too, and whoever waits keeps a connection meanwhile. Who was not served asks again.
 */
const briefly = `SET lock_timeout = '1s'`;

/** Locks pools in the order given (callers sort by id); what is free in each, NULL where somebody else holds the row and waiting is not wanted. */
export const lockPools = `
CREATE OR REPLACE FUNCTION booking.lock_pools(p_org uuid[], p_pool uuid[], p_wait boolean) RETURNS int[] LANGUAGE plpgsql ${pinned} AS $$
DECLARE free int[];
BEGIN
  IF p_wait THEN
    SELECT array_agg(l.free ORDER BY u.ord) INTO free
    FROM unnest(p_org, p_pool) WITH ORDINALITY u(org, pool, ord)
    LEFT JOIN LATERAL (SELECT i.capacity - i.held - i.sold - i.reserved AS free FROM booking.inventory i
      WHERE i.org_id = u.org AND i.pool_id = u.pool FOR UPDATE) l ON true;
  ELSE
    SELECT array_agg(l.free ORDER BY u.ord) INTO free
    FROM unnest(p_org, p_pool) WITH ORDINALITY u(org, pool, ord)
    LEFT JOIN LATERAL (SELECT i.capacity - i.held - i.sold - i.reserved AS free FROM booking.inventory i
      WHERE i.org_id = u.org AND i.pool_id = u.pool FOR UPDATE SKIP LOCKED) l ON true;
  END IF;
  RETURN free;
END $$;
`;

/** Bookings locked for a batch, by three functions. */
export const lockBookings = `
-- Those of the ids whose pools were all locked, the others NULL. in_pools: for each, indexes of \`free\` (of lock_pools), with commas.
CREATE OR REPLACE FUNCTION booking.reachable(free int[], in_id uuid[], in_pools text[]) RETURNS uuid[] LANGUAGE plpgsql ${pinned} AS $$
BEGIN
  IF array_position(free, NULL) IS NULL THEN RETURN in_id; END IF;
  RETURN (SELECT array_agg(CASE WHEN NOT EXISTS (SELECT 1 FROM unnest(string_to_array(u.pools, ',')) x WHERE free[x::int] IS NULL) THEN u.id END ORDER BY u.ord)
    FROM unnest(in_id, in_pools) WITH ORDINALITY u(id, pools, ord));
END $$;

-- The rows in the order given; NULL where there is none, or where somebody else holds it and waiting is not wanted.
CREATE OR REPLACE FUNCTION booking.lock_bookings(in_org uuid[], in_id uuid[], p_wait boolean) RETURNS booking.booking[] LANGUAGE plpgsql ${pinned} AS $$
BEGIN
  IF p_wait THEN
    RETURN (SELECT array_agg(l.b ORDER BY u.ord) FROM unnest(in_org, in_id) WITH ORDINALITY u(org, id, ord)
      LEFT JOIN LATERAL (SELECT x AS b FROM booking.booking x WHERE x.org_id = u.org AND x.id = u.id FOR UPDATE) l ON true);
  ELSE
    RETURN (SELECT array_agg(l.b ORDER BY u.ord) FROM unnest(in_org, in_id) WITH ORDINALITY u(org, id, ord)
      LEFT JOIN LATERAL (SELECT x AS b FROM booking.booking x WHERE x.org_id = u.org AND x.id = u.id FOR UPDATE SKIP LOCKED) l ON true);
  END IF;
END $$;

-- The verdict on a booking that was not locked: skipped where it, or one of its pools, is held by somebody else.
CREATE OR REPLACE FUNCTION booking.why_unlocked(in_org uuid, in_id uuid, p_wait boolean) RETURNS text LANGUAGE plpgsql ${pinned} AS $$
BEGIN
  RETURN CASE WHEN NOT p_wait AND EXISTS (SELECT 1 FROM booking.booking x WHERE x.org_id = in_org AND x.id = in_id) THEN 'skipped' ELSE 'not_found' END;
END $$;
`;

/** Ends bookings whose rows and pools the caller has locked: stock back (to reserved while people wait), seats, tickets, limits, domain events. */
export const endHolds = `
CREATE OR REPLACE FUNCTION booking.end_bookings(b_org uuid[], b_id uuid[], b_reason text[], b_note text[], b_refund bigint[], b_actor text[], b_request text[], b_trace text[], at timestamptz)
RETURNS void LANGUAGE plpgsql ${pinned} AS $$
DECLARE
  seated boolean;
  promoted boolean;
  limited boolean;
  nothing text;
BEGIN
  WITH part AS (
    SELECT i.org_id, i.pool_id, i.quantity, i.seat_ids, b.status, b.promo_id, b.person
    FROM unnest(b_org, b_id) AS g(org_id, id)
    JOIN booking.booking b ON b.org_id = g.org_id AND b.id = g.id
    JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id),
  freed AS (
    SELECT org_id, pool_id, coalesce(sum(quantity) FILTER (WHERE status = 'PENDING'), 0)::int AS held,
      coalesce(sum(quantity) FILTER (WHERE status = 'CONFIRMED'), 0)::int AS sold
    FROM part GROUP BY org_id, pool_id),
  given_back AS (
    UPDATE booking.inventory v SET held = v.held - f.held, sold = v.sold - f.sold, changes = v.changes + 1,
      reserved = v.reserved + CASE WHEN v.waiting > 0 THEN f.held + f.sold ELSE 0 END
    FROM freed f WHERE v.org_id = f.org_id AND v.pool_id = f.pool_id)
  SELECT bool_or(seat_ids IS NOT NULL), bool_or(promo_id IS NOT NULL), bool_or(person IS NOT NULL) INTO seated, promoted, limited FROM part;

  IF seated THEN
    UPDATE booking.seat s SET state = 'free', booking_id = NULL
    FROM (SELECT i.org_id, b.event_id, i.booking_id, unnest(i.seat_ids) AS seat_id
          FROM unnest(b_org, b_id) AS g(org_id, id)
          JOIN booking.booking b ON b.org_id = g.org_id AND b.id = g.id
          JOIN booking.item i ON i.org_id = g.org_id AND i.booking_id = g.id
          WHERE i.seat_ids IS NOT NULL) t
    WHERE s.org_id = t.org_id AND s.event_id = t.event_id AND s.seat_id = t.seat_id AND s.booking_id = t.booking_id;
  END IF;
  IF promoted THEN
    UPDATE booking.promo_use p SET used = p.used - n.n
    FROM (SELECT b.org_id, b.promo_id, count(*)::int AS n FROM unnest(b_org, b_id) AS g(org_id, id)
          JOIN booking.booking b ON b.org_id = g.org_id AND b.id = g.id WHERE b.promo_id IS NOT NULL GROUP BY 1, 2) n
    WHERE p.org_id = n.org_id AND p.promo_id = n.promo_id;
  END IF;
  IF limited THEN
    UPDATE booking.person_use p SET used = p.used - n.n
    FROM (SELECT org_id, subject_id, person, sum(n)::int AS n FROM (
            SELECT b.org_id, i.ticket_type_id AS subject_id, b.person, i.quantity AS n FROM unnest(b_org, b_id) AS g(org_id, id)
            JOIN booking.booking b ON b.org_id = g.org_id AND b.id = g.id
            JOIN booking.item i ON i.org_id = b.org_id AND i.booking_id = b.id WHERE b.person IS NOT NULL
            UNION ALL
            SELECT b.org_id, b.promo_id, b.person, 1 FROM unnest(b_org, b_id) AS g(org_id, id)
            JOIN booking.booking b ON b.org_id = g.org_id AND b.id = g.id WHERE b.person IS NOT NULL AND b.promo_id IS NOT NULL) x
          GROUP BY 1, 2, 3) n
    WHERE p.org_id = n.org_id AND p.subject_id = n.subject_id AND p.person = n.person;
  END IF;

  -- Told are the columns that changed. Tickets are seen as they were before this statement, which makes those void that were valid.
  WITH given AS (SELECT * FROM unnest(b_org, b_id, b_reason, b_note, b_refund, b_actor, b_request, b_trace) AS g(org_id, id, reason, note, refund, actor, request, trace)),
  ended AS (
    UPDATE booking.booking b SET status = 'CANCELLED', cancel_reason = g.reason, cancel_note = g.note, cancelled_at = at, expires_at = NULL, paying = false,
      refunded = b.refunded + g.refund, version = b.version + 1
    FROM given g WHERE b.org_id = g.org_id AND b.id = g.id
    RETURNING b.org_id, b.id, b.event_id, b.version, b.total, b.refunded, g.reason, g.refund, g.actor, g.request, g.trace,
      (SELECT string_agg(format('{"org_id":"%s","id":"%s","status":"void"}', t.org_id, t.id), ',') FROM booking.ticket t
       WHERE t.org_id = b.org_id AND t.booking_id = b.id AND t.status = 'valid') AS tickets),
  voided AS (
    UPDATE booking.ticket t SET status = 'void' FROM given g
    WHERE t.org_id = g.org_id AND t.booking_id = g.id AND t.status = 'valid')
  SELECT platform.event_append(array_agg(e.org_id), array_agg('booking:' || e.id), array_agg(e.version), 'booking.cancelled',
    array_agg(format('{"orgId":"%1$s","bookingId":"%2$s","eventId":"%3$s","reason":"%4$s","refund":%5$s,"rows":{"booking.booking":[{"org_id":"%1$s","id":"%2$s",'
      '"status":"CANCELLED","version":%6$s,"total":%7$s,"refunded":%8$s,"cancel_reason":"%4$s","cancelled_at":%9$s,"expires_at":null,"paying":false}]%10$s}}',
      e.org_id, e.id, e.event_id, e.reason, e.refund, e.version, e.total, e.refunded, to_json(at), ',"booking.ticket":[' || e.tickets || ']')),
    array_agg(e.actor), array_agg(e.request), array_agg(e.trace), at)
  INTO nothing FROM ended e;
END $$;
`;

/**
 * Decides holds in arrival order. p_*: the pools wanted, by id, each of them by some line. r_*: a request each. l_*: the requests' lines, in order, with
 * request and pool as indexes into r_* and p_*. r_open: the seats were chosen for the buyer, so that they are taken is no verdict yet. The verdicts come back
 * in the order of the requests, with commas; refusals are verdicts, never exceptions. kept: for each `replay`, in order, what was decided before.
 *
 * A statement costs Postgres 10 to 30 us before it reads a row, each aggregate 10, each array of an unnest() one: what is simple enough is said without them.
 */
export const holdBatch = `
CREATE OR REPLACE FUNCTION booking.hold_batch(
  p_wait boolean, p_org uuid[], p_pool uuid[],
  r_org uuid[], r_id uuid[], r_event uuid[], r_revision int[], r_seconds int[], r_currency text[], r_total bigint[],
  r_promo uuid[], r_promo_max int[], r_promo_person_max int[], r_account uuid[], r_person bytea[],
  r_email text[], r_name text[], r_locale text[], r_answers jsonb[],
  r_scope bytea[], r_key text[], r_hash bytea[], r_open boolean[], r_actor text[], r_request text[], r_trace text[],
  l_request int[], l_line int[], l_type uuid[], l_pool int[], l_quantity int[], l_unit bigint[], l_total bigint[], l_seats text[],
  l_from timestamptz[], l_until timestamptz[], l_person_max int[],
  OUT verdicts text, OUT at timestamptz, OUT kept json)
LANGUAGE plpgsql ${pinned} ${briefly} AS $$
DECLARE
  n int := cardinality(r_id);
  free int[];
  taken int[];
  swept boolean[];
  enough boolean;
  v text[];
  said text;
  first int;
  last int := 0;
  wanted int;
  loose int;
  there int;
  used_now int;
  k int;
  told_items text[];
  told text[];
  statuses smallint[];
  codes text[];
  subjects uuid[];
  expected int;
BEGIN
  free := booking.lock_pools(p_org, p_pool, p_wait);
  at := platform.now();

  -- What is known before any stock is looked at: keys decided earlier, events changed since the request was prepared.
  SELECT array_agg(CASE
      WHEN i.key IS NOT NULL THEN CASE WHEN i.body_hash = r.hash THEN 'replay' ELSE 'reused' END
      WHEN s.event_id IS NULL OR NOT s.on_sale OR s.ends_at <= at THEN 'not_on_sale'
      WHEN s.revision <> r.revision THEN 'stale' END ORDER BY r.ord)
  INTO v
  FROM unnest(r_org, r_event, r_revision, r_scope, r_key, r_hash) WITH ORDINALITY r(org, event, revision, scope, key, hash, ord)
  LEFT JOIN platform.idempotency i ON i.org_id = r.org AND i.scope = r.scope AND i.key = r.key AND i.created_at > at - interval '24 hours'
  LEFT JOIN booking.event_sale s ON s.org_id = r.org AND s.event_id = r.event;

  -- Somebody else holds every row that is wanted, and nobody's key was decided earlier: there is nothing to decide now.
  IF NOT p_wait AND cardinality(array_remove(free, NULL)) = 0 AND cardinality(array_remove(v, NULL)) = 0 THEN
    verdicts := array_to_string(array_fill('skipped'::text, ARRAY[n]), ',');
    RETURN;
  END IF;

  IF r_promo IS NOT NULL THEN
    INSERT INTO booking.promo_use (org_id, promo_id) SELECT DISTINCT o, p FROM unnest(r_org, r_promo) x(o, p) WHERE p IS NOT NULL ORDER BY p ON CONFLICT DO NOTHING;
    PERFORM 1 FROM booking.promo_use u WHERE (u.org_id, u.promo_id) IN (SELECT o, p FROM unnest(r_org, r_promo) x(o, p)) ORDER BY u.promo_id FOR UPDATE;
  END IF;

  -- Where nothing but stock can refuse, and there is enough of it for everyone, nobody need be looked at alone.
  IF l_seats IS NULL AND l_from IS NULL AND l_until IS NULL AND r_person IS NULL AND l_person_max IS NULL AND r_promo IS NULL THEN
    SELECT array_agg(coalesce(w.n, 0) ORDER BY w.pool), bool_and(coalesce(free[w.pool] >= w.n, w.n IS NULL)) INTO taken, enough
    FROM (SELECT l.pool, (sum(l.quantity) FILTER (WHERE v[l.request] IS NULL))::int AS n
      FROM unnest(l_request, l_pool, l_quantity) l(request, pool, quantity) GROUP BY l.pool) w;
  END IF;
  IF enough THEN
    v := array_replace(v, NULL, 'held');
  ELSE
    taken := array_fill(0, ARRAY[cardinality(p_pool)]);
    swept := array_fill(false, ARRAY[cardinality(p_pool)]);
    FOR i IN 1..n LOOP
      first := last + 1;
      last := first;
      WHILE l_request[last + 1] = i LOOP last := last + 1; END LOOP;
      CONTINUE WHEN v[i] IS NOT NULL;
      said := 'held';
      FOR j IN first..last LOOP
        k := l_pool[j];
        IF free[k] IS NULL THEN
          said := CASE WHEN p_wait THEN 'not_on_sale' ELSE 'skipped' END;
        ELSIF (l_from[j] IS NOT NULL AND at < l_from[j]) OR (l_until[j] IS NOT NULL AND at >= l_until[j]) THEN
          said := 'not_on_sale';
        ELSE
          wanted := l_quantity[j];
          IF j > first THEN -- Lines of one request may share a pool: what its earlier lines take counts.
            SELECT sum(l_quantity[m]) INTO wanted FROM generate_series(first, j) m WHERE l_pool[m] = k;
          END IF;
          LOOP
            loose := NULL;
            IF l_seats[j] IS NOT NULL THEN
              SELECT count(*) FILTER (WHERE s.state = 'free'), count(*) INTO loose, there FROM booking.seat s
              WHERE s.org_id = r_org[i] AND s.event_id = r_event[i] AND s.seat_id = ANY (string_to_array(l_seats[j], ',')) AND s.ticket_type_id = l_type[j];
            END IF;
            EXIT WHEN swept[k] OR (free[k] >= wanted AND (loose IS NULL OR loose = l_quantity[j]));
            -- Too little: holds that have ended may be in the way. Once for each pool of a batch.
            swept[k] := true;
            EXIT WHEN booking.lapse_expired(p_org, p_pool, free, r_org[i], r_event[i], at) = 0;
            SELECT array_agg(CASE WHEN free[u.ord] IS NOT NULL THEN c.capacity - c.held - c.sold - c.reserved - taken[u.ord] END ORDER BY u.ord) INTO free
            FROM unnest(p_org, p_pool) WITH ORDINALITY u(org, pool, ord)
            LEFT JOIN booking.inventory c ON c.org_id = u.org AND c.pool_id = u.pool;
          END LOOP;
          said := CASE WHEN there < l_quantity[j] AND loose IS NOT NULL THEN 'seat_unknown' WHEN loose < l_quantity[j] THEN 'seat_taken'
            WHEN free[k] < wanted THEN 'sold_out' ELSE said END;
          IF said = 'held' AND l_person_max[j] IS NOT NULL THEN
            SELECT coalesce(max(u.used), 0) INTO used_now FROM booking.person_use u
            WHERE u.org_id = r_org[i] AND u.subject_id = l_type[j] AND u.person = r_person[i];
            IF used_now + l_quantity[j] > l_person_max[j] THEN said := 'limit_exceeded'; END IF;
          END IF;
        END IF;
        EXIT WHEN said <> 'held';
      END LOOP;

      IF said = 'held' AND r_promo[i] IS NOT NULL THEN
        SELECT u.used INTO used_now FROM booking.promo_use u WHERE u.org_id = r_org[i] AND u.promo_id = r_promo[i];
        IF used_now >= r_promo_max[i] THEN said := 'limit_exceeded'; END IF;
        IF said = 'held' AND r_promo_person_max[i] IS NOT NULL THEN
          SELECT coalesce(max(u.used), 0) INTO used_now FROM booking.person_use u
          WHERE u.org_id = r_org[i] AND u.subject_id = r_promo[i] AND u.person = r_person[i];
          IF used_now >= r_promo_person_max[i] THEN said := 'limit_exceeded'; END IF;
        END IF;
      END IF;

      IF said = 'held' THEN
        FOR j IN first..last LOOP
          k := l_pool[j];
          free[k] := free[k] - l_quantity[j];
          taken[k] := taken[k] + l_quantity[j];
          IF l_seats[j] IS NOT NULL THEN
            UPDATE booking.seat s SET state = 'held', booking_id = r_id[i]
            WHERE s.org_id = r_org[i] AND s.event_id = r_event[i] AND s.seat_id = ANY (string_to_array(l_seats[j], ','));
          END IF;
          IF r_person[i] IS NOT NULL THEN
            INSERT INTO booking.person_use AS u VALUES (r_org[i], l_type[j], r_person[i], l_quantity[j])
            ON CONFLICT (org_id, subject_id, person) DO UPDATE SET used = u.used + excluded.used;
          END IF;
        END LOOP;
        IF r_promo[i] IS NOT NULL THEN
          UPDATE booking.promo_use u SET used = u.used + 1 WHERE u.org_id = r_org[i] AND u.promo_id = r_promo[i];
          IF r_person[i] IS NOT NULL THEN
            INSERT INTO booking.person_use AS u VALUES (r_org[i], r_promo[i], r_person[i], 1)
            ON CONFLICT (org_id, subject_id, person) DO UPDATE SET used = u.used + 1;
          END IF;
        END IF;
      END IF;
      v[i] := said;
    END LOOP;
  END IF;

  codes := array_replace(v, 'held', NULL);
  IF 'held' = ALL (v) THEN
    statuses := array_fill(201::smallint, ARRAY[n]);
    subjects := r_id;
    expected := n;
  ELSE
    SELECT array_agg(r.status ORDER BY r.ord), array_agg(CASE WHEN r.verdict = 'held' THEN r.id END ORDER BY r.ord), count(r.status) INTO statuses, subjects, expected
    FROM (SELECT *, CASE
          WHEN u.verdict = 'held' THEN 201::smallint
          WHEN u.verdict = 'seat_taken' AND u.open THEN NULL -- Seats chosen for the buyer: others are tried under the same key.
          WHEN u.verdict IN ('sold_out', 'seat_taken', 'not_on_sale', 'limit_exceeded') THEN 409::smallint END AS status
        FROM unnest(r_id, r_open, v) WITH ORDINALITY u(id, open, verdict, ord)) r;
  END IF;

  IF 'held' = ANY (v) THEN
    WITH stock AS (
      UPDATE booking.inventory c SET held = c.held + u.taken, changes = c.changes + 1
      FROM unnest(p_org, p_pool, taken) u(org, pool, taken) WHERE u.taken > 0 AND c.org_id = u.org AND c.pool_id = u.pool),
    booked AS (
      INSERT INTO booking.booking (org_id, id, event_id, status, expires_at, currency, total, promo_id, account_id, person,
        contact_email, contact_name, locale, answers, created_at)
      SELECT r.org, r.id, r.event, 'PENDING', at + r.seconds * interval '1 second', r.currency, r.total, r.promo, r.account, r.person,
        r.email, r.name, r.locale, r.answers, at
      FROM unnest(r_org, r_id, r_event, r_seconds, r_currency, r_total, r_promo, r_account, r_person, r_email, r_name, r_locale, r_answers, v)
        r(org, id, event, seconds, currency, total, promo, account, person, email, name, locale, answers, verdict)
      WHERE r.verdict = 'held')
    INSERT INTO booking.item (org_id, booking_id, line, ticket_type_id, pool_id, quantity, unit_price, total, seat_ids)
    SELECT r_org[l.request], r_id[l.request], l.line, l.type, p_pool[l.pool], l.quantity, l.unit, l.total, string_to_array(l.seats, ',')
    FROM unnest(l_request, l_line, l_type, l_pool, l_quantity, l_unit, l_total, l_seats) l(request, line, type, pool, quantity, unit, total, seats)
    WHERE v[l.request] = 'held';

    -- The lines of a request with commas between them; between requests stands a character that JSON writes otherwise.
    SELECT string_to_array(string_agg(
      format('{"org_id":"%s","booking_id":"%s","line":%s,"ticket_type_id":"%s","pool_id":"%s","quantity":%s,"unit_price":%s,"total":%s%s}',
        r_org[l.request], r_id[l.request], l.line, l.type, p_pool[l.pool], l.quantity, l.unit, l.total,
        ',"seat_ids":' || to_json(string_to_array(l.seats, ','))),
      CASE WHEN l.line = 1 THEN E'\\x1f' ELSE ',' END ORDER BY l.ord), E'\\x1f') INTO told_items
    FROM unnest(l_request, l_line, l_type, l_pool, l_quantity, l_unit, l_total, l_seats) WITH ORDINALITY l(request, line, type, pool, quantity, unit, total, seats, ord);

    -- A new row is told by the columns that are not as the table makes them by itself, since folding starts from those; and
    -- whose it is, which the api of the version before asks while it is being replaced.
    told := ARRAY(SELECT CASE WHEN r.verdict = 'held' THEN format(
        '{"orgId":"%1$s","bookingId":"%2$s","eventId":"%3$s","rows":{"booking.booking":[{"org_id":"%1$s","id":"%2$s","event_id":"%3$s","status":"PENDING","version":1,'
        '"currency":"%4$s","total":%5$s,"created_at":%6$s,"expires_at":%7$s,"account_id":%8$s%9$s}],"booking.item":[%10$s]}}',
        r.org, r.id, r.event, r.currency, r.total, to_json(at), to_json(at + r.seconds * interval '1 second'), coalesce('"' || r.account || '"', 'null'),
        concat(',"locale":' || to_json(nullif(r.locale, 'en')), ',"promo_id":"' || r.promo || '"', ',"person":' || to_json(r.person)),
        r.items) END
      FROM unnest(r_org, r_id, r_event, r_currency, r_total, r_seconds, r_locale, r_promo, r_account, r_person, told_items, v)
        WITH ORDINALITY r(org, id, event, currency, total, seconds, locale, promo, account, person, items, verdict, ord) ORDER BY r.ord);
    PERFORM platform.event_append(r_org, string_to_array('booking:' || array_to_string(r_id, ',booking:'), ','),
      array_fill(1, ARRAY[n]), 'booking.held', told, r_actor, r_request, r_trace, at);
  END IF;

  -- One effect per key: the verdict goes with it. A key decided elsewhere meanwhile undoes this batch.
  IF platform.idempotency_keep(r_org, r_scope, r_key, r_hash, statuses, codes, subjects, r_request, at) < expected THEN
    RAISE EXCEPTION 'an idempotency key was decided elsewhere' USING ERRCODE = '40001';
  END IF;

  verdicts := array_to_string(v, ',');
  IF 'replay' = ANY (v) THEN
    SELECT json_agg(json_build_object('status', i.status, 'code', i.code, 'bookingId', i.subject_id, 'requestId', i.request_id) ORDER BY r.ord) INTO kept
    FROM unnest(v, r_org, r_scope, r_key) WITH ORDINALITY r(verdict, org, scope, key, ord)
    JOIN platform.idempotency i ON i.org_id = r.org AND i.scope = r.scope AND i.key = r.key WHERE r.verdict = 'replay';
  END IF;
END $$;

-- Ends the holds of one event that have expired and nobody is paying for, as far as all their pools are among those locked; how many.
CREATE OR REPLACE FUNCTION booking.lapse_expired(p_org uuid[], p_pool uuid[], free int[], in_org uuid, in_event uuid, at timestamptz)
RETURNS int LANGUAGE plpgsql ${pinned} AS $$
DECLARE ids uuid[];
BEGIN
  SELECT array_agg(x.id) INTO ids FROM (
    SELECT b.id FROM booking.booking b
    WHERE b.org_id = in_org AND b.event_id = in_event AND b.status = 'PENDING' AND b.expires_at <= at AND NOT b.paying
      AND NOT EXISTS (SELECT 1 FROM booking.item i WHERE i.org_id = b.org_id AND i.booking_id = b.id
        AND NOT EXISTS (SELECT 1 FROM unnest(p_pool, free) u(pool, free) WHERE u.pool = i.pool_id AND u.free IS NOT NULL))
    ORDER BY b.expires_at LIMIT 500 FOR UPDATE SKIP LOCKED) x;
  IF ids IS NULL THEN RETURN 0; END IF;
  PERFORM booking.end_bookings(array_fill(in_org, ARRAY[cardinality(ids)]), ids, array_fill('expired'::text, ARRAY[cardinality(ids)]), array_fill(NULL::text, ARRAY[cardinality(ids)]),
    array_fill(0::bigint, ARRAY[cardinality(ids)]), array_fill('system:batch'::text, ARRAY[cardinality(ids)]), array_fill('none'::text, ARRAY[cardinality(ids)]), NULL, at);
  RETURN cardinality(ids);
END $$;
`;

/**
 * Confirms holds. r_late: money came after the hold had ended, so it takes stock again where there is some. t_*: the tickets to write,
 * signed before; t_request is the index of their request. Verdicts: confirmed, already, stale, hold_expired, bad_transition, sold_out, not_found, skipped.
 */
export const confirmBatch = `
CREATE OR REPLACE FUNCTION booking.confirm_batch(
  p_wait boolean, p_org uuid[], p_pool uuid[],
  r_org uuid[], r_id uuid[], r_version int[], r_late boolean[], r_actor text[], r_request text[], r_trace text[], r_pools text[],
  t_request int[], t_id uuid[], t_line int[], t_type uuid[], t_seat text[], t_code text[])
RETURNS TABLE (verdict text, decided_at timestamptz)
LANGUAGE plpgsql ${pinned} ${briefly} AS $$
DECLARE
  rows booking.booking[];
  v text[] := array_fill(NULL::text, ARRAY[cardinality(r_id)]);
  at timestamptz;
  b booking.booking;
  confirmed uuid[] := '{}';
  selling int[] := '{}';
  issued text[];
  nothing text;
BEGIN
  rows := booking.lock_bookings(r_org, booking.reachable(booking.lock_pools(p_org, p_pool, p_wait), r_id, r_pools), p_wait);
  at := platform.now();
  FOR i IN 1..cardinality(r_id) LOOP
    b := rows[i];
    v[i] := CASE
      WHEN b.id IS NULL THEN booking.why_unlocked(r_org[i], r_id[i], p_wait)
      WHEN b.status = 'CONFIRMED' OR b.id = ANY (confirmed) THEN 'already'
      WHEN b.version <> r_version[i] THEN 'stale'
      WHEN b.status = 'PENDING' AND (r_late[i] OR b.expires_at > at OR b.paying) THEN 'confirmed'
      WHEN NOT r_late[i] THEN CASE WHEN b.status = 'PENDING' OR b.cancel_reason = 'expired' THEN 'hold_expired' ELSE 'bad_transition' END
      WHEN b.cancel_reason NOT IN ('expired', 'payment') THEN 'bad_transition'
      WHEN booking.seat_again(b) THEN 'confirmed'
      ELSE 'sold_out' END;
    IF v[i] = 'confirmed' THEN
      confirmed := confirmed || b.id;
      -- One that was PENDING still has its units, expired or not.
      IF b.status = 'PENDING' THEN selling := selling || i; END IF;
    END IF;
  END LOOP;
  IF cardinality(confirmed) = 0 THEN
    RETURN QUERY SELECT r, at FROM unnest(v) WITH ORDINALITY u(r, ord) ORDER BY u.ord;
    RETURN;
  END IF;

  UPDATE booking.inventory c SET held = c.held - q.n, sold = c.sold + q.n, changes = c.changes + 1
  FROM (SELECT x.org_id, x.pool_id, sum(x.quantity)::int AS n FROM unnest(selling) s
        JOIN booking.item x ON x.org_id = r_org[s] AND x.booking_id = r_id[s] GROUP BY 1, 2) q
  WHERE c.org_id = q.org_id AND c.pool_id = q.pool_id;

  UPDATE booking.seat s SET state = 'sold', booking_id = x.booking_id
  FROM (SELECT i.org_id, rows[k].event_id, i.booking_id, unnest(i.seat_ids) AS seat_id FROM unnest(selling) k
        JOIN booking.item i ON i.org_id = r_org[k] AND i.booking_id = r_id[k] WHERE i.seat_ids IS NOT NULL) x
  WHERE s.org_id = x.org_id AND s.event_id = x.event_id AND s.seat_id = x.seat_id;

  INSERT INTO booking.ticket (org_id, id, booking_id, event_id, line, ticket_type_id, seat_id, code, holder_email, holder_name)
  SELECT x.org_id, t.id, x.id, x.event_id, t.line, t.type, t.seat, t.code, x.contact_email, x.contact_name
  FROM unnest(t_request, t_id, t_line, t_type, t_seat, t_code) t(request, id, line, type, seat, code)
  JOIN booking.booking x ON x.org_id = r_org[t.request] AND x.id = r_id[t.request] WHERE v[t.request] = 'confirmed';

  SELECT array_agg(x.told ORDER BY x.request) INTO issued FROM (
    SELECT t.request, string_agg(t.told, ',') AS told FROM (
      SELECT g AS request, NULL AS told FROM generate_series(1, cardinality(r_id)) g
      UNION ALL SELECT u.request, format('{"org_id":"%s","id":"%s","booking_id":"%s","event_id":"%s","line":%s,"ticket_type_id":"%s","status":"valid","code_version":1,"code":%s%s}',
        r_org[u.request], u.id, r_id[u.request], (rows[u.request]).event_id, u.line, u.type, to_json(u.code), ',"seat_id":' || to_json(u.seat))
      FROM unnest(t_request, t_id, t_line, t_type, t_seat, t_code) u(request, id, line, type, seat, code)) t
    GROUP BY t.request) x;

  WITH x AS (
    UPDATE booking.booking y SET status = 'CONFIRMED', confirmed_at = at, expires_at = NULL, paying = false, cancel_reason = NULL, cancelled_at = NULL,
      version = y.version + 1
    FROM unnest(r_org, r_id, v) WITH ORDINALITY r(org, id, verdict, ord) WHERE r.verdict = 'confirmed' AND y.org_id = r.org AND y.id = r.id
    RETURNING r.ord, y.org_id, y.id, y.event_id, y.version, y.total, y.refunded)
  SELECT platform.event_append(array_agg(x.org_id), array_agg('booking:' || x.id), array_agg(x.version), 'booking.confirmed',
    array_agg(format('{"orgId":"%1$s","bookingId":"%2$s","eventId":"%3$s","rows":{"booking.booking":[{"org_id":"%1$s","id":"%2$s","status":"CONFIRMED","version":%4$s,"total":%5$s,'
      '"refunded":%6$s,"confirmed_at":%7$s,"expires_at":null,"paying":false,"cancel_reason":null,"cancelled_at":null}],"booking.ticket":[%8$s]}}',
      x.org_id, x.id, x.event_id, x.version, x.total, x.refunded, to_json(at), issued[x.ord])),
    array_agg(r_actor[x.ord]), array_agg(r_request[x.ord]), array_agg(r_trace[x.ord]), at)
  INTO nothing FROM x;

  RETURN QUERY SELECT r, at FROM unnest(v) WITH ORDINALITY u(r, ord) ORDER BY u.ord;
END $$;

-- A booking whose hold had ended gets units, seats and uses of limits again, all or none; false where not all of it is free. Its pools are locked by the caller.
CREATE OR REPLACE FUNCTION booking.seat_again(b booking.booking) RETURNS boolean LANGUAGE plpgsql ${pinned} AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT x.pool_id, sum(x.quantity) AS n FROM booking.item x WHERE x.org_id = b.org_id AND x.booking_id = b.id GROUP BY 1) q
      JOIN booking.inventory c ON c.org_id = b.org_id AND c.pool_id = q.pool_id WHERE c.capacity - c.held - c.sold - c.reserved < q.n)
    OR EXISTS (SELECT 1 FROM booking.item x, unnest(x.seat_ids) w(seat_id) WHERE x.org_id = b.org_id AND x.booking_id = b.id
      AND NOT EXISTS (SELECT 1 FROM booking.seat s WHERE s.org_id = b.org_id AND s.event_id = b.event_id AND s.seat_id = w.seat_id AND s.state = 'free'))
    OR EXISTS (SELECT 1 FROM booking.event_sale s WHERE s.org_id = b.org_id AND s.event_id = b.event_id AND NOT s.on_sale)
  THEN RETURN false; END IF;

  UPDATE booking.inventory c SET sold = c.sold + q.n, changes = c.changes + 1
  FROM (SELECT x.pool_id, sum(x.quantity)::int AS n FROM booking.item x WHERE x.org_id = b.org_id AND x.booking_id = b.id GROUP BY 1) q
  WHERE c.org_id = b.org_id AND c.pool_id = q.pool_id;
  UPDATE booking.seat s SET state = 'sold', booking_id = b.id
  FROM booking.item x WHERE x.org_id = b.org_id AND x.booking_id = b.id AND s.org_id = b.org_id AND s.event_id = b.event_id AND s.seat_id = ANY (x.seat_ids);
  INSERT INTO booking.person_use AS u
    SELECT b.org_id, x.ticket_type_id, b.person, sum(x.quantity) FROM booking.item x
    WHERE x.org_id = b.org_id AND x.booking_id = b.id AND b.person IS NOT NULL GROUP BY 2
    ON CONFLICT (org_id, subject_id, person) DO UPDATE SET used = u.used + excluded.used;
  INSERT INTO booking.person_use AS u SELECT b.org_id, b.promo_id, b.person, 1 WHERE b.person IS NOT NULL AND b.promo_id IS NOT NULL
    ON CONFLICT (org_id, subject_id, person) DO UPDATE SET used = u.used + 1;
  UPDATE booking.promo_use u SET used = u.used + 1 WHERE u.org_id = b.org_id AND u.promo_id = b.promo_id;
  RETURN true;
END $$;
`;

/**
 * Ends bookings: cancelled by somebody who read version r_version, or, where that is NULL, holds whose time is over.
 * Verdicts: cancelled, already, stale, alive (not over yet), not_found, skipped.
 */
export const releaseBatch = `
CREATE OR REPLACE FUNCTION booking.release_batch(
  p_wait boolean, p_org uuid[], p_pool uuid[],
  r_org uuid[], r_id uuid[], r_version int[], r_reason text[], r_note text[], r_refund bigint[], r_actor text[], r_request text[], r_trace text[], r_pools text[])
RETURNS TABLE (verdict text, decided_at timestamptz)
LANGUAGE plpgsql ${pinned} ${briefly} AS $$
DECLARE
  rows booking.booking[];
  v text[] := array_fill(NULL::text, ARRAY[cardinality(r_id)]);
  at timestamptz;
  b booking.booking;
  ending uuid[] := '{}';
BEGIN
  rows := booking.lock_bookings(r_org, booking.reachable(booking.lock_pools(p_org, p_pool, p_wait), r_id, r_pools), p_wait);
  at := platform.now();
  FOR i IN 1..cardinality(r_id) LOOP
    b := rows[i];
    v[i] := CASE
      WHEN b.id IS NULL THEN booking.why_unlocked(r_org[i], r_id[i], p_wait)
      WHEN b.status = 'CANCELLED' OR b.id = ANY (ending) THEN 'already'
      WHEN r_version[i] IS NULL AND (b.status <> 'PENDING' OR (b.expires_at > at)) THEN 'alive'
      WHEN r_version[i] IS NOT NULL AND b.version <> r_version[i] THEN 'stale'
      ELSE 'cancelled' END;
    IF v[i] = 'cancelled' THEN ending := ending || b.id; END IF;
  END LOOP;
  IF cardinality(ending) > 0 THEN
    PERFORM booking.end_bookings(array_agg(r.org), array_agg(r.id), array_agg(r.reason), array_agg(r.note), array_agg(r.refund), array_agg(r.actor), array_agg(r.request), array_agg(r.trace), at)
    FROM unnest(r_org, r_id, r_reason, r_note, r_refund, r_actor, r_request, r_trace, v) r(org, id, reason, note, refund, actor, request, trace, verdict) WHERE r.verdict = 'cancelled';
  END IF;
  RETURN QUERY SELECT r, at FROM unnest(v) WITH ORDINALITY u(r, ord) ORDER BY u.ord;
END $$;
`;
