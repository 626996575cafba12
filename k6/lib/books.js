// Books: the organizer's counters, list of bookings and seat map, read while it runs and compared when it is over.
import { sleep } from 'k6';
import { insist } from './client.js';
import { atEnd, broke, held, readings, taken, unlisted } from './metrics.js';
import { unitsOf } from './verdict.js';

/** Reads the counters twice a second for as long as the scenario lasts: at no moment may there be more taken than there is. */
export function watch(stage) {
  readInventory(stage, 1);
  sleep(0.5);
}

/** @returns { capacity, held, sold } over all pools, or null where they could not be read */
function readInventory({ orgId, key, sale }, tries) {
  const reply = insist('inventory', { at: { o: orgId, e: sale.eventId }, token: key }, { tries });
  if (reply.kind !== 'answer') return null;
  readings.add(1);
  const sum = { capacity: 0, held: 0, sold: 0 };
  let fault = Array.isArray(reply.body) && reply.body.length > 0 ? null : 'there is no pool';
  for (const pool of fault ? [] : reply.body) {
    const { capacity, held: onHold, sold, reserved } = pool;
    if (!(onHold >= 0 && sold >= 0 && reserved >= 0 && onHold + sold + reserved <= capacity))
      fault = 'a pool has more than it holds';
    sum.capacity += capacity;
    sum.held += onHold;
    sum.sold += sold;
  }
  if (!fault && sum.capacity !== sale.capacity) fault = `capacity is not ${sale.capacity}`;
  if (fault) broke('oversold', `${fault}: ${reply.what}`);
  else held();
  return sum;
}

/** After the last buyer: capacity, counters, list and seat map must agree. */
export function closeBooks(stage) {
  const counters = readInventory(stage, 20);
  const bookings = listOf(stage);
  if (!counters || !bookings) return broke('unread', 'the counters or the list of bookings could not be read');
  for (const [of, value] of Object.entries(counters)) atEnd.add(value, { of });
  taken.add((counters.held + counters.sold) / counters.capacity);
  const live = bookings.filter(({ status }) => status !== 'CANCELLED');
  const units = (status) => live.filter((b) => b.status === status).reduce((sum, b) => sum + unitsOf(b), 0);
  const listed = { sold: units('CONFIRMED'), held: units('PENDING') };
  unlisted.add(-listed.sold);
  if (listed.sold + listed.held > stage.sale.capacity) broke('oversold', `the list has ${JSON.stringify(listed)}`);
  // A hold that has just ended may still be counted for a moment; nothing else may.
  if (listed.sold !== counters.sold || listed.held > counters.held)
    broke('books', `the list has ${JSON.stringify(listed)}, the counters have ${JSON.stringify(counters)}`);
  else held();
  closeSeats(stage, live);
}

/** No seat twice, and each seat of a booking shown as taken. */
function closeSeats({ sale }, live) {
  const owner = {};
  for (const { id, items } of live) {
    for (const seat of items.flatMap((i) => i.seatIds ?? [])) {
      if (owner[seat]) broke('oversold', `seat ${seat} belongs to ${owner[seat]} and to ${id}`);
      owner[seat] = id;
    }
  }
  if (Object.keys(owner).length === 0) return;
  sleep(2); // A cached seat map may be so old.
  const reply = insist('seats', { at: { id: sale.eventId }, query: '?fields=id,state' }, { tries: 20 });
  if (reply.kind !== 'answer') return broke('unread', 'the seat map could not be read');
  const free = reply.body.seats.filter((seat) => seat.state === 'free' && owner[seat.id]);
  if (free.length > 0) broke('books', `the seat map shows ${free[0].id} as free, which belongs to ${owner[free[0].id]}`);
  else held();
}

/** Every booking of the sale, page by page; null where a page could not be read. */
function listOf({ orgId, key, sale }) {
  const list = [];
  let cursor = null;
  do {
    const query = `?limit=200${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
    const reply = insist('bookings', { at: { o: orgId, e: sale.eventId }, token: key, query }, { tries: 20 });
    if (reply.kind !== 'answer') return null;
    list.push(...reply.body.items);
    cursor = reply.body.nextCursor;
  } while (cursor);
  return list;
}
