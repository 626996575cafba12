// Mailer: what hands a mail over. Sending twice is possible (at least once); the Message-ID, made from the message's id, tells doubles.

export interface Mail {
  orgId: string;
  /** Of the notifications.message it carries. */
  messageId: string;
  kind: string;
  to: { address: string; name: string | null };
  subject: string;
  text: string;
  html: string;
  writtenAt: Date;
  attachments: Attachment[];
}

export interface Attachment {
  filename: string;
  contentType: string;
  /** Made only when a server really takes the mail. */
  content(): Promise<Buffer>;
}

export interface Handed {
  status: 'sent';
  /** What an operator should know of it; null when a mail server took it. */
  reason: string | null;
}

/** The mail will not be taken, however often it is tried. `bounced`: that address; `failed`: the mail itself. */
export class MailRefused extends Error {
  constructor(
    readonly status: 'bounced' | 'failed',
    /** Codes only: what servers answer often quotes the address. */
    readonly reason: string,
  ) {
    super(reason);
    this.name = 'MailRefused';
  }
}

/** The server is away, busy, or refuses us altogether: try again later. Holds codes only, because jobs keep the text. */
export class MailerAway extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'MailerAway';
  }
}

export abstract class Mailer {
  /** Hands one mail to one recipient over; throws MailRefused (final) or MailerAway (try again). */
  abstract send(mail: Mail): Promise<Handed>;
}
