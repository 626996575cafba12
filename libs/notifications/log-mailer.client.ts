// The mailer without a server: each mail into a table, and a line in the log by which to find it. For trying Evently out.
import { Log } from '../platform/observe/log.js';
import { Mailer, type Handed, type Mail } from './mailer.client.js';
import { OutboxRepository } from './outbox.repository.js';

export class LogMailer extends Mailer {
  constructor(
    private readonly outbox: OutboxRepository,
    private readonly log: Log,
  ) {
    super();
  }

  async send(mail: Mail): Promise<Handed> {
    await this.outbox.put(mail);
    this.log.info(
      { messageId: mail.messageId, kind: mail.kind },
      'A mail was written to notifications.outbox_mail: npm run mails',
    );
    return { status: 'sent', reason: 'no SMTP_URL: see npm run mails' };
  }
}
