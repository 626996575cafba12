// What the SMTP mailer makes of a server's answers, and that no address gets into what we keep of them.
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MailServer } from '../../test/mail-server.js';
import { ConfigError, checkEnvironment } from '../platform/config/config.reader.js';
import type { Log } from '../platform/observe/log.js';
import { MailConfig } from './mail.config.js';
import { MailerAway, MailRefused, type Mail } from './mailer.client.js';
import { SmtpMailer } from './smtp-mailer.client.js';

const said: string[] = [];
const log = {
  info: (_: object, text: string) => void said.push(text),
  warn: (fields: object, text: string) => void said.push(`${JSON.stringify(fields)} ${text}`),
} as unknown as Log;

const mail = (given: Partial<Mail> = {}): Mail => ({
  orgId: '00000000-0000-0000-0000-000000000000',
  messageId: '0197a1b2-0000-7000-8000-000000000001',
  kind: 'booking_confirmed',
  to: { address: 'ada@example.org', name: 'Ada, "Countess" <of> Löve' },
  subject: 'Ihre Tickets: Früh & spät',
  text: 'Guten Tag',
  html: '<p>Guten Tag</p>',
  writtenAt: new Date('2027-01-02T03:04:05Z'),
  attachments: [],
  ...given,
});

describe('the SMTP mailer', () => {
  let server: MailServer;
  let mailer: SmtpMailer;
  beforeEach(async () => {
    said.length = 0;
    server = await new MailServer().up();
    mailer = new SmtpMailer({ smtpUrl: server.url, mailFrom: 'Evently <tickets@evently.example>' }, log);
  });
  afterEach(async () => {
    mailer.onApplicationShutdown();
    await server.down();
  });

  it('hands a mail over whole, under an id made from the message', async () => {
    const content = async () => Buffer.from('%PDF-1.7 tickets');
    const attachments = [{ filename: 'tickets.pdf', contentType: 'application/pdf', content }];
    expect(await mailer.send(mail({ attachments }))).toEqual({ status: 'sent', reason: null });
    const [taken] = server.taken;
    expect(taken.to).toEqual(['ada@example.org']);
    expect(taken.messageId).toBe('<0197a1b2-0000-7000-8000-000000000001@evently.example>');
    expect(taken.raw).toMatch(/^From: Evently <tickets@evently\.example>/m);
    expect(taken.raw).toMatch(/^Date: Sat, 02 Jan 2027 03:04:05 \+0000/m);
    expect(taken.raw).toMatch(/^Auto-Submitted: auto-generated/m);
    expect(taken.raw).toContain(Buffer.from('%PDF-1.7 tickets').toString('base64'));
    expect(taken.raw).toContain('filename=tickets.pdf');
  });

  it('says that an address is refused for good, without repeating it', async () => {
    server.fault = 'refuse recipient';
    const refusal = await mailer.send(mail()).catch((e: unknown) => e);
    expect(refusal).toBeInstanceOf(MailRefused);
    expect(refusal).toMatchObject({ status: 'bounced', reason: 'recipient_refused 550 5.1.1' });
  });

  it('says that a mail is refused for good', async () => {
    server.fault = 'refuse mail';
    await expect(mailer.send(mail())).rejects.toMatchObject({ status: 'failed', reason: 'mail_refused 554 5.7.1' });
  });

  it.each(['defer recipient', 'refuse sender', 'drop after mail'] as const)('will be tried again: %s', async (fault) => {
    server.fault = fault;
    const away = await mailer.send(mail()).catch((e: unknown) => e);
    expect(away).toBeInstanceOf(MailerAway);
    expect(`${(away as Error).message}${said.join('')}`).not.toContain('ada@');
    server.fault = 'none';
    await mailer.send(mail());
    expect(server.taken.at(-1)!.messageId).toBe('<0197a1b2-0000-7000-8000-000000000001@evently.example>');
  });

  it('says once that the server is away, and once that it is back', async () => {
    await server.down();
    for (let n = 0; n < 3; n++) await expect(mailer.send(mail())).rejects.toBeInstanceOf(MailerAway);
    await server.up();
    await mailer.send(mail());
    expect(said.map((line) => line.replace(/^\{.*\} /, ''))).toEqual([
      'The mail server takes no mail; what is queued will be tried again',
      'The mail server takes mail again',
    ]);
  });

  it('refuses an address that no server could take as one that bounced', async () => {
    await expect(mailer.send(mail({ to: { address: 'ada@@ex ample', name: null } }))).rejects.toMatchObject({
      status: 'bounced',
    });
  });
});

describe('the mail configuration', () => {
  const problems = (given: object) => validateSync(plainToInstance(MailConfig, given)).map((p) => p.property);

  it('needs nothing, but a sender with a server', () => {
    expect(problems({})).toEqual([]);
    expect(problems({ smtpUrl: 'smtp://127.0.0.1:25', mailFrom: 'Evently <tickets@example.org>' })).toEqual([]);
    expect(problems({ smtpUrl: 'smtps://u:p@mail.example.org:465/?pool=true', mailFrom: 'tickets@localhost' })).toEqual([]);
    expect(problems({ smtpUrl: 'smtp://127.0.0.1:25' })).toEqual(['mailFrom']);
    expect(problems({ smtpUrl: 'http://127.0.0.1:25', mailFrom: 'a@example.org' })).toEqual(['smtpUrl']);
    expect(problems({ smtpUrl: 'smtp://', mailFrom: 'a@example.org' })).toEqual(['smtpUrl']);
    expect(problems({ mailFrom: 'nobody' })).toEqual(['mailFrom']);
  });

  it('stops a start with the name of what is wrong', () => {
    const thrown = (() => {
      try {
        checkEnvironment({ SMTP_URL: 'smtp://127.0.0.1', DATABASE_URL: 'postgres://x', REDIS_URL: 'redis://x' });
      } catch (e) {
        return e;
      }
    })();
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as ConfigError).problems.join('\n')).toMatch(/^MAIL_FROM: /m);
  });
});
