// Prefer (RFC 7240): how long a client waits for its answer.
import type { IncomingHttpHeaders } from 'node:http';
import { elapsedMs } from '../../kernel/time.js';

/** One preference of the list: `wait=5`, in whole seconds. */
const WAIT = /(?:^|,)\s*wait\s*=\s*(?:"(\d{1,5})"|(\d{1,5}))\s*(?:[,;]|$)/i;

/**
 * The moment, as elapsedMs() counts, from which a client waits no longer: so many seconds from now. Undefined where it does not say; what cannot be read
 * is passed over, as the RFC asks.
 */
export function deadlineOf({ prefer }: IncomingHttpHeaders): number | undefined {
  if (prefer === undefined) return undefined;
  const seconds = WAIT.exec(String(prefer));
  return seconds ? elapsedMs() + Number(seconds[1] ?? seconds[2]) * 1000 : undefined;
}
