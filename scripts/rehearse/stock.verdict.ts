// Stock verdict: invariant 1, never oversold: by the counters at every reading, by what buyers were told, and seat by seat.
import type { Exchange } from './client.js';
import { seatsOf, unitsOf } from './ledger.js';
import type { Life, Span } from './life.js';
import { verdict, type Finding, type RushRecord, type Verdict } from './verdict.js';
import { stockOf } from './watch.js';

export function stockVerdict(record: RushRecord): Verdict {
  const readings = record.samples.filter((sample) => sample.pools).length;
  const broken = [...oversoldReadings(record), ...oversoldToBuyers(record), ...seatsSoldTwice(record), ...oversoldBooks(record)];
  const looked = `${readings} readings of the inventory, ${record.lives.length} acknowledged bookings, ${record.books.listed.length} listed`;
  return verdict(1, 'Never oversold', { looked, broken });
}

/** held + sold + reserved <= capacity, nothing below zero, and the capacity that was set, in each pool of each reading. */
function oversoldReadings({ samples, scene }: RushRecord): Finding[] {
  const findings: Finding[] = [];
  for (const { exchange, pools } of samples) {
    if (!pools) continue;
    for (const { poolId, capacity, held, sold, reserved } of pools) {
      const sound = held >= 0 && sold >= 0 && reserved >= 0 && held + sold + reserved <= capacity;
      if (!sound) {
        findings.push({
          text: `Pool ${poolId}: held ${held} + sold ${sold} + reserved ${reserved}, capacity ${capacity}`,
          shownBy: [exchange],
        });
      }
    }
    const { capacity } = stockOf(pools, 'all', scene);
    if (capacity !== expectedCapacity(scene)) {
      findings.push({ text: `The capacity reads ${capacity}; ${expectedCapacity(scene)} was put on sale`, shownBy: [exchange] });
    }
  }
  return findings;
}

const expectedCapacity = (scene: RushRecord['scene']): number =>
  scene.capacity + scene.zones.reduce((sum, zone) => sum + zone.seats.length, 0);

/** Units that buyers were certainly told they have, at one moment, against what was for sale: no counter needs to be believed. */
function oversoldToBuyers({ lives, scene }: RushRecord): Finding[] {
  const seats = expectedCapacity(scene) - scene.capacity;
  return [
    ...crowdedMoment(lives, (life) => life.general, scene.capacity, 'places'),
    ...crowdedMoment(lives, (life) => life.seated, seats, 'seats'),
  ];
}

function crowdedMoment(lives: readonly Life[], units: (life: Life) => number, capacity: number, what: string): Finding[] {
  const changes = lives.flatMap((life) =>
    life.certain.flatMap(({ from, to }) => [
      { at: from, by: units(life), life },
      { at: to, by: -units(life), life },
    ]),
  );
  // At one instant the end counts first: units may pass from one booking to the next.
  changes.sort((a, b) => a.at - b.at || a.by - b.by);
  const live = new Set<Life>();
  let taken = 0;
  for (const { by, life } of changes) {
    taken += by;
    if (by > 0) live.add(life);
    else if (by < 0) live.delete(life);
    if (taken <= capacity) continue;
    const shownBy = [...live].map((each) => each.intent.book.answer!);
    return [{ text: `${taken} ${what} were promised at one moment; ${capacity} exist`, shownBy }];
  }
  return [];
}

/** A seat in two bookings at the same moment, as buyers were told; and in two live bookings of the organizer's list. */
function seatsSoldTwice({ lives, books }: RushRecord): Finding[] {
  const findings: Finding[] = [];
  const told = new Map<string, { life: Life; span: Span }[]>();
  for (const life of lives) {
    for (const seat of seatsOf(life.booking)) {
      const others = told.get(seat) ?? [];
      for (const span of life.certain) {
        const twice = others.find((other) => other.life !== life && other.span.from < span.to && span.from < other.span.to);
        if (twice) {
          const shownBy = [twice.life.intent.book.answer!, life.intent.book.answer!];
          findings.push({ text: `Seat ${seat} was promised to two buyers at one moment`, shownBy });
        }
        others.push({ life, span });
      }
      told.set(seat, others);
    }
  }
  const listed = new Map<string, Exchange>();
  for (const { booking, page } of books.listed) {
    if (booking.status === 'CANCELLED') continue;
    for (const seat of seatsOf(booking)) {
      const other = listed.get(seat);
      if (other) findings.push({ text: `Seat ${seat} is in two live bookings of the list`, shownBy: [other, page] });
      listed.set(seat, page);
    }
  }
  return findings;
}

/** The list's live units against capacity, against the counters, and against the seat map. */
function oversoldBooks({ books, scene }: RushRecord): Finding[] {
  const findings: Finding[] = [];
  const pages = [...new Set(books.listed.map(({ page }) => page))];
  const all = new Set([...scene.general, ...scene.zones].map(({ id }) => id));
  const units = (status: string) =>
    books.listed.reduce((sum, { booking }) => sum + (booking.status === status ? unitsOf(booking, all) : 0), 0);
  const stock = stockOf(books.inventory.pools!, 'all', scene);
  const [sold, held] = [units('CONFIRMED'), units('PENDING')];
  if (sold + held > expectedCapacity(scene)) {
    findings.push({ text: `${sold + held} units are in live bookings; ${expectedCapacity(scene)} exist`, shownBy: pages });
  }
  if (sold !== stock.sold || held !== stock.held) {
    const text = `The list has ${sold} units sold and ${held} held, the inventory ${stock.sold} and ${stock.held}`;
    findings.push({ text, shownBy: [books.inventory.exchange, ...pages] });
  }
  if (books.seats) findings.push(...seatMapDiffers(books, books.seats));
  return findings;
}

function seatMapDiffers({ listed }: RushRecord['books'], seats: NonNullable<RushRecord['books']['seats']>): Finding[] {
  const due = new Map<string, string>();
  for (const { booking } of listed) {
    const state = booking.status === 'CONFIRMED' ? 'sold' : 'held';
    if (booking.status !== 'CANCELLED') for (const seat of seatsOf(booking)) due.set(seat, state);
  }
  const wrong = [...seats.states].filter(([seat, state]) => state !== (due.get(seat) ?? 'free'));
  if (wrong.length === 0) return [];
  const named = wrong.slice(0, 5).map(([seat, state]) => `${seat} reads ${state}, by the list ${due.get(seat) ?? 'free'}`);
  return [
    { text: `The seat map differs from the list in ${wrong.length} seats: ${named.join('; ')}`, shownBy: [seats.exchange] },
  ];
}
