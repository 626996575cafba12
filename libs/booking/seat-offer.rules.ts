// Seat offer: which seats of one event are free, and which of those are proposed to requests still open, with summaries kept up to date.
import { kinds, type HallZone, type SeatHall } from './seat-hall.rules.js';

/** Runs of this length and more are one bit of a block's summary. */
const RUN_BITS = 31;

/**
 * A seat is on offer when it is free and not proposed. Free seats are told by deltas, Postgres decides. Each block keeps a summary of
 * its runs of ordinary seats on offer, renewed when one of its seats has changed, so that a choice looks into few blocks.
 */
export class SeatOffer {
  /** By seat: its kind while it is on offer, else 0. */
  readonly kindOf: Uint8Array;
  private readonly taken: Uint8Array;
  /** By seat: the token of the open proposal that has it, else 0. */
  private readonly proposed: Int32Array;
  /** By zone and kind: how many are free, and how many of those on offer. */
  private readonly free: Int32Array;
  private readonly offered: Int32Array;
  /** By block: lengths of its runs of ordinary seats on offer as bits (bit 31: 31 or more), and the longest. */
  private readonly runBits: Int32Array;
  private readonly longest: Int32Array;
  private readonly stale: Set<number>;

  constructor(readonly hall: SeatHall) {
    const seats = hall.ids.length;
    this.kindOf = Uint8Array.from(hall.kind);
    this.taken = new Uint8Array(seats);
    this.proposed = new Int32Array(seats);
    this.free = new Int32Array(hall.zones.size * 4);
    for (let seat = 0; seat < seats; seat++) this.free[this.counter(seat)]++;
    this.offered = Int32Array.from(this.free);
    this.runBits = new Int32Array(hall.first.length);
    this.longest = new Int32Array(hall.first.length);
    this.stale = new Set(hall.first.keys());
  }

  /** Marks seats taken or free; ids of other halls and seats that are so already are passed over. Returns how many changed. */
  setTaken(seatIds: Iterable<string>, taken: boolean): number {
    let changed = 0;
    for (const id of seatIds) {
      const seat = this.hall.indexOf(id);
      if (seat === undefined || this.taken[seat] === Number(taken)) continue;
      this.set(seat, Number(taken), this.proposed[seat]);
      changed++;
    }
    return changed;
  }

  /** Keeps a seat on offer out of other choices, in the name of a proposal. */
  claim(seat: number, token: number) {
    this.set(seat, this.taken[seat], token);
  }

  /** Ends a claim, if this proposal still has it. */
  unclaim(seatId: string, token: number) {
    const seat = this.hall.indexOf(seatId);
    if (seat !== undefined && this.proposed[seat] === token) this.set(seat, this.taken[seat], 0);
  }

  /** Free seats of a zone of one kind, proposed ones included. */
  freeOf(zone: HallZone, kind: number): number {
    return this.free[zone.index * 4 + kind];
  }

  offeredOf(zone: HallZone, kind: number): number {
    return this.offered[zone.index * 4 + kind];
  }

  /** Could a block hold `size` adjacent ordinary seats, `neat`: without leaving a single one beside them? Never a wrong no. */
  mayHold(block: number, size: number, neat: boolean): boolean {
    this.renew();
    if (this.longest[block] < size) return false;
    if (!neat || size + 2 > RUN_BITS) return true;
    return (this.runBits[block] & ((1 << size) | (-1 << (size + 2)))) !== 0; // A run just as long, or longer by two and more.
  }

  /** The longest run of a block's seats on offer up to a kind. */
  longestRun(block: number, top: number): number {
    this.renew();
    if (top === kinds.ordinary) return this.longest[block];
    let [longest, run] = [0, 0];
    for (let seat = this.hall.first[block]; seat < this.hall.end[block]; seat++) {
      run = this.kindOf[seat] !== 0 && this.kindOf[seat] <= top ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    return longest;
  }

  private counter(seat: number): number {
    return this.hall.zoneOf[seat] * 4 + this.hall.kind[seat];
  }

  /** The one place where a seat changes: keeps the counts right and marks its block for `renew`. */
  private set(seat: number, taken: number, proposed: number) {
    const at = this.counter(seat);
    this.free[at] += this.taken[seat] - taken;
    this.taken[seat] = taken;
    this.proposed[seat] = proposed;
    const kind = taken === 0 && proposed === 0 ? this.hall.kind[seat] : 0;
    if (kind === this.kindOf[seat]) return;
    this.offered[at] += kind === 0 ? -1 : 1;
    this.kindOf[seat] = kind;
    this.stale.add(this.hall.blockOf[seat]);
  }

  private renew() {
    if (this.stale.size === 0) return;
    for (const block of this.stale) {
      let [bits, longest, run] = [0, 0, 0];
      for (let seat = this.hall.first[block], end = this.hall.end[block]; seat <= end; seat++) {
        if (seat < end && this.kindOf[seat] === kinds.ordinary) run++;
        else if (run > 0) {
          bits |= 1 << Math.min(run, RUN_BITS);
          longest = Math.max(longest, run);
          run = 0;
        }
      }
      this.runBits[block] = bits;
      this.longest[block] = longest;
    }
    this.stale.clear();
  }
}
