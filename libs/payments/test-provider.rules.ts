// Test provider rules: what each test card does, and how its webhooks are signed. Pure.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A webhook to send: what it says, when. One that comes twice is one event delivered twice. */
export interface TestNews {
  word: string;
  afterMs: number;
  times?: number;
}

/** What becomes of a charge or refund, and when, in milliseconds after it was asked for; 0 is in the answer itself. */
interface Fate {
  outcome: 'succeeded' | 'declined' | 'failed';
  code?: string;
  settlesMs: number;
  webhooks: readonly TestNews[];
}

export interface TestCard {
  charge: Fate & { outcome: 'succeeded' | 'declined' };
  refund: Fate & { outcome: 'succeeded' | 'failed' };
}

const paidBack: TestCard['refund'] = { outcome: 'succeeded', settlesMs: 0, webhooks: [{ word: 'succeeded', afterMs: 0 }] };
const pays: TestCard['charge'] = { outcome: 'succeeded', settlesMs: 0, webhooks: [{ word: 'succeeded', afterMs: 0 }] };

/** By the last four of a card number's 16 digits. */
const cards: Readonly<Record<string, TestCard>> = {
  /** Pays at once. */
  '4242': { charge: pays, refund: paidBack },
  /** Declines at once. */
  '0002': {
    charge: { outcome: 'declined', code: 'card_declined', settlesMs: 0, webhooks: [{ word: 'declined', afterMs: 0 }] },
    refund: paidBack,
  },
  /** Processing; succeeds late. */
  '0341': {
    charge: { outcome: 'succeeded', settlesMs: 2400, webhooks: [{ word: 'succeeded', afterMs: 2500 }] },
    refund: paidBack,
  },
  /** Processing; the webhook comes twice. */
  '0119': {
    charge: {
      outcome: 'succeeded',
      settlesMs: 300,
      webhooks: [
        { word: 'processing', afterMs: 0 },
        { word: 'succeeded', afterMs: 400, times: 2 },
      ],
    },
    refund: paidBack,
  },
  /** Processing; `succeeded` comes before `processing` and `created`. */
  '0259': {
    charge: {
      outcome: 'succeeded',
      settlesMs: 200,
      webhooks: [
        { word: 'succeeded', afterMs: 300 },
        { word: 'processing', afterMs: 1200 },
        { word: 'created', afterMs: 1600 },
      ],
    },
    refund: paidBack,
  },
  /** Processing; declines late. */
  '0127': {
    charge: { outcome: 'declined', code: 'card_declined', settlesMs: 700, webhooks: [{ word: 'declined', afterMs: 800 }] },
    refund: paidBack,
  },
  /** Pays at once; its refunds fail. */
  '5126': {
    charge: pays,
    refund: { outcome: 'failed', code: 'account_closed', settlesMs: 0, webhooks: [{ word: 'failed', afterMs: 0 }] },
  },
  /** Pays at once; its refunds take a while. */
  '7726': { charge: pays, refund: { outcome: 'succeeded', settlesMs: 700, webhooks: [{ word: 'succeeded', afterMs: 800 }] } },
};

/** The card of a number; null unless it is 16 digits of which the last four are a test card's. */
export function testCard(number: unknown): { last4: string; card: TestCard } | null {
  if (typeof number !== 'string' || !/^\d{16}$/.test(number)) return null;
  const last4 = number.slice(-4);
  const card = cards[last4];
  return card ? { last4, card } : null;
}

/** The card behind the last four of a charge made before. */
export const testCardByLast4 = (last4: string): TestCard | undefined => cards[last4];

export const testCardEndings = (): string[] => Object.keys(cards).sort();

export const SIGNATURE_HEADER = 'evently-test-signature';
/** How old a signature may be: older ones are replays. */
const TOLERANCE_SECONDS = 300;

const hmac = (secret: string, seconds: number, body: Buffer | string) =>
  createHmac('sha256', secret).update(`${seconds}.`).update(body).digest();

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`. */
export function signWebhook(secret: string, body: string, now: Date): string {
  const seconds = Math.floor(now.getTime() / 1000);
  return `t=${seconds},v1=${hmac(secret, seconds, body).toString('hex')}`;
}

/** What is wrong with a signature; null when it is right. Several `v1` may be given: one right is enough. */
export function signatureFault(secret: string, body: Buffer, header: unknown, now: Date): string | null {
  if (typeof header !== 'string' || header.length > 1000) return 'The webhook is not signed.';
  const parts = header.split(',').map((part) => part.trim().split('=', 2));
  const stamp = parts.find(([name]) => name === 't')?.[1] ?? '';
  const seals = parts.filter(([name, value]) => name === 'v1' && /^[0-9a-f]{64}$/.test(value ?? '')).map(([, value]) => value);
  if (!/^\d{1,12}$/.test(stamp) || seals.length === 0) return 'Sign as t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">.';
  const right = hmac(secret, Number(stamp), body);
  if (!seals.some((seal) => timingSafeEqual(Buffer.from(seal, 'hex'), right))) return 'The signature is not of this body.';
  if (Math.abs(now.getTime() / 1000 - Number(stamp)) > TOLERANCE_SECONDS)
    return 'The signature is too old: sign each delivery anew.';
  return null;
}
