// Seat shares: how a group is divided over rows, and the small sums that choosing seats needs. Pure.
import { kinds } from './seat-hall.rules.js';

/** So many numbers from one on. */
export const span = (start: number, size: number) => Array.from({ length: size }, (_, i) => start + i);

export const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);

/** Divides a number as evenly as the room in each part allows; the sum of the room is at least that number. */
export function share(quantity: number, room: number[]): number[] {
  const sizes = room.map(() => 0);
  let left = quantity;
  for (const [k, i] of [...room.keys()].sort((a, b) => room[a] - room[b]).entries()) {
    sizes[i] = Math.min(room[i], Math.floor(left / (room.length - k)));
    left -= sizes[i];
  }
  return sizes;
}

/** The sum over kinds from ordinary up to `top`. */
export function upTo(top: number, count: (kind: number) => number): number {
  let all = 0;
  for (let kind = kinds.ordinary as number; kind <= top; kind++) all += count(kind);
  return all;
}
