// Verdict: what the judge says of one invariant of DESIGN 5, and the requests that show it.
import type { Exchange } from './client.js';
import type { Intent, Ledger } from './ledger.js';
import type { Clockwork, Life } from './life.js';
import type { Scene } from './stage.js';
import type { Books } from './books.js';
import type { Sample } from './watch.js';
import type { Buyer } from './buyer.js';

export interface Finding {
  text: string;
  shownBy: Exchange[];
}

export interface Verdict {
  /** The invariant's number in DESIGN 5. */
  invariant: number;
  title: string;
  /** unproven: something was never answered, so nothing certain can be said; that is no pass. */
  state: 'held' | 'broken' | 'unproven';
  /** What was looked at, with counts: a verdict over nothing is worth nothing. */
  looked: string;
  broken: Finding[];
  unproven: Finding[];
}

/** What stayed unsold although buyers still wanted it. */
export interface Rest {
  left: number;
  area: 'general' | 'seated';
  wishers: Buyer[];
  refused: Intent[];
}

/** Everything seen of one rush. */
export interface RushRecord extends Clockwork {
  scene: Scene;
  ledger: Ledger;
  samples: readonly Sample[];
  lives: readonly Life[];
  books: Books;
  rest: Rest[];
  /** Units still held though every hold had ended long enough ago. */
  leaked?: { held: number; since: number; sample: Sample };
}

export function verdict(
  invariant: number,
  title: string,
  { looked, broken, unproven = [] }: { looked: string; broken: Finding[]; unproven?: Finding[] },
): Verdict {
  const state = broken.length > 0 ? 'broken' : unproven.length > 0 ? 'unproven' : 'held';
  return { invariant, title, state, looked, broken, unproven };
}
