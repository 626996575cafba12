// Holds verdict: invariant 6: within 5 s of expiry the units can be sold again, none leaks, and a sale that is wanted sells out.
import { bookingIn, unitsOf } from './ledger.js';
import { backInStockBy, expiryOf } from './life.js';
import { verdict, type Finding, type RushRecord, type Verdict } from './verdict.js';
import { stockOf } from './watch.js';

export function holdsVerdict(record: RushRecord): Verdict {
  const broken = [...heldTooLong(record), ...leaked(record), ...unsold(record)];
  const expired = record.lives.filter((life) => bookingIn(life.intent.lastRead)?.cancelReason === 'expired').length;
  const full = record.rest.length === 0 ? 'sold out in the end, or nobody wanted the rest' : 'not sold out';
  return verdict(6, 'Holds end within 5 s of expiry and are sold again', {
    looked: `${expired} holds expired; ${full}`,
    broken,
  });
}

/** At each reading `held` may count only bookings that may still have been holds, with their 5 s. */
function heldTooLong({ samples, lives, scene, ledger }: RushRecord): Finding[] {
  const everything = new Set([...scene.general, ...scene.zones].map(({ id }) => id));
  // A request that never got an answer may hold what it asked for until the end.
  const doubtful = ledger.intents
    .filter((intent) => !intent.book.answer)
    .reduce((sum, intent) => sum + unitsAsked(intent.book.call.body!), 0);
  for (const { exchange, pools } of samples) {
    if (!pools) continue;
    const { held } = stockOf(pools, 'all', scene);
    const possible = lives.filter(
      ({ possiblyHeld }) => possiblyHeld.from <= exchange.endedAt && possiblyHeld.to >= exchange.sentAt,
    );
    const most = possible.reduce((sum, life) => sum + unitsOf(life.booking, everything), doubtful);
    if (held <= most) continue;
    const overdue = lives.filter((life) => life.possiblyHeld.to < exchange.sentAt).slice(-3);
    const text = `The inventory holds ${held} units; at most ${most} can belong to holds that ended less than 5 s ago or run`;
    return [{ text, shownBy: [exchange, ...overdue.map((life) => life.intent.book.answer!)] }];
  }
  return [];
}

function unitsAsked(body: string): number {
  const { items } = JSON.parse(body) as { items: { quantity?: number; seatIds?: string[] }[] };
  return items.reduce((sum, item) => sum + (item.seatIds?.length ?? item.quantity ?? 0), 0);
}

function leaked(record: RushRecord): Finding[] {
  if (!record.leaked) return [];
  const { held, since, sample } = record.leaked;
  const last = record.lives
    .filter(
      (life) => backInStockBy(expiryOf(life.booking, record), record) < sample.exchange.sentAt && !life.intent.confirmedBy(),
    )
    .slice(-3);
  const late = ((sample.exchange.sentAt - since) / 1000).toFixed(1);
  const text = `${held} units are still held ${late} s after the last of them should have been back in stock`;
  return [{ text, shownBy: [sample.exchange, ...last.map((life) => life.intent.book.answer!)] }];
}

/** Buyers came back for what was left and were refused, although it was left. */
function unsold({ rest, books }: RushRecord): Finding[] {
  return rest.map(({ left, area, wishers, refused }) => ({
    text: `${left} ${area === 'general' ? 'places' : 'seats'} stayed unsold although ${wishers.length} buyers still wanted them`,
    shownBy: [books.inventory.exchange, ...refused.slice(-5).map((intent) => intent.book.attempts.at(-1)!)],
  }));
}
