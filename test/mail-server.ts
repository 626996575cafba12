// A real SMTP server for specs: keeps what it takes, and refuses, defers, drops or goes away when told to.
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface TakenMail {
  to: string[];
  /** Headers and body as they came. */
  raw: string;
  /** The same with quoted-printable undone, for looking for words. */
  plain: string;
  messageId: string;
}

type Fault = 'none' | 'refuse recipient' | 'defer recipient' | 'refuse sender' | 'refuse mail' | 'drop after mail';

export class MailServer {
  readonly taken: TakenMail[] = [];
  /** How often a mail was begun, taken or not. */
  begun = 0;
  fault: Fault = 'none';
  port = 0;
  private server?: SMTPServer;

  /** Listens; on the port it had before where it was up once. */
  async up(): Promise<this> {
    const server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      authOptional: true,
      closeTimeout: 200,
      onMailFrom: (_address, _session, done) => {
        this.begun++;
        done(this.fault === 'refuse sender' ? reply(550, '5.7.1 not allowed to send') : null);
      },
      // As real servers do, the refusal quotes the address.
      onRcptTo: ({ address }, _session, done) => {
        if (this.fault === 'refuse recipient') return done(reply(550, `5.1.1 <${address}>: no such user`));
        if (this.fault === 'defer recipient') return done(reply(451, `4.7.1 <${address}>: greylisted`));
        return done();
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          if (this.fault === 'refuse mail') return done(reply(554, '5.7.1 looks like spam'));
          const raw = Buffer.concat(chunks).toString('utf8');
          const messageId = /^Message-ID: (\S+)/im.exec(raw)?.[1] ?? '';
          this.taken.push({ to: session.envelope.rcptTo.map((r) => r.address), raw, plain: unquoted(raw), messageId });
          if (this.fault !== 'drop after mail') return done();
          this.fault = 'none';
          for (const each of server.connections) each.close();
        });
      },
    });
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', () => resolve()));
    this.port = (server.server.address() as AddressInfo).port;
    this.server = server;
    return this;
  }

  /** Stops listening and ends every connection. */
  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  mailsTo(address: string): TakenMail[] {
    return this.taken.filter((mail) => mail.to.includes(address));
  }
}

const reply = (responseCode: number, message: string) => Object.assign(new Error(message), { responseCode });

function unquoted(raw: string): string {
  const bytes = raw.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
