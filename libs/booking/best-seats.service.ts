// Best available seats: each process keeps a board of an event's seats in mind, proposes from it, and lets the batch decide.
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { bookingErrors } from './booking.errors.js';
import { SeatHall } from './seat-hall.rules.js';
import { SeatRepository } from './seat.repository.js';
import { SeatBoard, type Proposal } from './seat.rules.js';

interface Board {
  board: SeatBoard;
  /** Milliseconds of the process when its states were read. */
  readAt: number;
  reading?: Promise<void>;
}

/** A board this old is read again before it says that nothing is left. */
const FRESH_MS = 500;

@Injectable()
export class BestSeats {
  private readonly boards: LRUCache<string, Board, string>;

  constructor(private readonly seats: SeatRepository) {
    this.boards = new LRUCache({ max: 50, fetchMethod: (eventId, _old, { context: orgId }) => this.open(orgId, eventId) });
  }

  /**
   * Seats for a group in a zone, kept out of other proposals of this process until `done`. Refuses with `sold_out` when the seats
   * as they are now do not suffice. A proposal may be stale: the batch says `seat_taken` then; call `misled` and propose again.
   */
  async propose(
    orgId: string,
    eventId: string,
    zone: string,
    quantity: number,
  ): Promise<{ seatIds: string[]; done: () => void }> {
    const open = await this.boards.fetch(eventId, { context: orgId });
    if (!open) throw bookingErrors.soldOut();
    for (let look = 0; ; look++) {
      const found = open.board.hall.zones.has(zone) ? open.board.propose({ zone, quantity }) : null;
      if (found?.seats) return { seatIds: found.seats, done: () => open.board.release(found as Proposal) };
      if (look > 0 || performance.now() - open.readAt < FRESH_MS) throw bookingErrors.soldOut();
      await this.read(open, orgId, eventId);
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
    return { board, readAt: performance.now() };
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
