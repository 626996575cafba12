// The SMTP mailer: a few kept connections to the server of SMTP_URL, a deadline on each mail, and its answers told apart.
import type { OnApplicationShutdown } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { Log } from '../platform/observe/log.js';
import type { MailConfig } from './mail.config.js';
import { MailerAway, MailRefused, Mailer, type Handed, type Mail } from './mailer.client.js';

/** Well within the lease of the job (notification.jobs.ts), so that no second worker starts while the first still sends. */
const DEADLINE_MS = 60_000;

interface SmtpError {
  code?: string;
  command?: string;
  responseCode?: number;
  response?: string;
  permanent?: boolean;
}

export class SmtpMailer extends Mailer implements OnApplicationShutdown {
  private readonly from: string;
  private readonly transport: ReturnType<typeof connect>;
  private away = false;

  constructor(
    config: MailConfig,
    private readonly log: Log,
  ) {
    super();
    this.from = config.mailFrom!;
    this.transport = connect(config.smtpUrl!);
  }

  async send(mail: Mail): Promise<Handed> {
    const attachments = await Promise.all(
      mail.attachments.map(async ({ content, ...about }) => ({ ...about, content: await content() })),
    );
    try {
      await this.transport.sendMail({
        from: this.from,
        to: { name: mail.to.name ?? '', address: mail.to.address },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        attachments,
        date: mail.writtenAt,
        messageId: messageIdOf(mail, this.from),
        headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: no out-of-office replies.
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
    } catch (e) {
      throw this.judge(e as SmtpError);
    }
    if (this.away) this.log.info({}, 'The mail server takes mail again');
    this.away = false;
    return { status: 'sent', reason: null };
  }

  /** A 5xx about the recipient or the text is final; about the sender or our login it is ours to mend, so the mail waits. */
  private judge(e: SmtpError): MailRefused | MailerAway {
    const final = e.permanent === true || (e.code === 'EENVELOPE' && e.responseCode === undefined);
    if (final && (e.command === 'RCPT TO' || e.command === 'API'))
      return new MailRefused('bounced', `recipient_refused${codesOf(e)}`);
    if (final && e.command === 'DATA') return new MailRefused('failed', `mail_refused${codesOf(e)}`);
    const reason = `${e.code ?? 'error'}${e.command ? ` at ${e.command}` : ''}${codesOf(e)}`;
    if (!this.away) this.log.warn({ reason }, 'The mail server takes no mail; what is queued will be tried again');
    this.away = true;
    return new MailerAway(reason);
  }

  onApplicationShutdown(): void {
    this.transport.close();
  }
}

const connect = (url: string) =>
  createTransport({
    url,
    pool: true,
    maxConnections: 5,
    maxMessages: 100,
    maxRequeues: 0, // Our own jobs try again, with back-off that survives a restart.
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

/** The same for every try of a message, so that a mail that came twice can be told (RFC 5322, 3.6.4). */
export const messageIdOf = (mail: Mail, from: string): string =>
  `<${mail.messageId}@${from.slice(from.lastIndexOf('@') + 1).replace(/>\s*$/, '')}>`;

/** ` 550 5.1.1`: reply code and enhanced status code (RFC 3463), without the server's words. */
function codesOf(e: SmtpError): string {
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(e.response ?? '')?.[1];
  return [e.responseCode, enhanced].filter(Boolean).map((c) => ` ${c}`).join(''); // prettier-ignore
}
