// Seats: chooses the best free ones of an event for a group, and spreads requests that are open at once over different ones.
import { kinds, type HallZone, type Point, type SeatHall } from './seat-hall.rules.js';
import { SeatOffer, type Found } from './seat-offer.rules.js';
import { share, span, sum, upTo } from './seat-share.rules.js';

export interface SeatWish {
  zone: string;
  /** How many seats, 1 or more. */
  quantity: number;
  /** How many of them must be accessible places; their companions sit beside them. */
  accessible?: number;
  /** Passes over this many best answers, so that several processes do not all ask for the same seats. */
  skip?: number;
}

/** Seats kept out of other proposals until `release`. */
export interface Proposal {
  readonly seats: string[];
  readonly token: number;
}
/** `in_flight`: enough seats are free, but open proposals have them. Ask again when one has ended; nothing is sold out yet. */
export interface NoProposal {
  readonly seats: null;
  readonly reason: 'sold_out' | 'in_flight';
}

/** A group is spread over this many rows at most before its parts may be anywhere. */
const ROWS_MAX = 12;
/** Accessible places tried as the middle of a group; those nearest to the stage come first. */
const ANCHORS_MAX = 64;
/** How much more it counts that parts of a group are near one another than that they are near the stage. */
const PULL = 2;

interface Search {
  size: number;
  /** Seats up to this kind may be used. */
  top: number;
  /** Only where no single seat is left over beside the group. */
  neat: boolean;
  near: Point | null;
}
interface Placed {
  seats: number[];
  cost: number;
}
type Claim = (seats: number[]) => void;

/** The seats of one event in one process. A hint that keeps requests apart, never a lock: another process may have the same seats in mind. */
export class SeatBoard {
  private readonly offer: SeatOffer;
  private lastToken = 0;

  /** All seats start free; `take` what is held, sold or blocked. */
  constructor(readonly hall: SeatHall) {
    this.offer = new SeatOffer(hall);
  }

  /** These seats are held, sold or blocked now. Ids of other halls are passed over. Returns how many changed. */
  take(seatIds: Iterable<string>): number {
    return this.offer.setTaken(seatIds, true);
  }

  /** These seats can be had again. */
  free(seatIds: Iterable<string>): number {
    return this.offer.setTaken(seatIds, false);
  }

  freeSeats(zone: string): number {
    return this.countFree(this.zone(zone), kinds.accessible);
  }

  /**
   * The best seats for a group: together in one row, leaving no single seat, near the stage's middle; else in adjacent rows; else
   * in pieces as large as can be. Companion and accessible seats go to others only when ordinary ones no longer suffice.
   * End every proposal with `release`, in a `finally`: a forgotten one hides its seats until the board is made anew.
   */
  propose(wish: SeatWish): Proposal | NoProposal {
    const passed: Proposal[] = [];
    let answer = this.next(wish);
    while (answer.seats && passed.length < (wish.skip ?? 0)) {
      passed.push(answer);
      answer = this.next(wish);
    }
    for (const one of passed) this.release(one);
    return answer.seats || passed.length === 0 ? answer : this.next(wish);
  }

  /** Up to `count` answers that share no seat, best first. None of them is kept. */
  candidates(wish: SeatWish, count: number): string[][] {
    const found: Proposal[] = [];
    while (found.length < count) {
      const next = this.next(wish);
      if (!next.seats) break;
      found.push(next);
    }
    for (const one of found) this.release(one);
    return found.map((one) => one.seats);
  }

  /** Ends a proposal: those of its seats that were not taken meanwhile may be proposed again. A second call does nothing. */
  release(proposal: Proposal) {
    for (const id of proposal.seats) this.offer.unclaim(id, proposal.token);
  }

  private next({ zone: name, quantity, accessible = 0 }: SeatWish): Proposal | NoProposal {
    if (!Number.isSafeInteger(quantity) || quantity < 1 || !(accessible >= 0 && accessible <= quantity)) {
      throw new RangeError(`Not a wish for seats: ${quantity}, ${accessible} of them accessible`);
    }
    const zone = this.zone(name);
    // Counted with the seats of open proposals: those must not make ordinary buyers sit on accessible places.
    let top: number = kinds.ordinary;
    while (top < kinds.accessible && this.countFree(zone, top) < quantity) top++;
    if (this.countFree(zone, top) < quantity || this.offer.freeOf(zone, kinds.accessible) < accessible)
      return { seats: null, reason: 'sold_out' };
    const usable = accessible > 0 ? kinds.accessible : top;
    const offered = upTo(usable, (kind) => this.offer.offeredOf(zone, kind));
    if (offered < quantity || this.offer.offeredOf(zone, kinds.accessible) < accessible)
      return { seats: null, reason: 'in_flight' };

    const chosen: number[] = [];
    const token = ++this.lastToken;
    const claim = (seats: number[]) => {
      for (const seat of seats) this.offer.claim(seat, token);
      chosen.push(...seats);
    };
    if (accessible > 0) this.withAccessible(zone, { quantity, accessible }, claim);
    else claim(this.inOneRow(zone, quantity, top) ?? this.inAdjacentRows(zone, quantity, top) ?? []);
    for (; chosen.length < quantity && top <= usable; top++) {
      this.inPieces(zone, { size: quantity - chosen.length, top, near: this.middleOf(chosen) }, claim);
    }
    return { seats: chosen.map((seat) => this.hall.ids[seat]), token };
  }

  private inOneRow(zone: HallZone, size: number, top: number): number[] | null {
    const found = this.best(zone, { size, top, near: null });
    return found && span(found.start, size);
  }

  /** The best window of a zone, one that leaves no single seat if there is any. */
  private best(zone: HallZone, search: Omit<Search, 'neat'>): Found | null {
    for (const neat of [true, false]) {
      const found: Found = { start: -1, cost: Infinity };
      const remember = neat && search.top === kinds.ordinary && !search.near;
      for (const block of zone.blocks) {
        const least =
          search.size * (this.hall.nearest[block] + (search.near ? PULL * this.hall.distanceTo(block, search.near) : 0));
        if (least >= found.cost) {
          if (search.near) continue;
          break; // Blocks come nearest first: no later one can be better.
        }
        if (this.offer.longestRun(block, search.top) < search.size) continue;
        if (neat && search.top === kinds.ordinary && !this.offer.mayHoldNeatly(block, search.size)) continue;
        if (remember) this.recall(block, search.size, found);
        else this.searchBlock(block, { ...search, neat }, found);
      }
      if (found.start >= 0) return found;
    }
    return null;
  }

  /** The same as `searchBlock` for the commonest search, which is done once for each change of a block. */
  private recall(block: number, size: number, found: Found) {
    let known = this.offer.bestKnown(block, size);
    if (!known) {
      known = { start: -1, cost: Infinity };
      this.searchBlock(block, { size, top: kinds.ordinary, neat: true, near: null }, known);
      this.offer.remember(block, size, known);
    }
    if (known.cost < found.cost) {
      found.start = known.start;
      found.cost = known.cost;
    }
  }

  /** Betters `found` by the windows of one block. An aisle inside a group costs each of its members. */
  private searchBlock(block: number, { size, top, neat, near }: Search, found: Found) {
    const { distances, aisles } = this.hall;
    const { kindOf } = this.offer;
    for (let from = this.hall.first[block], end = this.hall.end[block]; from < end;) {
      let to = from;
      while (to < end && kindOf[to] !== 0 && kindOf[to] <= top) to++;
      const spare = to - from - size;
      for (let left = 0; left <= spare; left++) {
        if (neat && (left === 1 || spare - left === 1)) continue;
        const start = from + left;
        let cost = distances[start + size] - distances[start] + size * (aisles[start + size - 1] - aisles[start]);
        if (near) {
          const middle = this.hall.middle(start, start + size);
          cost += PULL * size * Math.hypot(middle.x - near.x, middle.y - near.y);
        }
        if (cost < found.cost) {
          found.start = start;
          found.cost = cost;
        }
      }
      from = to + 1;
    }
  }

  /** As few rows behind one another as hold the group, in parts as equal as can be, each part behind the one before. */
  private inAdjacentRows(zone: HallZone, quantity: number, top: number): number[] | null {
    const longest = this.offer.longestIn(zone, top);
    for (let rows = Math.max(2, Math.ceil(quantity / longest)); rows <= Math.min(ROWS_MAX, quantity); rows++) {
      let best: (Placed & { lonely: boolean }) | null = null;
      for (const front of zone.blocks) {
        const blocks = this.blocksFrom(front, rows, top);
        if (blocks.length < rows) continue;
        const room = blocks.map((block) => this.offer.longestRun(block, top));
        if (sum(room) < quantity) continue;
        const sizes = share(quantity, room);
        const lonely = sizes.includes(1);
        const least = sum(sizes.map((size, i) => size * this.hall.nearest[blocks[i]]));
        if (best && (lonely === best.lonely ? least >= best.cost : lonely)) continue;
        const placed = this.place(blocks, sizes, top);
        if (!best || lonely !== best.lonely || placed.cost < best.cost) best = { ...placed, lonely };
      }
      if (best) return best.seats;
    }
    return null;
  }

  /** A block and those behind it, up to `rows` in all and up to the first that is full. */
  private blocksFrom(front: number, rows: number, top: number): number[] {
    const blocks: number[] = [];
    for (
      let block = front;
      blocks.length < rows && block >= 0 && this.offer.longestRun(block, top) > 0;
      block = this.hall.behind[block]
    ) {
      blocks.push(block);
    }
    return blocks;
  }

  private place(blocks: number[], sizes: number[], top: number): Placed {
    const seats: number[] = [];
    let cost = 0;
    let near: Point | null = null;
    for (const [i, size] of sizes.entries()) {
      const found: Found = { start: -1, cost: Infinity };
      this.searchBlock(blocks[i], { size, top, neat: true, near }, found);
      if (found.start < 0) this.searchBlock(blocks[i], { size, top, neat: false, near }, found);
      seats.push(...span(found.start, size));
      cost += found.cost;
      near = this.hall.middle(found.start, found.start + size);
    }
    return { seats, cost };
  }

  /** The largest pieces there are, each near the one before, until the group is seated or the seats up to `top` are used up. */
  private inPieces(zone: HallZone, { size, top, near }: Omit<Search, 'neat'>, claim: Claim) {
    for (let left = size; left > 0;) {
      const piece = Math.min(left, this.offer.longestIn(zone, top));
      const found = piece > 0 ? this.best(zone, { size: piece, top, near }) : null;
      if (!found) return;
      claim(span(found.start, piece));
      near = this.hall.middle(found.start, found.start + piece);
      left -= piece;
    }
  }

  /** Accessible places close to one another, and their companion seats; best where the companions of all are on offer. */
  private withAccessible(zone: HallZone, wish: { quantity: number; accessible: number }, claim: Claim) {
    const { hall, offer } = this;
    const places = zone.accessible.filter((seat) => offer.kindOf[seat] !== 0);
    let best: Placed = { seats: [], cost: Infinity };
    for (const anchor of places.slice(0, ANCHORS_MAX)) {
      const away = (seat: number) => Math.hypot(hall.x[seat] - hall.x[anchor], hall.y[seat] - hall.y[anchor]);
      const nearer = (a: number, b: number) => away(a) - away(b);
      const group = [...places].sort(nearer).slice(0, wish.accessible);
      const beside = group.flatMap((seat) => hall.companionsOf.get(seat) ?? []);
      const free = beside.filter((seat) => offer.kindOf[seat] === kinds.companion && hall.zoneOf[seat] === zone.index);
      const seats = [...group, ...free.sort(nearer).slice(0, wish.quantity - wish.accessible)];
      const cost = hall.distance(anchor) + PULL * sum(seats.map(away));
      if (seats.length > best.seats.length || (seats.length === best.seats.length && cost < best.cost)) best = { seats, cost };
    }
    claim(best.seats);
  }

  private countFree(zone: HallZone, top: number): number {
    return upTo(top, (kind) => this.offer.freeOf(zone, kind));
  }

  private middleOf(seats: number[]): Point | null {
    if (seats.length === 0) return null;
    const mean = (of: Float64Array) => sum(seats.map((seat) => of[seat])) / seats.length;
    return { x: mean(this.hall.x), y: mean(this.hall.y) };
  }

  private zone(name: string): HallZone {
    const zone = this.hall.zones.get(name);
    if (!zone) throw new RangeError(`This hall has no zone "${name}"`);
    return zone;
  }
}
