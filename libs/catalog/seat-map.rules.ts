// Seat map: a venue's zones, sections, rows and numbered seats; what makes one valid, and its seats as flat rows.
import type { FieldError } from '../kernel/errors.js';

export interface SeatMap {
  zones: Zone[];
  sections: Section[];
}
export interface Zone {
  id: string;
  name: string;
}
export interface Section {
  id: string;
  name: string;
  /** From the front to the back: neighbours in this list are adjacent rows. */
  rows: Row[];
}
export interface Row {
  id: string;
  /** In the order in which people sit: neighbours in this list are adjacent seats. */
  seats: Seat[];
}
export interface Seat {
  /** Unique over the whole map, `[A-Za-z0-9._-]{1,64}`. */
  id: string;
  number: string | number;
  /** Any unit, the same for the whole map; y grows away from the stage. */
  x: number;
  y: number;
  /** The id of a zone: what ticket types sell. */
  zone: string;
  accessible?: boolean;
  /** The accessible seat, in the same row or the one before or after, whose companion sits here. */
  companionOf?: string | null;
}

/** A seat on its own, as `flatSeats` gives it. */
export interface FlatSeat {
  seatId: string;
  /** Ids of its section and row; a row's id is unique within its section only. */
  section: string;
  row: string;
  sectionName: string;
  number: string;
  x: number;
  y: number;
  zone: string;
  accessible: boolean;
  companionOf: string | null;
  /** Position within its row, from 0: two seats whose ordinals differ by one are adjacent. */
  ordinal: number;
}

export const seatMapLimits = {
  seats: 100_000,
  sections: 2_000,
  rows: 100_000,
  zones: 1_000,
  nameChars: 200,
  numberChars: 20,
  coordinate: 10_000_000,
};

/** Enough to see what is wrong; a wrong export has the same mistake 50 000 times. */
const PROBLEMS_MAX = 100;
const ID = /^[A-Za-z0-9._-]{1,64}$/;
const ID_RULE = 'must be 1 to 64 of A-Z a-z 0-9 . _ -';
const COORDINATE_RULE = `must be a number between -${seatMapLimits.coordinate} and ${seatMapLimits.coordinate}`;
/** Control characters and halves of surrogate pairs: no database text can hold them all. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/**
 * What is wrong with a seat map, at JSON pointers (RFC 6901) that start with `base` (`/seatMap`); nothing when it is a `SeatMap`.
 * At most 100 problems are told. One pass over the seats and one over the companions: 100 000 seats take some 100 ms.
 */
export function seatMapProblems(value: unknown, base = ''): FieldError[] {
  const check = new Check();
  check.map(value, base);
  return check.problems;
}

export const isSeatMap = (value: unknown): value is SeatMap => seatMapProblems(value).length === 0;

/** Every seat of a valid map, in map order: sections, rows, then seats from one end of the row to the other. */
export function flatSeats(map: SeatMap): FlatSeat[] {
  const out: FlatSeat[] = [];
  for (const section of map.sections) {
    for (const row of section.rows) {
      for (const [ordinal, seat] of row.seats.entries()) {
        const { id: seatId, number, x, y, zone, accessible = false, companionOf = null } = seat;
        const place = { section: section.id, row: row.id, sectionName: section.name, ordinal };
        out.push({ seatId, ...place, number: String(number), x, y, zone, accessible, companionOf });
      }
    }
  }
  return out;
}

/** How many seats each zone has, zones without a seat included: the capacity of a ticket type that sells it. */
export function zoneSizes(map: SeatMap): Map<string, number> {
  const sizes = new Map(map.zones.map((zone) => [zone.id, 0]));
  for (const { rows } of map.sections)
    for (const { seats } of rows) for (const { zone } of seats) sizes.set(zone, (sizes.get(zone) ?? 0) + 1);
  return sizes;
}

interface Place {
  section: number;
  row: number;
}
type Members = Record<string, unknown>;
/** Tells what is wrong with a member of one object ('' is the object itself). Its pointer is only written when something is. */
type Say = (member: string, detail: string) => void;

/** One reading of one map: collects what is wrong and what later checks need. */
class Check {
  readonly problems: FieldError[] = [];
  private readonly zones = new Set<string>();
  private readonly seats = new Set<string>();
  private readonly accessible = new Map<string, Place>();
  private readonly companions: { say: Say; id: unknown; of: string; place: Place }[] = [];
  private rowCount = 0;
  private seatCount = 0;

  map(value: unknown, at: string) {
    const say = this.at(at);
    const map = members(value, ['zones', 'sections'], say);
    if (!map) return;
    const zones = list(map.zones, seatMapLimits.zones, say, 'zones');
    const sections = list(map.sections, seatMapLimits.sections, say, 'sections');
    zones.forEach((zone, i) => named(zone, this.zones, this.at(`${at}/zones/${i}`)));
    const ids = new Set<string>();
    sections.forEach((section, i) => this.section(section, `${at}/sections/${i}`, i, ids));
    // Only once the seats are right: a wrong id would otherwise be told again by each companion.
    if (this.problems.length === 0) for (const companion of this.companions) this.companion(companion);
  }

  private section(value: unknown, at: string, index: number, ids: Set<string>) {
    const say = this.at(at);
    const section = named(value, ids, say, ['rows']);
    if (!section) return;
    const rows = list(section.rows, seatMapLimits.rows, say, 'rows');
    this.rowCount += rows.length;
    if (this.rowCount > seatMapLimits.rows) return say('rows', `too many: at most ${seatMapLimits.rows} rows in a map`);
    const rowIds = new Set<string>();
    rows.forEach((row, i) => this.row(row, `${at}/rows/${i}`, { section: index, row: i }, rowIds));
  }

  private row(value: unknown, at: string, place: Place, ids: Set<string>) {
    const say = this.at(at);
    const row = members(value, ['id', 'seats'], say);
    if (!row) return;
    newId(row.id, ids, say, 'of a row of this section');
    const seats = list(row.seats, seatMapLimits.seats, say, 'seats');
    this.seatCount += seats.length;
    if (this.seatCount > seatMapLimits.seats) return say('seats', `too many: at most ${seatMapLimits.seats} seats in a map`);
    for (let i = 0; i < seats.length && !this.full; i++) {
      this.seat(seats[i], place, (member, detail) => this.at(`${at}/seats/${i}`)(member, detail));
    }
  }

  private seat(value: unknown, place: Place, say: Say) {
    const seat = members(value, ['id', 'number', 'x', 'y', 'zone', 'accessible', 'companionOf'], say, 5);
    if (!seat) return;
    const { id, number, x, y, zone, accessible, companionOf } = seat;
    if (typeof id !== 'string' || !ID.test(id)) say('id', ID_RULE);
    else if (this.seats.has(id)) say('id', `"${id}" is already a seat of this map; seat ids are unique over all sections`);
    else this.seats.add(id);
    if (accessible === true && typeof id === 'string') this.accessible.set(id, place);
    if (typeof number === 'number' ? !Number.isSafeInteger(number) || number < 0 : !isText(number, seatMapLimits.numberChars)) {
      say('number', `must be a text of 1 to ${seatMapLimits.numberChars} characters or a whole number`);
    }
    if (!isCoordinate(x)) say('x', COORDINATE_RULE);
    if (!isCoordinate(y)) say('y', COORDINATE_RULE);
    if (typeof zone !== 'string' || !this.zones.has(zone)) say('zone', 'must be the id of one of the zones of this map');
    if (accessible !== undefined && typeof accessible !== 'boolean') say('accessible', 'must be true or false');
    if (typeof companionOf === 'string') this.companions.push({ say, id, of: companionOf, place });
    else if (companionOf !== undefined && companionOf !== null) say('companionOf', 'must be the id of an accessible seat');
  }

  private companion({ say, id, of, place }: Check['companions'][number]) {
    const seat = this.accessible.get(of);
    if (!this.seats.has(of) || of === id) say('companionOf', 'must be the id of another seat of this map');
    else if (!seat) say('companionOf', `seat "${of}" is not accessible: only accessible seats have companions`);
    else if (seat.section !== place.section || Math.abs(seat.row - place.row) > 1) {
      say('companionOf', `seat "${of}" must be in the same row or in the row before or after it`);
    }
  }

  private at(pointer: string): Say {
    return (member, detail) => {
      if (this.full) return;
      const last = member === '' ? '' : `/${member.slice(0, 64).replace(/~/g, '~0').replace(/\//g, '~1')}`;
      this.problems.push({ pointer: pointer + last, detail });
    };
  }

  private get full() {
    return this.problems.length >= PROBLEMS_MAX;
  }
}

/** An object with the first `required` of these members and no others: a misspelt `accesible` must not pass for a plain seat. */
function members(value: unknown, names: string[], say: Say, required = names.length): Members | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    say('', `must be an object with ${names.slice(0, required).join(', ')}`);
    return null;
  }
  for (const name of Object.keys(value)) if (!names.includes(name)) say(name, `unknown; allowed are ${names.join(', ')}`);
  return value as Members;
}

/** An object with an id that is new in `ids`, a name, and `more`. */
function named(value: unknown, ids: Set<string>, say: Say, more: string[] = []): Members | null {
  const object = members(value, ['id', 'name', ...more], say);
  if (!object) return null;
  newId(object.id, ids, say, 'in this list');
  if (!isText(object.name, seatMapLimits.nameChars)) say('name', `must be a text of 1 to ${seatMapLimits.nameChars} characters`);
  return object;
}

function newId(id: unknown, seen: Set<string>, say: Say, where: string) {
  if (typeof id !== 'string' || !ID.test(id)) return say('id', ID_RULE);
  if (seen.has(id)) return say('id', `"${id}" is already the id ${where}; ids must differ`);
  seen.add(id);
}

function list(value: unknown, max: number, say: Say, member: string): unknown[] {
  if (Array.isArray(value) && value.length <= max) return value;
  say(member, Array.isArray(value) ? `too many: at most ${max}` : 'must be a list');
  return [];
}

/** False for NaN, infinities and what is no number. */
const isCoordinate = (n: unknown) => typeof n === 'number' && Math.abs(n) <= seatMapLimits.coordinate;

function isText(value: unknown, max: number): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.length > 2 * max || UNPRINTABLE.test(value)) return false;
  return value.length <= max || [...value].length <= max;
}

const object = (properties: Record<string, unknown>, optional: string[] = []) => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
  properties,
});
const listOf = (maxItems: number, items: unknown) => ({ type: 'array', maxItems, items });
const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength, pattern: '^[^\\p{Cc}\\p{Cs}]*$' });
const id = { type: 'string', pattern: ID.source };
const coordinate = { type: 'number', minimum: -seatMapLimits.coordinate, maximum: seatMapLimits.coordinate };

/**
 * The same rules as JSON Schema 2020-12, as far as it can say them: that ids are unique, zones exist, companions sit beside
 * their seat and the sums over the map hold, only `seatMapProblems` knows.
 */
export const seatMapSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Evently seat map',
  description: `Zones, sections, rows and numbered seats of a venue. At most ${seatMapLimits.seats} seats and ${seatMapLimits.rows} rows in all; seat ids are unique over the whole map.`,
  ...object({
    zones: listOf(seatMapLimits.zones, object({ id, name: text(seatMapLimits.nameChars) })),
    sections: {
      description: 'Rows from the front to the back; seats in the order in which people sit.',
      ...listOf(
        seatMapLimits.sections,
        object({
          id,
          name: text(seatMapLimits.nameChars),
          rows: listOf(
            seatMapLimits.rows,
            object({
              id,
              seats: listOf(
                seatMapLimits.seats,
                object(
                  {
                    id: { ...id, description: 'Unique over the whole map.' },
                    number: {
                      anyOf: [text(seatMapLimits.numberChars), { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }],
                    },
                    x: coordinate,
                    y: { ...coordinate, description: 'Grows away from the stage.' },
                    zone: { ...id, description: 'The id of a zone of this map.' },
                    accessible: { type: 'boolean' },
                    companionOf: {
                      anyOf: [id, { type: 'null' }],
                      description: 'The accessible seat, in the same row or the one before or after, whose companion sits here.',
                    },
                  },
                  ['accessible', 'companionOf'],
                ),
              ),
            }),
          ),
        }),
      ),
    },
  }),
};
