// Hall: makes a seat map of any size, curved around a stage, for trials and load tests: `hall --seats 20000 > hall.json`.
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { Row, Seat, SeatMap, Section } from '../libs/catalog/seat-map.rules.js';

/** Metres: from seat to seat, from row to row, and the aisle between two sections or tiers. */
const PITCH = 0.55;
const DEPTH = 0.95;
const AISLE = 1.4;
/** The fan of seats never opens wider than this, or its ends would see the stage from behind. */
const FAN = (2 * Math.PI) / 3;
/** About what fire codes and eyes allow in one section. */
const SECTION_SEATS = 700;

interface Tier {
  code: string;
  name: string;
  share: number;
  zoneOf: (depth: number) => string;
}
const tiers: Tier[] = [
  { code: 'S', name: 'Stalls', share: 0.5, zoneOf: (depth) => (depth < 0.4 ? 'premium' : 'stalls') },
  { code: 'C', name: 'Circle', share: 0.3, zoneOf: () => 'circle' },
  { code: 'B', name: 'Balcony', share: 0.2, zoneOf: () => 'balcony' },
];

/** A valid seat map with exactly `seats` seats (1 to 100 000), the same every time; the stage is at 0/0. */
export function hall(seats: number): SeatMap {
  if (!Number.isSafeInteger(seats) || seats < 1 || seats > 100_000) throw new RangeError('A hall has 1 to 100000 seats.');
  const sections: Section[] = [];
  let left = seats;
  let front = 6;
  for (const [i, tier] of tiers.entries()) {
    const size = i === tiers.length - 1 ? left : Math.min(left, Math.ceil(seats * tier.share));
    if (size === 0) break;
    left -= size;
    const made = tierOf(tier, size, front);
    sections.push(...made.sections);
    front = made.back + 2 * AISLE;
  }
  const names: Record<string, string> = { premium: 'Premium', stalls: 'Stalls', circle: 'Circle', balcony: 'Balcony' };
  return { zones: Object.entries(names).map(([id, name]) => ({ id, name })), sections };
}

/** One tier: an odd number of sections beside one another, so that one of them faces the stage. */
function tierOf(tier: Tier, size: number, from: number): { sections: Section[]; back: number } {
  const count = size < 60 ? 1 : Math.max(3, Math.ceil(size / SECTION_SEATS) | 1);
  const width = Math.max(4, Math.round(Math.sqrt((size / count) * 1.2)));
  const arc = count * width * PITCH + (count - 1) * AISLE;
  const front = Math.max(from, arc / FAN);
  const sections: Section[] = [];
  let left = size;
  for (let i = 0; i < count; i++) {
    const seats = Math.ceil(left / (count - i));
    left -= seats;
    const middle = (i - (count - 1) / 2) * (width * PITCH + AISLE);
    sections.push(sectionOf({ tier, index: i, seats, width, front, angle: middle / front }));
  }
  return { sections, back: front + Math.ceil(size / count / width) * DEPTH };
}

interface Block {
  tier: Tier;
  index: number;
  seats: number;
  width: number;
  front: number;
  /** Of the section's middle, seen from the stage, in radians. */
  angle: number;
}

function sectionOf(block: Block): Section {
  const { tier, index, seats, width, front, angle } = block;
  const code = `${tier.code}${index + 1}`;
  const rowCount = Math.ceil(seats / width);
  const rows: Row[] = [];
  for (let r = 0; r < rowCount; r++) {
    const id = letters(r);
    const inRow = Math.min(width, seats - r * width);
    const radius = front + r * DEPTH;
    const row: Seat[] = Array.from({ length: inRow }, (_, i) => {
      const turn = angle + ((i - (inRow - 1) / 2) * PITCH) / radius;
      return {
        id: `${code}-${id}-${i + 1}`,
        number: String(i + 1),
        x: round(radius * Math.sin(turn)),
        y: round(radius * Math.cos(turn)),
        zone: tier.zoneOf(r / rowCount),
      };
    });
    // Wheelchairs have level access at the back of the stalls: a place at each aisle, its companion beside it.
    if (tier.code === 'S' && r === rowCount - 1 && inRow >= 4) {
      for (const [place, beside] of [
        [0, 1],
        [inRow - 1, inRow - 2],
      ]) {
        row[place].accessible = true;
        row[beside].companionOf = row[place].id;
      }
    }
    rows.push({ id, seats: row });
  }
  return { id: code, name: `${tier.name} ${index + 1}`, rows };
}

/** 0 is A, 25 Z, 26 AA. */
function letters(n: number): string {
  return (n >= 26 ? letters(Math.floor(n / 26) - 1) : '') + String.fromCharCode(65 + (n % 26));
}

const round = (metres: number) => Math.round(metres * 100) / 100;

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { seats: { type: 'string', default: '20000' } } });
  process.stdout.write(`${JSON.stringify(hall(Number(values.seats)))}\n`);
}
