// Seat offer: which seats of one event are free, and which of those are proposed to requests still open, with summaries kept up to date.
import { kinds, type HallZone, type SeatHall } from './seat-hall.rules.js';

/** Some adjacent seats, and how good they are (less is better). */
export interface Found {
  start: number;
  cost: number;
}

/** Runs of this length and more are one bit of a block's summary. */
const RUN_BITS = 31;
/** Places are remembered for groups up to this size; larger ones are rare, and memory is per event. */
const REMEMBERED_MAX = 12;

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
  /** By block: lengths of its runs of ordinary seats on offer as bits (bit 31: 31 or more); by block and kind: the longest run up to it. */
  private readonly runBits: Int32Array;
  private readonly longest: Int32Array;
  private readonly stale: Set<number>;
  /** By group size: what was last found best in each block, forgotten when the block changes. */
  private readonly known = new Map<number, (Found | undefined)[]>();

  constructor(readonly hall: SeatHall) {
    const seats = hall.ids.length;
    this.kindOf = Uint8Array.from(hall.kind);
    this.taken = new Uint8Array(seats);
    this.proposed = new Int32Array(seats);
    this.free = new Int32Array(hall.zones.size * 4);
    for (let seat = 0; seat < seats; seat++) this.free[this.counter(seat)]++;
    this.offered = Int32Array.from(this.free);
    this.runBits = new Int32Array(hall.first.length);
    this.longest = new Int32Array(hall.first.length * 4);
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

  /** Could a block hold `size` adjacent ordinary seats without a single one left beside them? Never a wrong no. */
  mayHoldNeatly(block: number, size: number): boolean {
    this.renew();
    if (size + 2 > RUN_BITS) return true;
    return (this.runBits[block] & ((1 << size) | (-1 << (size + 2)))) !== 0; // A run just as long, or longer by two and more.
  }

  /** The longest run of a block's seats on offer up to a kind. */
  longestRun(block: number, top: number): number {
    this.renew();
    return this.longest[block * 4 + top];
  }

  /** The longest run of a whole zone. */
  longestIn(zone: HallZone, top: number): number {
    this.renew();
    let longest = 0;
    for (const block of zone.blocks) longest = Math.max(longest, this.longest[block * 4 + top]);
    return longest;
  }

  /** The remembered best neat place of ordinary seats for a group in a block, if nothing has changed there since. */
  bestKnown(block: number, size: number): Found | undefined {
    this.renew();
    return this.known.get(size)?.[block];
  }

  remember(block: number, size: number, found: Found) {
    if (size > REMEMBERED_MAX) return;
    let known = this.known.get(size);
    if (!known) {
      known = Array.from<Found | undefined>({ length: this.hall.first.length });
      this.known.set(size, known);
    }
    known[block] = found;
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
      this.summarize(block);
      for (const known of this.known.values()) known[block] = undefined;
    }
    this.stale.clear();
  }

  private summarize(block: number) {
    const end = this.hall.end[block];
    let bits = 0;
    for (let top = kinds.ordinary as number; top <= kinds.accessible; top++) {
      let [longest, run] = [0, 0];
      for (let seat = this.hall.first[block]; seat <= end; seat++) {
        if (seat < end && this.kindOf[seat] !== 0 && this.kindOf[seat] <= top) run++;
        else if (run > 0) {
          if (top === kinds.ordinary) bits |= 1 << Math.min(run, RUN_BITS);
          longest = Math.max(longest, run);
          run = 0;
        }
      }
      this.longest[block * 4 + top] = longest;
    }
    this.runBits[block] = bits;
  }
}
