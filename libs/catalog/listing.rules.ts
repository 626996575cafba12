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

/** A text without the marks on its letters, so that `cafe` finds `Café`; the same for what is stored and what is asked. */
export const plainLetters = (text: string): string => text.normalize('NFKD').replace(/[\u0300-\u036f\u064b-\u065f]/g, '');

/** At most so many words of a query are looked at. */
const WORDS_MAX = 16;

/** What somebody typed as a tsquery: every word must occur, each may be the beginning of a longer one. Null when there is no word in it. */
export function searchQuery(typed: string): string | null {
  const words = plainLetters(typed)
    .replace(/['\\]/g, ' ')
    .split(/\s+/)
    .filter((word) => /[\p{L}\p{N}]/u.test(word));
  if (words.length === 0) return null;
  return words
    .slice(0, WORDS_MAX)
    .map((word) => `'${word}':*`)
    .join(' & ');
}
