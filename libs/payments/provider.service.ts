// Providers: which there are by name, and how each is called: outside transactions, with a time limit, tried again with back-off.
import { Database } from '../platform/db/database.js';
import { type PaymentProvider, ProviderError } from './provider.client.js';

/** Three tries of 4 seconds and their pauses stay below PATIENCE_SECONDS, after which the reconciler asks. */
const TRIES = 3;
const TRY_MS = 4000;
const PAUSE_MS = 150;

export class Providers {
  private readonly byName: ReadonlyMap<string, PaymentProvider>;

  constructor(
    private readonly db: Database,
    providers: readonly PaymentProvider[],
  ) {
    this.byName = new Map(providers.map((p) => [p.name, p]));
    if (this.byName.size !== providers.length) throw new Error('Two payment providers have one name.');
  }

  names(): string[] {
    return [...this.byName.keys()];
  }

  find(name: string): PaymentProvider | undefined {
    return this.byName.get(name);
  }

  /**
   * Asks a provider something that is safe to ask twice. Retryable errors are tried again, `tries` times in all; then, and for final
   * ones at once, the ProviderError is thrown. Throws when called inside a transaction: a provider's time must hold no lock of ours.
   */
  async call<T>(name: string, ask: (provider: PaymentProvider, signal: AbortSignal) => Promise<T>, tries = TRIES): Promise<T> {
    if (this.db.inTransaction) throw new Error('A payment provider must not be called inside a transaction.');
    const provider = this.byName.get(name);
    if (!provider) throw new ProviderError('unknown_provider', false, `There is no payment provider ${name}.`);
    for (let attempt = 1; ; attempt++) {
      try {
        return await inTime(name, (signal) => ask(provider, signal));
      } catch (e) {
        if (!(e instanceof ProviderError) || !e.retryable || attempt >= tries) throw e;
        await pause(PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
      }
    }
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** One try. A provider that does not answer in time has perhaps done it all the same. */
async function inTime<T>(name: string, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ProviderError('timeout', true, `${name} did not answer within ${TRY_MS} ms.`));
      abort.abort();
    }, TRY_MS);
  });
  try {
    return await Promise.race([ask(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}
