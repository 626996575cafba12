// Messages: made when a domain event is heard, listed for the organizer. Sending them is delivery's.
import { Injectable } from '@nestjs/common';
import { BookingPort } from '../booking/booking.port.js';
import type { RecordedEvent } from '../kernel/domain-event.js';
import { newId, isId } from '../kernel/ids.js';
import { decodeCursor, pageOf, type Page, type PageRequest } from '../kernel/pages.js';
import { invalid } from '../kernel/errors.js';
import { Clock } from '../kernel/time.js';
import { Access } from '../platform/access/access.js';
import { JobQueue, type NewJob } from '../platform/queue/job.queue.js';
import { messageView, type MessageView } from './message.dto.js';
import { MessageRepository, type NewMessage } from './message.repository.js';
import { SendMessage } from './notification.jobs.js';
import { aboutOf, audiences, isAboutBooking, isPatient, rulesFor, type About, type Rule } from './notification.rules.js';

/** News older than this is not sent: not by a mail server that comes back, not by a kind of mail added to a store full of history. */
export const TOO_OLD_MS = 5 * 24 * 3600 * 1000;

@Injectable()
export class MessageService {
  constructor(
    private readonly messages: MessageRepository,
    private readonly jobs: JobQueue,
    private readonly bookings: BookingPort,
    private readonly access: Access,
    private readonly clock: Clock,
  ) {}

  /** Makes the messages of domain events, each with the job that sends it, in the consumer's transaction. */
  async hear(events: readonly RecordedEvent[]): Promise<void> {
    const made: NewMessage[] = [];
    const jobs = new Map<string, NewJob>();
    for (const event of events) {
      const { requestId, traceId } = event;
      for (const message of await this.messagesOf(event)) {
        made.push(message);
        const job = SendMessage({ orgId: message.orgId, messageId: message.id });
        jobs.set(message.id, { job, patient: isPatient(message.kind), requestId, traceId });
      }
    }
    if (made.length === 0) return;
    const added = await this.messages.add(made);
    await this.jobs.addAll([...jobs].filter(([id]) => added.has(id)).map(([, job]) => job));
  }

  private async messagesOf(event: RecordedEvent): Promise<NewMessage[]> {
    if (event.recordedAt.getTime() < this.clock.now().getTime() - TOO_OLD_MS) return [];
    const about = aboutOf(event.data);
    const { orgId } = event;
    const cause = `${event.stream}#${event.streamVersion}`;
    const made: NewMessage[] = [];
    for (const [kind, rule] of rulesFor(event.type)) {
      if (!(await this.isWanted(rule, orgId, about))) continue;
      const recipientKey = audiences[rule.audience](about);
      for (const channel of rule.channels) made.push({ orgId, id: newId(orgId), kind, channel, cause, recipientKey, about });
    }
    return made;
  }

  /** What was sent for an organization, newest first. */
  async list(orgId: string, { limit, cursor }: PageRequest): Promise<Page<MessageView>> {
    this.access.demand('read', 'Message', { orgId }, { type: 'Organization', object: { orgId } });
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    if (before !== null && !isId(before)) {
      throw invalid([{ pointer: '/cursor', detail: 'Use the nextCursor of the page before, unchanged.' }]);
    }
    const rows = await this.messages.list(orgId, before, limit + 1);
    return pageOf(rows, limit, (row) => [row.id], messageView);
  }

  private async isWanted(rule: Rule, orgId: string, about: About): Promise<boolean> {
    if (!isAboutBooking(rule) || !rule.when) return true;
    return rule.when(about, async () => (about.bookingId ? this.bookings.forMessage(orgId, about.bookingId) : null));
  }
}
