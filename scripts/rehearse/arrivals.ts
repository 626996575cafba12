// Arrivals: when each buyer comes, in seconds after the opening.
import { readFileSync } from 'node:fs';
import { UsageError, type RushOptions } from './options.js';

/** One offset per buyer, ascending. A file decides how many buyers come, up to `--buyers`. Throws UsageError. */
export function arrivalsOf({ arrivals, buyers, duration }: RushOptions): number[] {
  if (arrivals === 'burst') return Array.from({ length: buyers }, () => 0);
  // The rate grows linearly, so the n-th arrival lies at the root of its share.
  if (arrivals === 'ramp') return Array.from({ length: buyers }, (_, n) => duration * Math.sqrt(n / buyers));
  return offsetsOf(arrivals).slice(0, buyers);
}

function offsetsOf(file: string): number[] {
  const lines = read(file).split(/\r?\n/);
  const offsets: number[] = [];
  lines.forEach((line, index) => {
    const first = line.split(/[,;\t]/)[0]!.trim();
    if (first === '' || first.startsWith('#')) return;
    const offset = Number(first);
    if (Number.isFinite(offset) && offset >= 0) offsets.push(offset);
    else if (index > 0) throw new UsageError(`${file}, line ${index + 1}: "${first}" is not a number of seconds, 0 or more.`);
  });
  if (offsets.length === 0) throw new UsageError(`${file} has no arrivals: write one number of seconds a line.`);
  return offsets.sort((a, b) => a - b);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`--arrivals is burst, ramp or a file that can be read; "${file}" cannot (${code}).`);
  }
}
