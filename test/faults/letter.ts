// Letters: a write sent under one key until it is answered, some of them more than once. Whatever comes back for a key must be its first answer.
import { setTimeout as pause } from 'node:timers/promises';
import { type BookingBody, unique } from '../buyer.js';
import { callAt, type Reply } from '../harness.js';
import type { Installation } from './installation.js';
import { dice } from './seed.js';

/** When a letter is sent again: beside the first, after its answer, when the buyer is through, or because he hung up before the answer. */
export const twice = ['beside', 'after', 'late', 'lost'] as const;
export type Twice = (typeof twice)[number];

const TRY_MS = 8000;
const GIVE_UP_MS = 90_000;
const LONGEST_PAUSE_MS = 800;
/** Replies that ask to come again with the same key. */
const comeAgain = (r: Reply<BookingBody>) => r.status === 503 || r.status === 429 || r.body?.code === 'busy';

export interface Letter {
  path: string;
  body: unknown;
  token?: string;
  /** Statuses that may be the answer. */
  fine: number[];
  twice?: Twice;
  /** Where he hangs up: how long he waits before. */
  patienceMs?: number;
}

export class Post {
  /** What no fault may bring about, each once. */
  readonly odd = new Set<string>();
  readonly count = { tries: 0, answers: 0, replays: 0 };
  private readonly draw = dice('post');

  constructor(private readonly evently: Pick<Installation, 'apis'>) {}

  /** The answer, once there is one; null (and something odd) when there is none. What is to be sent again later goes to `late`. */
  async send(letter: Letter, late: (() => Promise<unknown>)[] = []): Promise<Reply<BookingBody> | null> {
    const written = new Written(letter, unique('key'));
    if (letter.twice === 'lost') await this.ask(written, letter.patienceMs!);
    const beside = letter.twice === 'beside' ? this.insist(written) : null;
    const reply = await this.insist(written);
    await beside;
    if (letter.twice === 'after') await this.insist(written);
    if (letter.twice === 'late') late.push(() => this.insist(written));
    return reply;
  }

  /** Asks until there is an answer, always under the same key, of whichever api. */
  private async insist(written: Written): Promise<Reply<BookingBody> | null> {
    const end = Date.now() + GIVE_UP_MS;
    for (let spread = 100; ; spread = Math.min(spread * 2, LONGEST_PAUSE_MS)) {
      const reply = await this.ask(written, TRY_MS);
      if (reply && !comeAgain(reply)) return reply;
      if (Date.now() > end) {
        this.odd.add(`${written.what}: no answer within ${GIVE_UP_MS} ms, at last ${reply?.text ?? 'no connection'}`);
        return null;
      }
      await pause(this.draw.between(30, spread + 30));
    }
  }

  /** Once; null where nothing came back in time. */
  private async ask(written: Written, patienceMs: number): Promise<Reply<BookingBody> | null> {
    const { letter, key } = written;
    const { url } = this.draw.pick(this.evently.apis);
    this.count.tries += 1;
    const options = { body: letter.body, key, token: letter.token, signal: AbortSignal.timeout(patienceMs) };
    const reply = await callAt<BookingBody>(url, 'POST', letter.path, options).catch(() => null);
    if (!reply || comeAgain(reply)) return reply;
    this.count.answers += 1;
    if (reply.headers.has('idempotent-replayed')) this.count.replays += 1;
    for (const odd of written.answered(reply)) this.odd.add(odd);
    return reply;
  }
}

/** A letter under its key, and what was answered to it. */
class Written {
  private first?: string;
  private fresh = 0;

  constructor(
    readonly letter: Letter,
    readonly key: string,
  ) {}

  get what(): string {
    return this.letter.path.split('/').at(-1)!;
  }

  /** What is odd about this answer. */
  answered(reply: Reply<BookingBody>): string[] {
    const odd: string[] = [];
    const whole = `${reply.status} ${reply.headers.get('content-type')} ${reply.headers.get('etag')} ${reply.text}`;
    this.first ??= whole;
    if (!this.letter.fine.includes(reply.status)) odd.push(`${this.what}: ${whole.slice(0, 400)}`);
    if (whole !== this.first) odd.push(`${this.what}, ${this.key}: answered ${whole}, and before that ${this.first}`);
    if (!reply.headers.has('idempotent-replayed') && ++this.fresh > 1)
      odd.push(`${this.what}, ${this.key}: decided ${this.fresh} times, at last ${whole}`);
    return odd;
  }
}
