// Delivery: sends one message, and writes down how that ended. Final refusals end it, everything else is tried again by its job.
import { Injectable } from '@nestjs/common';
import { Clock } from '../kernel/time.js';
import { Meter, type Counter } from '../platform/observe/meter.js';
import { LetterService } from './letter.service.js';
import { Mailer, MailRefused } from './mailer.client.js';
import { MessageRepository, type Message, type Outcome } from './message.repository.js';
import { TOO_OLD_MS } from './message.service.js';
import { OutboxRepository } from './outbox.repository.js';

@Injectable()
export class DeliveryService {
  private readonly outcomes: Counter;

  constructor(
    private readonly messages: MessageRepository,
    private readonly outbox: OutboxRepository,
    private readonly letters: LetterService,
    private readonly mailer: Mailer,
    private readonly clock: Clock,
    meter: Meter,
  ) {
    this.outcomes = meter.counter('evently_messages_total', 'Tries to send a message, by how they ended.', 'outcome');
  }

  /** Sends a queued message; does nothing for one that has ended. Throws where it shall be tried again. */
  async send(orgId: string, messageId: string): Promise<void> {
    const message = await this.messages.find({ orgId, id: messageId });
    if (message?.status !== 'queued') return;
    const outcome = await this.attempt(message);
    await this.messages.settle({ orgId, id: messageId, ...outcome });
    this.outcomes.add(outcome.status);
  }

  /** Removes what the outbox table need not keep. */
  async trim(): Promise<void> {
    await this.outbox.trim();
  }

  private async attempt(message: Message): Promise<Outcome> {
    try {
      return await this.mail(message);
    } catch (e) {
      const age = this.clock.now().getTime() - message.createdAt.getTime();
      if (age < TOO_OLD_MS) {
        this.outcomes.add('again');
        throw e;
      }
      return { status: 'failed', reason: 'gave_up' };
    }
  }

  private async mail(message: Message): Promise<Outcome> {
    const written = await this.letters.write(message);
    if (!written) return { status: 'failed', reason: 'no_longer_wanted' };
    const { to, letter, attachments } = written;
    const { orgId, id, kind, createdAt } = message;
    const sent = { locale: letter.locale, recipient: to.email };
    const { subject, text, html } = letter;
    try {
      const handed = await this.mailer.send({
        orgId,
        messageId: id,
        kind,
        to: { address: to.email, name: to.name },
        subject,
        text,
        html,
        writtenAt: createdAt,
        attachments,
      });
      return { ...sent, ...handed };
    } catch (e) {
      if (e instanceof MailRefused) return { ...sent, status: e.status, reason: e.reason };
      throw e;
    }
  }
}
