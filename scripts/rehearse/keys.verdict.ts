// Keys verdict: invariant 3: one effect per idempotency key, and a replay brings the same bytes.
import type { Exchange } from './client.js';
import type { Intent } from './ledger.js';
import { isDefinite, isStored, type Step } from './patience.js';
import { verdict, type Finding, type RushRecord, type Verdict } from './verdict.js';

export function keysVerdict({ ledger }: RushRecord): Verdict {
  const steps = ledger.intents.flatMap((intent) => intent.steps());
  const misuses = ledger.intents.flatMap((intent) => intent.misuses);
  const replays = steps.reduce((sum, step) => sum + Math.max(0, step.attempts.filter(isDefinite).length - 1), 0);
  const retried = steps.filter((step) => step.attempts.some((attempt) => !isDefinite(attempt))).length;
  const broken = [...steps.flatMap(changedReplay), ...misuses.flatMap(acceptedMisuse), ...sharedBookings(ledger.intents)];
  const looked =
    `${steps.length} keys, ${replays} replays compared byte by byte, ${retried} keys retried after a lost or refused reply, ` +
    `${misuses.length} keys sent with another body`;
  return verdict(3, 'One effect per idempotency key; a replay is byte-identical', { looked, broken });
}

function changedReplay(step: Step): Finding[] {
  const [first, ...later] = step.attempts.filter(isDefinite);
  if (!first) return [];
  const other = later.find((replay) => replay.status !== first.status || (isStored(first) && !replay.body.equals(first.body)));
  if (!other) return [];
  const what = other.status === first.status ? 'other bytes' : `${other.status} ${other.code} instead of ${first.status}`;
  return [{ text: `A replay of key ${step.call.key} brought ${what}`, shownBy: [first, other] }];
}

function acceptedMisuse(step: Step): Finding[] {
  const answer = step.answer;
  if (!answer || (answer.status === 422 && answer.code === 'idempotency_key_reused')) return [];
  const text = `Key ${step.call.key} with another body was answered ${answer.status} ${answer.code}, not 422 idempotency_key_reused`;
  return [{ text, shownBy: step.attempts }];
}

/** Two wishes with two keys that were given one and the same booking. */
function sharedBookings(intents: readonly Intent[]): Finding[] {
  const owners = new Map<string, Exchange>();
  const findings: Finding[] = [];
  for (const intent of intents) {
    if (!intent.booking) continue;
    const answer = intent.book.answer!;
    const other = owners.get(intent.booking.id);
    if (other) findings.push({ text: `Booking ${intent.booking.id} was given for two keys`, shownBy: [other, answer] });
    owners.set(intent.booking.id, answer);
  }
  return findings;
}
