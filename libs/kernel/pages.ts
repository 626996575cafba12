// Pages: lists by cursor, stable while rows are written (keyset, never offset).
import { invalid } from './errors.js';

export interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

export interface PageRequest {
  /** 1 to 200. */
  limit: number;
  cursor?: string;
}

/** A cursor holds the sort key of the last row shown; opaque to clients. */
export const encodeCursor = (key: readonly (string | number)[]): string => Buffer.from(JSON.stringify(key)).toString('base64url');

/** Reads a cursor of `length` parts; a damaged one is a 400, not an error of ours. */
export function decodeCursor(cursor: string | undefined, length: number): (string | number)[] | null {
  if (cursor === undefined || cursor === '') return null;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const part = (v: unknown) => (typeof v === 'string' && v.length <= 200 && !v.includes('\0')) || Number.isSafeInteger(v);
    if (Array.isArray(key) && key.length === length && key.every(part)) return key as (string | number)[];
  } catch {
    // Falls through to the refusal below.
  }
  throw invalid([{ pointer: '/cursor', detail: 'Use the nextCursor of the page before, unchanged.' }]);
}

/** Makes a page of rows read with `limit + 1`, so that the last page is known without counting. */
export function pageOf<R, T>(rows: R[], limit: number, keyOf: (row: R) => (string | number)[], view: (row: R) => T): Page<T> {
  const shown = rows.slice(0, limit);
  return { items: shown.map(view), nextCursor: rows.length > limit ? encodeCursor(keyOf(shown[shown.length - 1])) : null };
}
