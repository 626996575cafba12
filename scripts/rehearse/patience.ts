// Patience: a write is repeated with the same key until its answer is definite, with back-off and Retry-After, as a good client does.
import { now, sleep, type Call, type Client, type Exchange } from './client.js';

/** A write with its key, every attempt at it and every answer: what invariants 2 and 3 are judged by. */
export class Step {
  readonly attempts: Exchange[] = [];

  constructor(readonly call: Call) {}

  /** The first definite answer; undefined while the step is in doubt. */
  get answer(): Exchange | undefined {
    return this.attempts.find(isDefinite);
  }

  get firstSentAt(): number {
    return this.attempts.length === 0 ? Number.POSITIVE_INFINITY : Math.min(...this.attempts.map((attempt) => attempt.sentAt));
  }
}

/** False where the effect is unknown or the server asked to come again: no reply, 5xx, 429, or 409 `busy`. */
export function isDefinite({ status, code }: Exchange): boolean {
  return status >= 200 && status < 500 && status !== 429 && status !== 408 && !(status === 409 && code === 'busy');
}

/** Answers that CONTRACT 1 says are stored under their key, so a replay must bring the same bytes. */
export function isStored(exchange: Exchange): boolean {
  const { status } = exchange;
  return isDefinite(exchange) && ((status >= 200 && status < 300) || status === 402 || status === 409 || status === 410);
}

export interface Insistence {
  patienceMs: number;
  random: () => number;
}

const firstPauseMs = 40;
const longestPauseMs = 2_000;
const longestRetryAfterMs = 30_000;

/** Sends the step until a definite answer, or until patience ends: then the last attempt is returned, and the step stays in doubt. */
export async function insist(client: Client, step: Step, how: Insistence): Promise<Exchange> {
  const giveUpAt = now() + how.patienceMs;
  for (let attempt = 0; ; attempt++) {
    const exchange = await client.send(step.call);
    step.attempts.push(exchange);
    if (isDefinite(exchange)) return exchange;
    const pause = pauseAfter(exchange, attempt, how.random);
    if (now() + pause > giveUpAt) return exchange;
    await sleep(pause);
  }
}

/** A read, repeated like a write until a definite answer. */
export function ask(client: Client, call: Call, how: Insistence): Promise<Exchange> {
  return insist(client, new Step(call), how);
}

function pauseAfter(exchange: Exchange, attempt: number, random: () => number): number {
  const backOff = random() * Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(attempt, 10));
  if (exchange.retryAfterMs === undefined) return backOff;
  // Spread the returning crowd a little, or it comes back as one wave.
  return Math.min(longestRetryAfterMs, exchange.retryAfterMs) * (1 + 0.2 * random());
}
