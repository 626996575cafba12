// All SQL of the webhook inbox.
import { Injectable } from '@nestjs/common';
import { NO_ORG } from '../kernel/ids.js';
import { Database } from '../platform/db/database.js';
import type { Outcome } from './payment.rules.js';
import type { ProviderEvent } from './provider.client.js';

@Injectable()
export class WebhookRepository {
  constructor(private readonly db: Database) {}

  /** Notes an event; false when it was noted before. A second delivery at the same moment waits here for the first. */
  async note(provider: string, event: ProviderEvent): Promise<boolean> {
    const rows = await this.db.prepared(
      'webhook-note',
      `INSERT INTO payments.webhook_event (org_id, provider, event_id, type, outcome, data) VALUES ($1, $2, $3, $4, 'ignored', $5)
       ON CONFLICT DO NOTHING RETURNING 1`,
      [orgOf(event), provider, event.id, event.type, JSON.stringify(event.data)],
    );
    return rows.length > 0;
  }

  /** Forgets, a page at a time, what came long after any provider would bring it again. What an operator must look at stays. */
  async trim(days: number, page: number): Promise<number> {
    return this.db.execute(
      `DELETE FROM payments.webhook_event WHERE ctid IN (SELECT ctid FROM payments.webhook_event
         WHERE outcome NOT IN ('unknown', 'mismatch') AND received_at < platform.now() - $1 * interval '1 day'
         LIMIT $2 FOR UPDATE SKIP LOCKED)`,
      [days, page],
    );
  }

  async conclude(provider: string, event: ProviderEvent, outcome: Outcome): Promise<void> {
    await this.db.prepared(
      'webhook-conclude',
      `UPDATE payments.webhook_event SET outcome = $4 WHERE org_id = $1 AND provider = $2 AND event_id = $3`,
      [orgOf(event), provider, event.id, outcome],
    );
  }
}

/** The organization an event names; the nil UUID where it names none. */
const orgOf = (event: ProviderEvent): string => event.subject?.orgId ?? NO_ORG;
