// Seat hall: where the seats of one seat map are, laid out for fast choosing; it never changes and events of one venue share it.

/** A numbered place as catalog's flat seats give it, in any order. */
export interface HallSeat {
  seatId: string;
  section: string;
  row: string;
  /** Position within its row: seats whose ordinals differ by one are adjacent. */
  ordinal: number;
  x: number;
  y: number;
  zone: string;
  accessible: boolean;
  companionOf: string | null;
}
export interface Point {
  x: number;
  y: number;
}

/** What a seat is for, in the order in which a buyer who asked for nothing special is given them. */
export const kinds = { ordinary: 1, companion: 2, accessible: 3 } as const;

/** The seats of one zone. Seats and blocks are numbers: indexes into the hall's arrays. */
export interface HallZone {
  index: number;
  /** Nearest to the stage first. */
  blocks: number[];
  accessible: number[];
}

/** A gap this much wider than the usual one of its row is an aisle. */
const AISLE = 1.6;
/** How much longer the way across an aisle counts for a group than the way to the stage. */
const ACROSS = 3;

/**
 * Seats sorted by section, row and ordinal. A block is a longest piece of one row in which every seat is adjacent to the next and
 * of the same zone; groups sit together within a block. `stage` is by default the middle of the hall's front edge (least y).
 */
export class SeatHall {
  readonly ids: string[];
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly kind: Uint8Array;
  readonly zoneOf: Uint16Array;
  readonly blockOf: Int32Array;
  /** Sums over all seats before: distance to the stage, and weight of the aisles in its block. A window's value is a difference. */
  readonly distances: Float64Array;
  readonly aisles: Float64Array;
  readonly companionsOf = new Map<number, number[]>();
  readonly zones = new Map<string, HallZone>();
  /** By block: its first seat, the seat after its last, the distance of its nearest seat, and the block behind it (-1: none). */
  readonly first: number[] = [];
  readonly end: number[] = [];
  readonly nearest: number[] = [];
  readonly behind: number[] = [];
  private readonly reach: number[] = [];
  private readonly index = new Map<string, number>();

  constructor(given: Iterable<HallSeat>, stage?: Point) {
    const seats = [...given].sort(inOrder);
    const n = seats.length;
    this.ids = seats.map((seat) => seat.seatId);
    this.x = Float64Array.from(seats, (seat) => seat.x);
    this.y = Float64Array.from(seats, (seat) => seat.y);
    this.kind = Uint8Array.from(seats, (seat) =>
      seat.accessible ? kinds.accessible : seat.companionOf ? kinds.companion : kinds.ordinary,
    );
    this.zoneOf = new Uint16Array(n);
    this.blockOf = new Int32Array(n);
    this.distances = new Float64Array(n + 1);
    this.aisles = new Float64Array(n + 1);
    for (const [i, id] of this.ids.entries()) this.index.set(id, i);
    this.measure(stage ?? frontMiddle(seats));
    this.divide(seats);
    this.lineUp(seats);
  }

  /** The number of a seat, or undefined for a seat of another hall. */
  indexOf(seatId: string): number | undefined {
    return this.index.get(seatId);
  }

  /** Distance of a seat to the stage. */
  distance(seat: number): number {
    return this.distances[seat + 1] - this.distances[seat];
  }

  private measure(stage: Point) {
    for (let i = 0; i < this.ids.length; i++) {
      this.distances[i + 1] = this.distances[i] + Math.hypot(this.x[i] - stage.x, this.y[i] - stage.y);
    }
  }

  /** Cuts rows into blocks, sorts blocks into zones, finds aisles and companions. */
  private divide(seats: HallSeat[]) {
    for (let i = 0; i < seats.length; i++) {
      const seat = seats[i];
      const before = seats[i - 1];
      const joined = before && sameRow(before, seat) && before.zone === seat.zone && before.ordinal + 1 === seat.ordinal;
      if (!joined) this.first.push(i);
      this.blockOf[i] = this.first.length - 1;
      const zone = this.zones.get(seat.zone) ?? { index: this.zones.size, blocks: [], accessible: [] };
      this.zones.set(seat.zone, zone);
      this.zoneOf[i] = zone.index;
      if (!joined) zone.blocks.push(this.first.length - 1);
      if (seat.accessible) zone.accessible.push(i);
      const host = seat.companionOf === null ? undefined : this.index.get(seat.companionOf);
      if (host !== undefined) this.companionsOf.set(host, [...(this.companionsOf.get(host) ?? []), i]);
    }
    for (const [block, first] of this.first.entries()) {
      const end = this.first[block + 1] ?? seats.length;
      this.end.push(end);
      const middle = this.middle(first, end);
      let [nearest, reach] = [Infinity, 0];
      for (let i = first; i < end; i++) {
        nearest = Math.min(nearest, this.distance(i));
        reach = Math.max(reach, Math.hypot(this.x[i] - middle.x, this.y[i] - middle.y));
      }
      this.nearest.push(nearest);
      this.reach.push(reach);
      this.findAisles(first, end);
    }
    for (const zone of this.zones.values()) {
      zone.blocks.sort((a, b) => this.nearest[a] - this.nearest[b] || a - b);
      zone.accessible.sort((a, b) => this.distance(a) - this.distance(b) || a - b);
    }
  }

  private findAisles(first: number, end: number) {
    const gaps: number[] = [];
    for (let i = first + 1; i < end; i++) gaps.push(Math.hypot(this.x[i] - this.x[i - 1], this.y[i] - this.y[i - 1]));
    const usual = [...gaps].sort((a, b) => a - b)[Math.floor(gaps.length / 2)] ?? 0;
    this.aisles[first] = 0;
    for (const [i, gap] of gaps.entries()) {
      this.aisles[first + i + 1] = this.aisles[first + i] + (gap > AISLE * usual ? ACROSS * (gap - usual) : 0);
    }
  }

  /** Which block is behind which: rows of a section are put in order across their common direction, whatever their names are. */
  private lineUp(seats: HallSeat[]) {
    this.behind.push(...this.first.map(() => -1));
    const sections = new Map<string, Map<string, number[]>>();
    for (const [block, first] of this.first.entries()) {
      const { section, row } = seats[first];
      const rows = sections.get(section) ?? new Map<string, number[]>();
      sections.set(section, rows);
      rows.set(row, [...(rows.get(row) ?? []), block]);
    }
    for (const rows of sections.values()) {
      const depth = this.depths([...rows.values()]);
      const ordered = [...rows.values()].sort((a, b) => depth.get(a)! - depth.get(b)!);
      for (const [i, blocks] of ordered.entries())
        for (const block of blocks) this.behind[block] = this.closest(block, ordered[i + 1] ?? []);
    }
  }

  private depths(rows: number[][]): Map<number[], number> {
    let along = { x: 0, y: 0 };
    for (const row of rows) {
      const [from, to] = [this.first[row[0]], this.end[row.at(-1)!] - 1];
      const way = { x: this.x[to] - this.x[from], y: this.y[to] - this.y[from] };
      const turn = along.x * way.x + along.y * way.y < 0 ? -1 : 1; // Rows may be numbered from either end.
      along = { x: along.x + turn * way.x, y: along.y + turn * way.y };
    }
    // Across the rows; where every row is a single seat, by distance.
    const across = (p: Point) => p.y * along.x - p.x * along.y;
    const flat = along.x === 0 && along.y === 0;
    return new Map(
      rows.map((row) => [row, flat ? this.nearest[row[0]] : across(this.middle(this.first[row[0]], this.end[row.at(-1)!]))]),
    );
  }

  private closest(block: number, others: number[]): number {
    const here = this.middle(this.first[block], this.end[block]);
    let best = -1;
    let least = Infinity;
    for (const other of others) {
      if (this.zoneOf[this.first[other]] !== this.zoneOf[this.first[block]]) continue;
      const there = this.middle(this.first[other], this.end[other]);
      const away = Math.hypot(there.x - here.x, there.y - here.y);
      if (away < least) [best, least] = [other, away];
    }
    return best;
  }

  /** How far the nearest middle of any part of a block can be from a point, at least. */
  distanceTo(block: number, point: Point): number {
    const middle = this.middle(this.first[block], this.end[block]);
    return Math.max(0, Math.hypot(middle.x - point.x, middle.y - point.y) - this.reach[block]);
  }

  /** The point between the first and the last of some adjacent seats. */
  middle(first: number, end: number): Point {
    return { x: (this.x[first] + this.x[end - 1]) / 2, y: (this.y[first] + this.y[end - 1]) / 2 };
  }
}

const sameRow = (a: HallSeat, b: HallSeat) => a.section === b.section && a.row === b.row;

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const inOrder = (a: HallSeat, b: HallSeat) => compare(a.section, b.section) || compare(a.row, b.row) || a.ordinal - b.ordinal;

function frontMiddle(seats: HallSeat[]): Point {
  let [left, right, front] = [Infinity, -Infinity, Infinity];
  for (const { x, y } of seats) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    front = Math.min(front, y);
  }
  return { x: (left + right) / 2, y: front };
}
