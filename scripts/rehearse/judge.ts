// Judge: all verdicts over one rush, by API replies alone.
import type { Exchange } from './client.js';
import { booksVerdict } from './books.verdict.js';
import { holdsVerdict } from './holds.verdict.js';
import { keysVerdict } from './keys.verdict.js';
import type { Kill } from './killer.js';
import { moneyVerdict } from './money.verdict.js';
import { stockVerdict } from './stock.verdict.js';
import { verdict, type RushRecord, type Verdict } from './verdict.js';

export function judge(record: RushRecord, kills: readonly Kill[]): Verdict[] {
  const verdicts = [stockVerdict(record), booksVerdict(record), keysVerdict(record), moneyVerdict(record), holdsVerdict(record)];
  return kills.length > 0 ? [...verdicts, comebackVerdict(record, kills)] : verdicts;
}

/** Invariant 10, as far as a killed part is concerned: it comes back by itself. */
function comebackVerdict(record: RushRecord, kills: readonly Kill[]): Verdict {
  const gone = kills.filter((kill) => kill.backAt === undefined);
  const shownBy = record.samples.filter((sample) => !sample.pools).map((sample) => sample.exchange);
  return verdict(10, 'What was killed comes back by itself', {
    looked: `${kills.length} kills`,
    broken: gone.map(({ role }) => ({
      text: `${role} was not ready again within two minutes of its kill`,
      shownBy: shownBy.slice(-3),
    })),
  });
}

export const passed = (verdicts: readonly Verdict[]): boolean => verdicts.every(({ state }) => state === 'held');

export interface Remark {
  text: string;
  example: Exchange;
}

/** Replies that break no invariant of DESIGN 5 but are not in the contract, or should not occur in a rush. */
export function remarksOn(record: RushRecord): Remark[] {
  const replies = record.ledger.intents.flatMap((intent) => intent.story());
  const odd = new Map<string, Exchange[]>();
  for (const reply of [...replies, ...record.samples.map((sample) => sample.exchange)]) {
    if (reply.status === 0 || isOrdinary(reply)) continue;
    const name = `${reply.op} answered ${reply.status} ${reply.code}`;
    odd.set(name, [...(odd.get(name) ?? []), reply]);
  }
  return [...odd].map(([name, all]) => ({ text: `${name}: ${all.length} times`, example: all[0]! }));
}

/** 503 is the only 5xx answered on purpose (CONTRACT 1); of the rest, these are what a buyer may meet. */
function isOrdinary({ status, code }: Exchange): boolean {
  if (status < 300 || status === 503 || status === 429 || status === 402) return true;
  return ['sold_out', 'seat_taken', 'busy', 'bad_transition', 'hold_expired', 'idempotency_key_reused'].includes(code);
}
