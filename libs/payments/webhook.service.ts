// Webhooks: what providers tell us by themselves. Believed only when signed; each event takes effect once, in any order.
import { Injectable } from '@nestjs/common';
import { edgeErrors, invalid } from '../kernel/errors.js';
import { runAs } from '../platform/db/ambient.js';
import { Database } from '../platform/db/database.js';
import { Log } from '../platform/observe/log.js';
import { Meter, type Counter } from '../platform/observe/meter.js';
import type { Outcome } from './payment.rules.js';
import { type PaymentProvider, type ProviderEvent, type WebhookHeaders, WebhookRefused } from './provider.client.js';
import { Providers } from './provider.service.js';
import { RefundService } from './refund.service.js';
import { SettlementService } from './settlement.service.js';
import { WebhookRepository } from './webhook.repository.js';

export type WebhookOutcome = Outcome | 'duplicate' | 'ignored';

/** How long the inbox remembers an event; providers try for days, not weeks. States only climb, so an older one changes nothing either. */
const KEPT_DAYS = 60;
const PAGE = 5000;

@Injectable()
export class WebhookService {
  private readonly received: Counter;

  constructor(
    private readonly db: Database,
    private readonly inbox: WebhookRepository,
    private readonly providers: Providers,
    private readonly settlement: SettlementService,
    private readonly refunds: RefundService,
    private readonly log: Log,
    meter: Meter,
  ) {
    this.received = meter.counter('evently_payment_webhooks_total', 'Webhooks of payment providers, by what they did', 'outcome');
  }

  /** Takes one request of a provider. 404 for a provider we do not have, 400 for what it did not sign; anything else is taken. */
  async receive(name: string, rawBody: Buffer, headers: WebhookHeaders): Promise<WebhookOutcome> {
    const provider = this.providers.find(name);
    if (!provider) throw edgeErrors.notFound();
    const events = verified(provider, rawBody, headers);
    let last: WebhookOutcome = 'ignored';
    for (const event of events) {
      last = await runAs({ principal: { kind: 'system', name: `payments.webhook.${name}` } }, () => this.once(provider, event));
      this.received.add(last);
      if (last === 'unknown' || last === 'mismatch') {
        this.log.warn({ provider: name, event: event.id, type: event.type, outcome: last }, 'A webhook was kept for an operator');
      }
    }
    return last;
  }

  /** Forgets what is long over. */
  async trim(): Promise<void> {
    while ((await this.inbox.trim(KEPT_DAYS, PAGE)) === PAGE);
  }

  /** The inbox row and the effect in one transaction: a crash between them leaves neither. */
  private once(provider: PaymentProvider, event: ProviderEvent): Promise<WebhookOutcome> {
    return this.db.transaction(async () => {
      if (!(await this.inbox.note(provider.name, event))) return 'duplicate';
      if (event.kind === 'other') return 'ignored';
      const outcome = await this.effectOf(event);
      await this.inbox.conclude(provider.name, event, outcome);
      return outcome;
    });
  }

  private async effectOf(event: Exclude<ProviderEvent, { kind: 'other' }>): Promise<Outcome> {
    if (!event.subject) return 'unknown';
    if (event.kind === 'charge') return this.settlement.take(event.subject, event.answer);
    return this.refunds.take(event.subject, event.answer);
  }
}

function verified(provider: PaymentProvider, rawBody: Buffer, headers: WebhookHeaders): ProviderEvent[] {
  try {
    return provider.verifyWebhook(rawBody, headers);
  } catch (e) {
    if (e instanceof WebhookRefused) throw invalid([{ pointer: e.pointer, detail: e.message }]);
    throw e;
  }
}
