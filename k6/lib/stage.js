// Stage: what an organizer makes before doors open, over the public API; and what each kind of request takes one buyer alone.
import http from 'k6/http';
import { sleep } from 'k6';
import { randomBytes } from 'k6/crypto';
import { send } from './client.js';
import { account, url } from './settings.js';

const ALONE = 15;
const WARM_UP = 5;
const HOUR = 3600;

/**
 * An organization with an event on sale, and a second one like it to practise on.
 * @param wish { places, seats, holdSeconds, duration (seconds the run takes) }; `seats` instead of `places` makes a hall
 */
export function setTheStage(wish) {
  const run = Array.from(new Uint8Array(randomBytes(5)), (b) => b.toString(16).padStart(2, '0')).join('');
  const token = signIn(run);
  const orgId = account?.orgId ?? make('/v1/organizations', { name: `k6 ${run}`, slug: `k6-${run}` }, token).id;
  const expiresAt = at(wish.duration + 2 * HOUR);
  const { key } = make(`/v1/organizations/${orgId}/api-keys`, { name: `k6 ${run}`, scopes: ['*'], expiresAt }, token);
  const practice = makeSale({ orgId, key, run }, { ...wish, ...(wish.seats ? { seats: 80 } : { places: 80 }), name: 'Practice' });
  const sale = makeSale({ orgId, key, run }, { ...wish, name: 'On-sale' });
  return { run, url, orgId, key, sale, base: alone(practice, run) };
}

function signIn(run) {
  const login = account ?? { email: `organizer@${run}.k6.example`, password: `${run}-${run}-${run}` };
  if (!account) make('/v1/auth/register', { ...login, name: 'k6' });
  return make('/v1/auth/login', { email: login.email, password: login.password }).accessToken;
}

const at = (seconds) => new Date(Date.now() + seconds * 1000).toISOString();

/** A published event. It begins an hour after the run, so that soon nobody sees it any more. */
function makeSale({ orgId, key, run }, { name, places, seats, holdSeconds, duration }) {
  const organization = `/v1/organizations/${orgId}`;
  const venue = seats ? make(`${organization}/venues`, hallOf(seats, run), key) : undefined;
  const event = make(
    `${organization}/events`,
    {
      title: `${name} ${run}`,
      startsAt: at(duration + HOUR),
      endsAt: at(duration + 2 * HOUR),
      timeZone: 'Europe/Berlin',
      currency: 'EUR',
      holdSeconds,
      ...(venue && { venueId: venue.id }),
    },
    key,
  );
  const path = `${organization}/events/${event.id}`;
  const price = { amount: 0, currency: 'EUR' };
  const type = (more) => make(`${path}/ticket-types`, { price, ...more }, key).id;
  const sale = { orgId, eventId: event.id, capacity: places ?? seats, types: [] };
  if (seats) {
    sale.types = ZONES.map((zone) => type({ name: zone, zone }));
  } else {
    const pool = make(`${path}/pools`, { name: 'Places', capacity: places }, key);
    sale.types = ['Entry', 'Entry with a programme'].map((title) => type({ name: title, poolId: pool.id }));
  }
  make(`${path}/publish`, {}, key);
  return sale;
}

const ZONES = ['front', 'back'];
const ROW = 20;

/** Rows of twenty; the front half is the zone everybody wants. */
function hallOf(seats, run) {
  const rows = [];
  for (let first = 0; first < seats; first += ROW) {
    const y = first / ROW;
    const inRow = Math.min(ROW, seats - first);
    const places = Array.from({ length: inRow }, (_, x) => {
      const zone = ZONES[first + x < seats / 2 ? 0 : 1];
      return { id: `${y + 1}-${x + 1}`, number: String(x + 1), x, y, zone };
    });
    rows.push({ id: String(y + 1), seats: places });
  }
  const zones = ZONES.map((id) => ({ id, name: id }));
  return { name: `Hall ${run}`, timeZone: 'Europe/Berlin', seatMap: { zones, sections: [{ id: 'hall', name: 'Hall', rows }] } };
}

/** What reading, booking and confirming take one buyer after the other, with nobody else there: the median, in milliseconds. */
function alone({ eventId, types }, run) {
  const took = { read: [], book: [], confirm: [] };
  for (let n = 0; n < WARM_UP + ALONE; n++) {
    const read = send('event', { at: { id: eventId } });
    const body = { items: [{ ticketTypeId: types[n % 2], quantity: 1 }], contact: { email: `alone-${n}@${run}.k6.example` } };
    const booked = send('book', { at: { id: eventId }, key: `${run}-alone-${n}`, body });
    if (booked.status !== 201) throw new Error(refusal('the practice event', booked.what, booked.status));
    const { id, accessToken: token } = booked.body;
    const confirmed = send('confirm', { at: { id }, key: `${run}-alone-${n}-confirm`, token, body: {} });
    if (n < WARM_UP) continue;
    for (const [kind, { ms }] of Object.entries({ read, book: booked, confirm: confirmed })) took[kind].push(ms);
  }
  return Object.fromEntries(
    Object.entries(took).map(([kind, list]) => [kind, list.sort((a, b) => a - b)[Math.floor(ALONE / 2)]]),
  );
}

let made = 0;

/** POSTs until it is made; throws a sentence that says what to do where it is refused. */
function make(path, body, token) {
  const headers = { 'Content-Type': 'application/json', 'Idempotency-Key': `k6-${Date.now()}-${made++}-${Math.random()}` };
  if (token) headers.Authorization = `Bearer ${token}`;
  for (let tries = 1; ; tries++) {
    const reply = http.post(url + path, JSON.stringify(body), { headers, tags: { name: 'setup' }, timeout: '60s' });
    if (reply.status === 200 || reply.status === 201) return reply.json();
    const again = reply.status === 0 || reply.status === 503;
    if (!again || tries >= 5)
      throw new Error(refusal(path, `POST ${path} answered ${reply.status} ${reply.body ?? reply.error}`, reply.status));
    sleep(1);
  }
}

function refusal(what, said, status) {
  const hint = {
    0: `Nothing answers at ${url}: start it with npm start, or give another --url.`,
    401: 'Are EVENTLY_EMAIL and EVENTLY_PASSWORD right?',
    403: 'May this account make events in EVENTLY_ORG?',
    404: 'Is this an Evently, and is EVENTLY_ORG the id of an organization of this account?',
    429: 'Its rate limits hold this machine back: set RATE_LIMIT_ALLOW to this address where Evently runs, or wait.',
  }[status];
  return `The stage could not be set. ${said}\n${hint ?? 'Is this an Evently of this version?'}`;
}
