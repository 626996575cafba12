// Best available seats: each process keeps a board of an event's seats in mind, proposes from it, and lets the batch decide.
import { randomInt } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { edgeErrors } from '../kernel/errors.js';
import { bookingErrors } from './booking.errors.js';
import { SeatHall } from './seat-hall.rules.js';
import { SeatRepository } from './seat.repository.js';
import { SeatBoard, type Proposal } from './seat.rules.js';

interface Board {
  board: SeatBoard;
  /** Milliseconds of the process when its states were read. */
  readAt: number;
  reading?: Promise<void>;
  /** Who waits for seats that are only proposed to others. */
  waiting: (() => void)[];
}

/** A board this old is read again before it says that nothing is left. */
const FRESH_MS = 500;
/** So long a request waits for seats that others were proposed and may not get. */
const IN_FLIGHT_MS = 2000;

@Injectable()
export class BestSeats {
  private readonly boards: LRUCache<string, Board, string>;

  constructor(private readonly seats: SeatRepository) {
    this.boards = new LRUCache({ max: 50, fetchMethod: (eventId, _old, { context: orgId }) => this.open(orgId, eventId) });
  }

  /**
   * Seats for a group in a zone, kept out of other proposals of this process until `done`. Refuses with `sold_out` when the seats as
   * they are now do not suffice, with `busy` when others are just deciding about the last ones. A proposal may be stale: the batch
   * says `seat_taken` then; call `misled` and propose again with `attempt` raised, which spreads processes over different seats.
   */
  async propose(at: {
    orgId: string;
    eventId: string;
    zone: string;
    quantity: number;
    attempt: number;
  }): Promise<{ seatIds: string[]; done: () => void }> {
    const { orgId, eventId, zone, quantity, attempt } = at;
    const open = await this.boards.fetch(eventId, { context: orgId });
    if (!open?.board.hall.zones.has(zone)) throw bookingErrors.soldOut();
    const began = performance.now();
    for (;;) {
      const found = open.board.propose({ zone, quantity, skip: attempt > 1 ? randomInt(0, 4 * attempt) : 0 });
      if (found.seats) return { seatIds: found.seats, done: () => release(open, found) };
      if (found.reason === 'sold_out') {
        if (performance.now() - open.readAt < FRESH_MS) throw bookingErrors.soldOut();
        await this.read(open, orgId, eventId);
      } else {
        if (performance.now() - began > IN_FLIGHT_MS) throw edgeErrors.busy();
        await nextRelease(open);
      }
    }
  }

  /** A proposal was refused: what this process has in mind is old. */
  async misled(orgId: string, eventId: string): Promise<void> {
    const open = this.boards.peek(eventId);
    if (open) await this.read(open, orgId, eventId);
  }

  /** These were just held by this process. */
  took(eventId: string, seatIds: readonly string[]): void {
    this.boards.peek(eventId)?.board.take(seatIds);
  }

  private async open(orgId: string, eventId: string): Promise<Board | undefined> {
    const rows = await this.seats.ofEvent(orgId, eventId);
    if (rows.length === 0) return undefined;
    const board = new SeatBoard(new SeatHall(rows.map((r) => ({ ...r, seatId: r.id }))));
    board.take(rows.filter((r) => r.state !== 'free').map((r) => r.id));
    return { board, readAt: performance.now(), waiting: [] };
  }

  /** Reads the states again, once for all who ask meanwhile. */
  private read(open: Board, orgId: string, eventId: string): Promise<void> {
    open.reading ??= this.seats
      .states(orgId, eventId)
      .then((rows) => {
        open.board.take(rows.filter((r) => r.state !== 'free').map((r) => r.id));
        open.board.free(rows.filter((r) => r.state === 'free').map((r) => r.id));
        open.readAt = performance.now();
      })
      .finally(() => (open.reading = undefined));
    return open.reading;
  }
}

function release(open: Board, proposal: Proposal): void {
  open.board.release(proposal);
  for (const wake of open.waiting.splice(0)) wake();
}

/** Until a proposal of this board ends, or for a tenth of a second. */
const nextRelease = (open: Board): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, 100);
    open.waiting.push(() => {
      clearTimeout(timer);
      resolve();
    });
  });
