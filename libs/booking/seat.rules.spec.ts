// Best available seats: what is promised of every choice, on random halls; and what a choice costs in a hall of 20 000.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeatHall, type HallSeat } from './seat-hall.rules.js';
import { SeatBoard, type Proposal, type SeatWish } from './seat.rules.js';

/** A hall drawn as rows from front to back: o ordinary, a accessible, c companion of the nearest a before or after, space an aisle. */
function draw(rows: string[], section = 'S', zone = 'z'): HallSeat[] {
  return rows.flatMap((line, r) => {
    const seats: (HallSeat & { letter: string })[] = [];
    for (const [x, letter] of [...line].entries()) {
      if (letter === ' ') continue;
      const ordinal = seats.length;
      const place = { section, row: `r${r}`, ordinal, x: x - (line.length - 1) / 2, y: r, zone };
      seats.push({ ...place, letter, seatId: `${section}${r}-${ordinal}`, accessible: letter === 'a', companionOf: null });
    }
    for (const seat of seats) {
      if (seat.letter !== 'c') continue;
      const hosts = seats.filter((other) => other.accessible).sort((a, b) => Math.abs(a.x - seat.x) - Math.abs(b.x - seat.x));
      seat.companionOf = hosts[0]?.seatId ?? null;
    }
    return seats;
  });
}
const boardOf = (rows: string[]) => new SeatBoard(new SeatHall(draw(rows)));
const ask = (board: SeatBoard, quantity: number, more: Partial<SeatWish> = {}) => board.propose({ zone: 'z', quantity, ...more });
const seatsOf = (board: SeatBoard, quantity: number, more: Partial<SeatWish> = {}) =>
  ask(board, quantity, more).seats?.slice().sort();

/** The rule said again in the plainest way: runs of adjacent seats of one row for which `open` holds. */
function runs(seats: HallSeat[], open: (seat: HallSeat) => boolean): HallSeat[][] {
  const sorted = [...seats].sort(
    (a, b) => a.section.localeCompare(b.section) || a.row.localeCompare(b.row) || a.ordinal - b.ordinal,
  );
  const out: HallSeat[][] = [];
  let last: HallSeat | undefined;
  for (const seat of sorted) {
    if (!open(seat)) continue;
    const joined =
      last &&
      last.section === seat.section &&
      last.row === seat.row &&
      last.zone === seat.zone &&
      last.ordinal + 1 === seat.ordinal;
    if (joined) out.at(-1)!.push(seat);
    else out.push([seat]);
    last = seat;
  }
  return out;
}
const ordinary = (seat: HallSeat) => !seat.accessible && !seat.companionOf;

const hallAndTaken = fc
  .record({
    rows: fc.array(fc.stringMatching(/^[oac ]{1,14}$/), { minLength: 1, maxLength: 7 }),
    side: fc.array(fc.stringMatching(/^o{1,8}$/), { maxLength: 4 }),
    sold: fc.infiniteStream(fc.integer({ min: 0, max: 9 })),
    share: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ rows, side, sold, share }) => {
    const seats = [...draw(rows), ...draw(side, 'T', 'y')];
    const taken = new Set<string>();
    for (const seat of seats) if (sold.next().value! < share) taken.add(seat.seatId);
    return { seats, taken };
  });
const quantities = fc.integer({ min: 1, max: 12 });

describe('best available seats', () => {
  it('are always free, different, of the zone and as many as asked; or none, and then too few are free', () => {
    fc.assert(
      fc.property(hallAndTaken, quantities, fc.nat(2), ({ seats, taken }, quantity, accessible) => {
        fc.pre(accessible <= quantity);
        const board = new SeatBoard(new SeatHall(seats));
        board.take(taken);
        const free = seats.filter((seat) => seat.zone === 'z' && !taken.has(seat.seatId));
        fc.pre(seats.some((seat) => seat.zone === 'z'));
        expect(board.freeSeats('z')).toBe(free.length);
        const answer = ask(board, quantity, { accessible });
        if (free.length < quantity || free.filter((seat) => seat.accessible).length < accessible) {
          expect(answer).toEqual({ seats: null, reason: 'sold_out' });
        } else {
          expect(new Set(answer.seats).size).toBe(quantity);
          const ids = new Set(free.map((seat) => seat.seatId));
          for (const id of answer.seats!) expect(ids.has(id)).toBe(true);
          expect(free.filter((seat) => answer.seats!.includes(seat.seatId) && seat.accessible).length).toBeGreaterThanOrEqual(
            accessible,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are together whenever any row has room, leave no single seat where that can be, and then are the nearest', () => {
    fc.assert(
      fc.property(hallAndTaken, quantities, ({ seats, taken }, quantity) => {
        const open = (seat: HallSeat) => seat.zone === 'z' && ordinary(seat) && !taken.has(seat.seatId);
        const windows = runs(seats, open).flatMap((run) =>
          Array.from({ length: Math.max(0, run.length - quantity + 1) }, (_, left) => ({
            ids: run.slice(left, left + quantity).map((seat) => seat.seatId),
            neat: left !== 1 && run.length - quantity - left !== 1,
          })),
        );
        fc.pre(windows.length > 0);
        const hall = new SeatHall(seats);
        const board = new SeatBoard(hall);
        board.take(taken);
        const { seats: got } = ask(board, quantity);
        const mine = windows.find((window) => window.ids.join() === got?.join());
        expect(mine).toBeDefined();
        const best = windows.filter((window) => window.neat || windows.every((other) => !other.neat));
        expect(best).toContain(mine);
        const cost = (ids: string[]) => {
          const [first, last] = [hall.indexOf(ids[0])!, hall.indexOf(ids.at(-1)!)!];
          return hall.distances[last + 1] - hall.distances[first] + ids.length * (hall.aisles[last] - hall.aisles[first]);
        };
        expect(cost(mine!.ids)).toBeCloseTo(Math.min(...best.map((window) => cost(window.ids))), 9);
      }),
      { numRuns: 1000 },
    );
  });

  it('leave accessible and companion seats alone while ordinary ones suffice', () => {
    fc.assert(
      fc.property(hallAndTaken, quantities, ({ seats, taken }, quantity) => {
        const free = seats.filter((seat) => seat.zone === 'z' && ordinary(seat) && !taken.has(seat.seatId));
        fc.pre(free.length >= quantity);
        const board = new SeatBoard(new SeatHall(seats));
        board.take(taken);
        const ids = new Set(free.map((seat) => seat.seatId));
        for (const id of ask(board, quantity).seats!) expect(ids.has(id)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('are the same from a board that lived through changes as from a new one; open proposals never share a seat', () => {
    const step = fc.record({
      verb: fc.constantFrom('propose', 'propose', 'take', 'free', 'release', 'keep'),
      n: fc.integer({ min: 1, max: 5 }),
      at: fc.nat(40),
    });
    fc.assert(
      fc.property(hallAndTaken, fc.array(step, { maxLength: 40 }), ({ seats, taken: before }, steps) => {
        fc.pre(seats.some((seat) => seat.zone === 'z'));
        const hall = new SeatHall(seats);
        const board = new SeatBoard(hall);
        const taken = new Set(before);
        board.take(before);
        const open: Proposal[] = [];
        for (const { verb, n, at } of steps) {
          const some = [...seats.keys()].filter((i) => i % 40 === at).map((i) => seats[i].seatId);
          if (verb === 'take') board.take(some.map((id) => (taken.add(id), id)));
          else if (verb === 'free') board.free(some.map((id) => (taken.delete(id), id)));
          else if (verb === 'release') for (const one of open.splice(at % 7, 1)) board.release(one);
          else if (verb === 'keep') {
            for (const one of open.splice(at % 7, 1)) {
              board.take(one.seats.map((id) => (taken.add(id), id)));
              board.release(one);
              board.release(one);
            }
          } else {
            const answer = ask(board, n);
            if (answer.seats) open.push(answer);
          }
          const pending = open.flatMap((one) => one.seats);
          expect(new Set(pending).size).toBe(pending.length);
        }
        const fresh = new SeatBoard(hall);
        fresh.take(taken);
        expect(fresh.freeSeats('z')).toBe(board.freeSeats('z'));
        for (const one of open) board.release(one);
        for (const n of [1, 2, 3, 7])
          expect(board.candidates({ zone: 'z', quantity: n }, 3)).toEqual(fresh.candidates({ zone: 'z', quantity: n }, 3));
      }),
      { numRuns: 500 },
    );
  });

  it('prefer the middle of the front, then what is nearest to it', () => {
    const board = boardOf(['ooooooo', 'ooooooo', 'ooooooo']);
    expect(seatsOf(board, 3)).toEqual(['S0-2', 'S0-3', 'S0-4']);
    expect(seatsOf(board, 3)).toEqual(['S1-2', 'S1-3', 'S1-4']);
    expect(seatsOf(board, 2)).toEqual(['S2-3', 'S2-4']); // Two rows behind the middle is nearer than the corner of the front row.
    expect(seatsOf(board, 2)).toEqual(['S0-0', 'S0-1']);
  });

  it('never leave one seat alone for the sake of a better view', () => {
    const board = boardOf(['ooo', 'oooo']);
    expect(seatsOf(board, 2)).toEqual(['S1-0', 'S1-1']);
    expect(seatsOf(board, 2)).toEqual(['S1-2', 'S1-3']);
    expect(seatsOf(board, 2)).toEqual(['S0-0', 'S0-1']); // Now nothing else is left.
    expect(seatsOf(board, 1)).toEqual(['S0-2']);
    expect(ask(board, 1)).toEqual({ seats: null, reason: 'in_flight' });
  });

  it('are not parted by an aisle while there is room beside it, but rather that than in two rows', () => {
    expect(seatsOf(boardOf(['ooo ooo']), 2)).not.toContain('S0-3');
    expect(seatsOf(boardOf(['oooo      oooo']), 4)).toEqual(['S0-0', 'S0-1', 'S0-2', 'S0-3']);
    expect(seatsOf(boardOf(['oo  oo', 'oo  oo']), 4)).toEqual(['S0-0', 'S0-1', 'S0-2', 'S0-3']);
  });

  it('are in adjacent rows, in equal parts behind one another, when no row has room', () => {
    expect(seatsOf(boardOf(['ooo', 'ooo', 'ooo']), 4)).toEqual(['S0-0', 'S0-1', 'S1-0', 'S1-1']);
    expect(seatsOf(boardOf(['oo', 'oo', 'oo', 'oo']), 6)).toEqual(['S0-0', 'S0-1', 'S1-0', 'S1-1', 'S2-0', 'S2-1']);
    const split = boardOf(['ooooo', 'ooooo', 'ooooo', 'ooooo']);
    split.take(['S0-1', 'S1-2', 'S2-4', 'S3-4']); // Behind one another only rows 2 and 3 have 4.
    expect(seatsOf(split, 8)).toEqual(['S2-0', 'S2-1', 'S2-2', 'S2-3', 'S3-0', 'S3-1', 'S3-2', 'S3-3']);
  });

  it('find adjacent rows by where they are, not by their names or the order they come in', () => {
    const rows = draw(['oo', 'oo', 'oo', 'oo']).map((seat) => ({
      ...seat,
      row: { r0: '9', r1: '10', r2: 'K', r3: '1' }[seat.row]!,
      ordinal: seat.row === 'r1' ? 1 - seat.ordinal : seat.ordinal,
    }));
    const board = new SeatBoard(new SeatHall(rows.toReversed()));
    board.take(['S0-0', 'S0-1']);
    expect(seatsOf(board, 4)).toEqual(['S1-0', 'S1-1', 'S2-0', 'S2-1']);
  });

  it('find adjacent rows at the side of the stage, numbered from either end', () => {
    const side = draw(['oo', 'oo', 'oo', 'oo']).map((seat) => {
      const row = Number(seat.row.slice(1));
      return { ...seat, x: row, y: seat.ordinal, ordinal: row % 2 === 0 ? seat.ordinal : 1 - seat.ordinal };
    });
    const board = new SeatBoard(new SeatHall(side));
    board.take(['S1-0', 'S1-1']); // One of the two nearest rows: the other's neighbour is behind it, not beyond the gap.
    expect(seatsOf(board, 4)).toEqual(['S2-0', 'S2-1', 'S3-0', 'S3-1']);
  });

  it('are in pieces as large as can be when nothing else is left', () => {
    const board = boardOf(['oo', 'oo', 'oooo', 'oo', 'ooo']);
    board.take(['S1-0', 'S1-1', 'S3-0', 'S3-1', 'S2-1', 'S2-2']);
    expect(seatsOf(board, 5)).toEqual(['S0-0', 'S0-1', 'S4-0', 'S4-1', 'S4-2']);
  });

  it('give accessible places with their own companions, and only when asked', () => {
    const rows = ['oooooo', 'oooooo', 'ac  ca'];
    expect(seatsOf(boardOf(rows), 2, { accessible: 1 })).toEqual(['S2-0', 'S2-1']);
    expect(seatsOf(boardOf(rows), 1, { accessible: 1 })).toEqual(['S2-0']);
    expect(seatsOf(boardOf(rows), 4, { accessible: 2 })).toEqual(['S2-0', 'S2-1', 'S2-2', 'S2-3']);
    expect(seatsOf(boardOf(rows), 4, { accessible: 1 })).toEqual(['S1-0', 'S1-1', 'S2-0', 'S2-1']); // Two more, in front of them.
    expect(ask(boardOf(rows), 3, { accessible: 3 })).toEqual({ seats: null, reason: 'sold_out' });
    const full = boardOf(rows);
    expect(ask(full, 12).seats).toHaveLength(12);
    expect(ask(full, 2)).toEqual({ seats: null, reason: 'in_flight' }); // Open proposals do not push anyone onto accessible places.
    full.take(draw(rows.slice(0, 2)).map((seat) => seat.seatId));
    expect(seatsOf(full, 2)).toEqual(['S2-1', 'S2-2']); // All ordinary ones sold: companion seats first,
    expect(seatsOf(full, 1)).toBeUndefined(); // and while those are only proposed, the places themselves are not given away.
  });

  it('prefer a place whose companion seat is still free', () => {
    const board = boardOf(['oooo', 'ac  ca']);
    board.take(['S1-1']);
    expect(seatsOf(board, 2, { accessible: 1 })).toEqual(['S1-2', 'S1-3']);
  });

  it('pass over what is proposed to others until it is released, and over the best when told so', () => {
    const board = boardOf(['oooooo', 'oooooo']);
    const first = ask(board, 2) as Proposal;
    const second = ask(board, 2) as Proposal;
    expect(second.seats).not.toEqual(first.seats);
    board.release(first);
    expect(ask(board, 2).seats).toEqual(first.seats);
    board.release(first); // Not his any more: the seats stay with the third.
    const wish = { zone: 'z', quantity: 2 };
    const [best, next] = board.candidates(wish, 2);
    expect(best).not.toEqual(first.seats);
    expect(board.propose({ ...wish, skip: 1 }).seats).toEqual(next);
    expect(board.propose({ ...wish, skip: 99 }).seats).toEqual(best);
  });

  it('are not together across a seat of another zone or a seat that is not sold', () => {
    const row = draw(['ooooo', 'oooo']);
    const mixed = row.map((seat) => ({ ...seat, zone: seat.seatId === 'S0-2' ? 'y' : 'z' }));
    expect(seatsOf(new SeatBoard(new SeatHall(mixed)), 4)).toEqual(['S1-0', 'S1-1', 'S1-2', 'S1-3']);
    const gap = row
      .filter((seat) => seat.seatId !== 'S0-2')
      .map((seat) => ({ ...seat, x: seat.ordinal > 2 ? seat.x - 1 : seat.x }));
    expect(seatsOf(new SeatBoard(new SeatHall(gap)), 4)).toEqual(['S1-0', 'S1-1', 'S1-2', 'S1-3']);
  });

  it('keep blocks of other zones apart, and refuse wishes that make no sense', () => {
    const board = new SeatBoard(new SeatHall([...draw(['ooo']), ...draw(['ooooo'], 'T', 'y')]));
    expect(ask(board, 4)).toEqual({ seats: null, reason: 'sold_out' });
    expect(board.propose({ zone: 'y', quantity: 4 }).seats).toHaveLength(4);
    expect(() => board.propose({ zone: 'nowhere', quantity: 1 })).toThrow('no zone');
    for (const quantity of [0, -1, 1.5, Number.NaN]) expect(() => ask(board, quantity)).toThrow(RangeError);
    expect(() => ask(board, 1, { accessible: 2 })).toThrow(RangeError);
    expect(board.take(['elsewhere', 'S0-0', 'S0-0'])).toBe(1);
  });

  it('take little time in a hall of 20 000 (printed, not judged: machines differ)', () => {
    const seats = Array.from({ length: 20 }, (_, s) =>
      draw(
        Array.from({ length: 25 }, () => 'o'.repeat(40)),
        `S${s}.`,
      ).map((seat) => ({ ...seat, x: seat.x + (s % 5) * 44 - 88, y: seat.y + Math.floor(s / 5) * 27 })),
    ).flat();
    const timed = <T>(work: () => T): [ms: number, result: T] => {
      const start = performance.now();
      const result = work();
      return [performance.now() - start, result];
    };
    const [build, hall] = timed(() => new SeatHall(seats));
    const sizes = [1, 2, 2, 4, 3, 2, 6, 2, 4, 5];
    const board = new SeatBoard(hall);
    const times: number[] = [];
    for (let sold = 0, i = 0; ; i++) {
      const [ms, answer] = timed(() => ask(board, sizes[i % sizes.length]));
      times.push(ms);
      if (!answer.seats) break;
      board.take(answer.seats);
      board.release(answer);
      sold += answer.seats.length;
      expect(sold).toBe(20_000 - board.freeSeats('z'));
    }
    const at = (share: number) =>
      `${([...times].sort((a, b) => a - b)[Math.floor((times.length - 1) * share)] * 1000).toFixed(0)} us`;
    const scattered = new SeatBoard(hall);
    scattered.take(seats.filter((seat) => seat.ordinal % 2 === 0).map((seat) => seat.seatId));
    const [pieces] = timed(() => ask(scattered, 10));
    const rows = new SeatBoard(hall);
    rows.take(seats.filter((seat) => seat.ordinal % 4 === 0).map((seat) => seat.seatId));
    const [split] = timed(() => ask(rows, 10));
    console.log(
      `20 000 seats: hall ${build.toFixed(0)} ms; sold out in ${times.length} choices, median ${at(0.5)}, p99 ${at(0.99)}, slowest ${at(1)};`,
    );
    console.log(`10 seats where every other one is sold ${pieces.toFixed(1)} ms, where every fourth is ${split.toFixed(1)} ms`);
  });
});
