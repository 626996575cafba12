// Listing: how the public's words and places become something that indexes can answer.
import type { Place } from './venue.entity.js';

const EARTH_KM = 6371.0088;
const radians = (degrees: number) => (degrees * Math.PI) / 180;
const degrees = (rad: number) => (rad * 180) / Math.PI;

export interface Near extends Place {
  km: number;
}

/** Reads `lat,lon,km`; null for anything else. At most half way around the earth. */
export function parseNear(text: string): Near | null {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length !== 3 || !parts.every((part) => /^-?\d{1,5}(\.\d{1,15})?$/.test(part))) return null;
  const [lat, lon, km] = parts.map(Number);
  return Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && km > 0 && km <= 20_040 ? { lat, lon, km } : null;
}

/** Great-circle distance in km (haversine formula, mean earth radius). */
export function distanceKm(a: Place, b: Place): number {
  const half = (x: number) => Math.sin(radians(x) / 2) ** 2;
  const h = half(b.lat - a.lat) + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * half(b.lon - a.lon);
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** A box of degrees; `west` is above `east` where it lies across the 180th meridian. */
export interface Box {
  south: number;
  north: number;
  west: number;
  east: number;
}

/**
 * The smallest box that holds every place within `km`. With a pole inside, that is every longitude.
 * Source: J. P. Matuschek, "Finding Points Within a Distance of a Latitude/Longitude Using Bounding Coordinates".
 */
export function boxAround({ lat, lon, km }: Near): Box {
  const angle = (km / EARTH_KM) * 1.000001; // A hair wider, so that rounding excludes nobody.
  const south = lat - degrees(angle);
  const north = lat + degrees(angle);
  if (south <= -90 || north >= 90) return { south: Math.max(south, -90), north: Math.min(north, 90), west: -180, east: 180 };
  const reach = degrees(Math.asin(Math.min(1, Math.sin(angle) / Math.cos(radians(lat)))));
  if (reach >= 180) return { south, north, west: -180, east: 180 };
  const turn = (x: number) => (x < -180 ? x + 360 : x > 180 ? x - 360 : x);
  return { south, north, west: turn(lon - reach), east: turn(lon + reach) };
}

/** The distance to a row's place in SQL, for parameters that hold latitude and longitude in degrees. */
export const distanceSql = (lat: string, lon: string): string =>
  `2 * ${EARTH_KM} * asin(least(1, sqrt(power(sin(radians(latitude - ${lat}) / 2), 2)
     + cos(radians(${lat})) * cos(radians(latitude)) * power(sin(radians(longitude - ${lon}) / 2), 2))))`;

/** Cells of the index `listing_by_cell` in a degree; a power of two, so that here and in SQL a place is in the same cell. */
export const CELLS_PER_DEGREE = 8;
/** A circle that lies over more cells than these is not looked for cell by cell. */
const CELLS_MAX = 400;

/** Which cells, as the numbers of the first and the last: rows from south to north, columns from west to east, in one or two ranges. */
export interface Cells {
  rows: [number, number];
  columns: [number, number][];
}

/** The cells a box lies over. */
export function cellsOver({ south, north, west, east }: Box): Cells {
  const cell = (at: number) => Math.floor(at * CELLS_PER_DEGREE);
  const range = (from: number, to: number): [number, number] => [cell(from), cell(to)];
  return {
    rows: range(south, north),
    columns: west <= east ? [range(west, east)] : [range(west, 180), range(-180, east)],
  };
}

/** Each of the cells by its row and its column, in two lists of equal length; null when they are too many. */
export function eachCell({ rows, columns }: Cells): { rows: number[]; columns: number[] } | null {
  const all = { rows: [] as number[], columns: [] as number[] };
  const across = columns.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  if (across * (rows[1] - rows[0] + 1) > CELLS_MAX) return null;
  for (let row = rows[0]; row <= rows[1]; row++) {
    for (const [from, to] of columns) {
      for (let column = from; column <= to; column++) {
        all.rows.push(row);
        all.columns.push(column);
      }
    }
  }
  return all;
}

/** A text without the marks on its letters, so that `cafe` finds `Café`; the same for what is stored and what is asked. */
export const plainLetters = (text: string): string => text.normalize('NFKD').replace(/[\u0300-\u036f\u064b-\u065f]/g, '');

/** At most so many words of a query are looked at. */
const WORDS_MAX = 16;

/** What somebody typed as tsqueries: each of these words must occur, and may be the beginning of a longer one. */
export function searchWords(typed: string): string[] {
  return plainLetters(typed)
    .replace(/['\\]/g, ' ')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word))
    .slice(0, WORDS_MAX)
    .map((word) => `'${word}':*`);
}

/**
 * Of all words, those to ask the index for, by how many of the next events have each. For the beginning of a word GIN reads every
 * event that has it, in a tenth of the time that reading such an event takes; so a word pays that leaves few of the rarest one's.
 */
export function wordsForIndex(words: readonly string[], counts: readonly number[]): string[] {
  const rarest = Math.min(...counts);
  return words.filter((_, i) => counts[i] <= 5 + 10 * rarest);
}

/** What the next events tell of what was asked for. */
export interface Looked {
  /** So many were looked through. */
  looked: number;
  /** So many of them have each word, and are near. */
  words: number[];
  near: number;
  /** When the first and the last of them start. */
  first: Date;
  last: Date;
  /** How many events there are in all, roughly; below nought when nobody counted yet. */
  all: number;
}

/** No more events than these are ever looked through. */
const LOOK_MAX = 15_000;

/** How many of the next events to look through for `wanted` ones near, with some to spare; null when an index has fewer to read. */
export function worthLooking({ looked, near, all }: Looked, wanted: number): number | null {
  const next = Math.ceil((1.5 * wanted * looked) / near);
  return next <= LOOK_MAX && next < (all * near) / looked ? next : null;
}

/** As Postgres counts them in `catalog.words_of_week`. */
const WEEK_MS = 604_800_000;
/** Each week is looked up for itself, a millisecond or less. */
const WEEKS_MAX = 26;
/** Words that come seldom together, though each is common: a guess may be so many times too high. */
const TOO_HIGH = 8;

const weekOf = (time: Date) => Math.floor(time.getTime() / WEEK_MS);

/** Weeks to look in one after the other until enough was found. What they do not have is `beyond` them, unless nobody asks for it. */
export interface Weeks {
  weeks: number[];
  beyond: boolean;
}

/** In which weeks to look for all words: none where they would be too many. None that is asked for starts before the first event looked through, or after `to`. */
export function weeksToLook({ looked, words, near, first, last }: Looked, wanted: number, to?: Date): Weeks {
  const from = weekOf(first);
  const weeks = (n: number) => Array.from({ length: n }, (_, i) => from + i);
  const untilTo = to ? Math.max(0, weekOf(to) - from + 1) : Infinity;
  if (untilTo <= WEEKS_MAX) return { weeks: weeks(untilTo), beyond: false };
  const matching = [...words, near].reduce((product, count) => (product * count) / looked, looked);
  const enough = 1 + Math.ceil((wanted / matching) * ((last.getTime() - first.getTime()) / WEEK_MS));
  return { weeks: enough <= WEEKS_MAX ? weeks(Math.min(TOO_HIGH * enough, WEEKS_MAX)) : [], beyond: true };
}

/** All of these tsqueries, as Postgres writes them, as one. Of none an empty one, which finds nothing. */
export const allOf = (tsqueries: readonly string[]): string =>
  tsqueries
    .filter((q) => q !== '')
    .map((q) => `(${q})`)
    .join(' & ');

/** A tsquery of a listing's words as one of `catalog.words_of_week`, where words stand in no order. */
export const inWeek = (tsquery: string, week: number): string =>
  tsquery.replace(/<(-|\d+)>/g, '&').replace(/'((?:[^']|'')+)'/g, `'${week}:$1'`);
