// The test provider's webhooks: planned in its books, brought by jobs over real HTTP until they are answered, signed anew each time.
import { Injectable } from '@nestjs/common';
import { isId, newId } from '../kernel/ids.js';
import { isAmount, isCurrency } from '../kernel/money.js';
import { Clock } from '../kernel/time.js';
import { PlatformConfig } from '../platform/config/platform.config.js';
import { JobQueue } from '../platform/queue/job.queue.js';
import { PaymentsConfig } from './payments.config.js';
import { DeliverTestWebhook } from './payments.jobs.js';
import { type ProviderEvent, type WebhookHeaders, WebhookRefused } from './provider.client.js';
import { type TestCharge, TestProviderRepository, type TestRefund } from './test-provider.repository.js';
import { SIGNATURE_HEADER, signatureFault, signWebhook, type TestNews } from './test-provider.rules.js';

/** What a webhook's body holds. `merchant` and `reference` are what the merchant told when it asked: organization, payment or refund. */
interface TestEvent {
  id: string;
  type: string;
  createdAt: string;
  data: {
    object: string;
    id: string;
    merchant: string;
    reference: string;
    amount: number;
    currency: string;
    code: string | null;
  };
}

/** How long one delivery may take. */
const DELIVERY_MS = 10_000;
/** How long a body is kept: its deliveries are over within hours. */
const KEPT_DAYS = 7;
const PAGE = 5000;

@Injectable()
export class TestWebhooks {
  constructor(
    private readonly books: TestProviderRepository,
    private readonly jobs: JobQueue,
    private readonly clock: Clock,
    private readonly config: PaymentsConfig,
    private readonly platform: PlatformConfig,
  ) {}

  /** Writes the news of a charge or refund and their deliveries, in the transaction of what they tell. */
  async plan(object: 'charge' | 'refund', entry: TestCharge | TestRefund, news: readonly TestNews[]): Promise<void> {
    const { orgId, id, reference, amount, currency } = entry;
    for (const { word, afterMs, times = 1 } of news) {
      const code = word === 'declined' || word === 'failed' ? entry.code : null;
      const data = { object, id, merchant: orgId, reference, amount, currency, code };
      const createdAt = new Date(entry.createdAt.getTime() + afterMs).toISOString();
      const event: TestEvent = { id: newId(orgId), type: `${object}.${word}`, createdAt, data };
      await this.books.addWebhook(orgId, event.id, JSON.stringify(event));
      for (let n = 0; n < times; n++) {
        await this.jobs.add(DeliverTestWebhook({ orgId, webhookId: event.id }), { delayMs: afterMs });
      }
    }
  }

  /** One delivery; throws when it was not answered 2xx in time, so that its job tries again. */
  async deliver(orgId: string, webhookId: string): Promise<void> {
    const body = await this.books.webhookBody(orgId, webhookId);
    if (body === null) return;
    const response = await fetch(`${this.platform.publicUrl.replace(/\/+$/, '')}/v1/payments/webhooks/test`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [SIGNATURE_HEADER]: signWebhook(this.config.testWebhookSecret, body, this.clock.now()),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(DELIVERY_MS),
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The webhook ${webhookId} was answered ${response.status}.`);
  }

  /** Forgets what is long delivered. */
  async trim(): Promise<void> {
    while ((await this.books.trimWebhooks(KEPT_DAYS, PAGE)) === PAGE);
  }

  /** Believes a webhook by its signature, and puts it in our words. */
  read(rawBody: Buffer, headers: WebhookHeaders): ProviderEvent {
    const fault = signatureFault(this.config.testWebhookSecret, rawBody, headers[SIGNATURE_HEADER], this.clock.now());
    if (fault) throw new WebhookRefused(`/headers/${SIGNATURE_HEADER}`, fault);
    const { id, type, data } = parse(rawBody);
    const { merchant, reference, amount, currency, code } = data;
    const about = { id, type, data: { ...data } };
    const ours = isId(merchant) && isId(reference);
    const money = { amount, currency, code };
    switch (type) {
      case 'charge.processing':
      case 'charge.succeeded':
      case 'charge.declined': {
        const status = type.slice('charge.'.length) as 'processing' | 'succeeded' | 'declined';
        const subject = ours ? { orgId: merchant, paymentId: reference } : null;
        return { ...about, kind: 'charge', subject, answer: { status, chargeId: data.id, ...money } };
      }
      case 'refund.processing':
      case 'refund.succeeded':
      case 'refund.failed': {
        const status = type.slice('refund.'.length) as 'processing' | 'succeeded' | 'failed';
        const subject = ours ? { orgId: merchant, refundId: reference } : null;
        return { ...about, kind: 'refund', subject, answer: { status, ...money } };
      }
      default:
        return { ...about, kind: 'other', subject: ours ? { orgId: merchant } : null };
    }
  }
}

/** The signed body, checked all the same: signed nonsense must not become a 500. */
function parse(rawBody: Buffer): TestEvent {
  let event: Partial<TestEvent> | null = null;
  try {
    event = JSON.parse(rawBody.toString('utf8')) as Partial<TestEvent> | null;
  } catch {
    // Refused below.
  }
  const text = (v: unknown): v is string => typeof v === 'string' && v.length >= 1 && v.length <= 200 && !v.includes('\0');
  const data = event?.data as Partial<TestEvent['data']> | undefined;
  const right =
    text(event?.id) &&
    text(event.type) &&
    data !== null &&
    typeof data === 'object' &&
    [data.id, data.merchant, data.reference].every(text) &&
    isAmount(data.amount) &&
    isCurrency(data.currency) &&
    (data.code === null || text(data.code));
  if (!right) throw new WebhookRefused('', 'The body is no event of the test provider.');
  const { object, id, merchant, reference, amount, currency, code } = data as TestEvent['data'];
  const kept = { object: text(object) ? object : '', id, merchant, reference, amount, currency, code };
  return { id: event?.id as string, type: event?.type as string, createdAt: String(event?.createdAt), data: kept };
}
