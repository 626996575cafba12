// Books verdict: invariant 2: every acknowledged booking is there as acknowledged, and nothing is there that nobody asked for.
import type { Exchange } from './client.js';
import { bookingIn, type BookingView, type Fate, type Intent } from './ledger.js';
import { expiryOf, type Clockwork, type Span } from './life.js';
import { statusIn, type Listed } from './books.js';
import { verdict, type Finding, type RushRecord, type Verdict } from './verdict.js';
import { stockOf } from './watch.js';

export function booksVerdict(record: RushRecord): Verdict {
  const { ledger, books } = record;
  const listed = new Map(books.listed.map((row) => [row.booking.id, row]));
  const booked = ledger.booked();
  const broken = [
    ...booked.flatMap((intent) => missingOrChanged(intent, listed, record)),
    ...ledger.intents.flatMap(unreadable),
    ...ledger.intents.flatMap(strangerToItself),
    ...booked.flatMap((intent) => endedEarly(intent, record)),
    ...unasked(record),
    ...countersLostUnits(record),
  ];
  const unproven = ledger.intents.flatMap(unanswered);
  const looked = `${booked.length} acknowledged bookings of ${ledger.intents.length} requests, ${books.listed.length} in the organizer's list`;
  return verdict(2, 'Nothing acknowledged is lost, nothing is there that nobody asked for', { looked, broken, unproven });
}

/** An acknowledged booking against its own read and the organizer's list. */
function missingOrChanged(intent: Intent, listed: ReadonlyMap<string, Listed>, record: RushRecord): Finding[] {
  const { id } = intent.booking!;
  const fate = intent.fate()!;
  const read = intent.lastRead;
  const seen = bookingIn(read);
  const row = listed.get(id);
  if (!seen) {
    return [{ text: `Booking ${id} was acknowledged (${fate.status}) and now reads ${statusIn(read)}`, shownBy: story(intent) }];
  }
  if (!row) return [{ text: `Booking ${id} was acknowledged and is not in the organizer's list`, shownBy: story(intent) }];
  for (const [where, view, by] of [
    ['its buyer reads', seen, read!],
    ['the list has', row.booking, row.page],
  ] as const) {
    const wrong = differs(intent, fate, view, { at: by.endedAt, clockwork: record });
    if (wrong) return [{ text: `Booking ${id}: ${where} ${wrong}`, shownBy: [...new Set([...story(intent), by])] }];
  }
  return [];
}

/** What is wrong with a view of a booking given what was acknowledged; undefined where nothing is. */
function differs(
  intent: Intent,
  fate: Fate,
  view: BookingView,
  { at, clockwork }: { at: number; clockwork: Clockwork },
): string | undefined {
  const allowed = allowedStates(intent, fate, { at, clockwork });
  if (!allowed.includes(view.status)) return `${view.status}, acknowledged was ${fate.status} (may be ${allowed.join(' or ')})`;
  if (view.status === 'CANCELLED' && fate.reason && view.cancelReason !== fate.reason) {
    return `cancelReason ${view.cancelReason}, acknowledged was ${fate.reason}`;
  }
  if (view.status === 'CANCELLED') return undefined;
  const told = intent.booking!;
  if (contents(view) !== contents(told)) return `other contents than acknowledged: ${contents(view)}, not ${contents(told)}`;
  if (view.status === 'CONFIRMED' && view.tickets) {
    const units = told.items.reduce((sum, item) => sum + item.quantity, 0);
    const valid = view.tickets.filter((ticket) => ticket.status === 'valid').length;
    if (valid !== units) return `${valid} valid tickets for ${units} units`;
  }
  return undefined;
}

const contents = (view: BookingView): string =>
  JSON.stringify([
    view.items.map((item) => [item.ticketTypeId, item.quantity, [...(item.seatIds ?? [])].sort(), item.total?.amount]).sort(),
    view.total?.amount,
    view.eventId,
  ]);

function allowedStates(intent: Intent, fate: Fate, { at, clockwork }: { at: number; clockwork: Clockwork }): string[] {
  if (fate.status === 'unsure') return ['PENDING', 'CONFIRMED', 'CANCELLED'];
  if (fate.status !== 'PENDING') return [fate.status];
  if (intent.paymentOpen()) return ['PENDING', 'CONFIRMED', 'CANCELLED'];
  const expiry = expiryOf(intent.booking!, clockwork);
  if (at < expiry - clockwork.skew.marginMs) return ['PENDING'];
  // A refused payment may have extended the hold by a time we are not told.
  if (at < expiry + clockwork.skew.marginMs || intent.confirms.length > 0) return ['PENDING', 'CANCELLED'];
  return ['CANCELLED'];
}

/** A hold is a promise until its `expiresAt`: a confirm that came in time must not be told it was late. */
function endedEarly(intent: Intent, clockwork: Clockwork): Finding[] {
  const inTime = expiryOf(intent.booking!, clockwork) - clockwork.skew.marginMs;
  const refused = intent.confirms.map((step) => step.answer).find((answer) => answer?.status === 410 && answer.endedAt < inTime);
  if (!refused) return [];
  return [
    {
      text: `Booking ${intent.booking!.id} was refused as expired before its expiresAt`,
      shownBy: [intent.book.answer!, refused],
    },
  ];
}

/** 201 without a booking in it: acknowledged, but nobody can find it again. */
function unreadable(intent: Intent): Finding[] {
  const { answer } = intent.book;
  if (answer === undefined || answer.status < 200 || answer.status >= 300 || intent.booking) return [];
  return [{ text: `A request to book was answered ${answer.status} without a booking`, shownBy: [answer] }];
}

/** A buyer who holds a booking is told that it does not exist or is not hers. */
function strangerToItself(intent: Intent): Finding[] {
  const denied = intent.story().filter((exchange) => exchange.op !== 'book' && [401, 403, 404].includes(exchange.status));
  if (denied.length === 0) return [];
  return [
    { text: `The buyer of booking ${intent.booking?.id} was answered ${denied[0]!.status} for it`, shownBy: story(intent) },
  ];
}

function unanswered(intent: Intent): Finding[] {
  const open = intent.steps().filter((step) => !step.answer);
  const findings = open.map((step) => ({
    text: `${step.call.method} ${step.call.path} (key ${step.call.key}) got no definite answer in ${step.attempts.length} attempts`,
    shownBy: step.attempts.slice(-3),
  }));
  if (intent.paymentOpen()) {
    findings.push({ text: `The payment of booking ${intent.booking!.id} is still processing`, shownBy: story(intent).slice(-3) });
  }
  return findings;
}

function unasked({ ledger, books }: RushRecord): Finding[] {
  const known = new Set(ledger.booked().map((intent) => intent.booking!.id));
  const open = ledger.intents.some((intent) => !intent.book.answer);
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (const { booking, page } of books.listed) {
    if (seen.has(booking.id)) findings.push({ text: `Booking ${booking.id} is listed twice`, shownBy: [page] });
    seen.add(booking.id);
    // While a request to book has no answer, an unknown booking may be its own: that request is reported instead.
    if (!known.has(booking.id) && !open) {
      findings.push({
        text: `Booking ${booking.id} (${booking.status}) is in the list, and no request that asked for it was answered so`,
        shownBy: [page],
      });
    }
  }
  return findings;
}

/** Each reading must count at least what was certainly acknowledged, and at most what was possibly asked for. */
function countersLostUnits({ samples, lives, scene, ledger }: RushRecord): Finding[] {
  const open = ledger.intents.some((intent) => !intent.book.answer);
  const findings: Finding[] = [];
  for (const { exchange, pools } of samples) {
    if (!pools) continue;
    const reading: Span = { from: exchange.sentAt, to: exchange.endedAt };
    const { held, sold } = stockOf(pools, 'all', scene);
    const certain = lives.filter((life) => life.certain.some((span) => covers(span, reading)));
    const certainlySold = certain.filter((life) => life.certainlySold && covers(life.certainlySold, reading));
    const possiblySold = lives.filter((life) => life.possiblySold && meets(life.possiblySold, reading));
    const due = units(certain);
    if (held + sold < due) findings.push(short(`counts ${held + sold} units held and sold`, due, certain, exchange));
    if (sold < units(certainlySold))
      findings.push(short(`counts ${sold} units sold`, units(certainlySold), certainlySold, exchange));
    if (sold > units(possiblySold) && !open) {
      findings.push({
        text: `The inventory counts ${sold} units sold; at most ${units(possiblySold)} were asked for`,
        shownBy: [exchange],
      });
    }
  }
  return findings;
}

function short(counted: string, due: number, lives: readonly { intent: Intent }[], reading: Exchange): Finding {
  const shownBy = [reading, ...lives.slice(-5).map(({ intent }) => intent.fate()!.by)];
  return { text: `The inventory ${counted}; ${due} were acknowledged by then`, shownBy };
}

const units = (lives: readonly { general: number; seated: number }[]): number =>
  lives.reduce((sum, life) => sum + life.general + life.seated, 0);
const covers = (span: Span, inner: Span): boolean => span.from <= inner.from && span.to >= inner.to;
const meets = (a: Span, b: Span): boolean => a.from <= b.to && b.from <= a.to;
const story = (intent: Intent): Exchange[] => intent.story().slice(-8);
