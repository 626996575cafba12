// Mail as Nest sees it: the mailer that the environment asks for.
import { Module, type Provider } from '@nestjs/common';
import { provideConfig } from '../platform/config/config.reader.js';
import { Log } from '../platform/observe/log.js';
import { LogMailer } from './log-mailer.client.js';
import { MailConfig } from './mail.config.js';
import { Mailer } from './mailer.client.js';
import { OutboxRepository } from './outbox.repository.js';
import { SmtpMailer } from './smtp-mailer.client.js';

const mailer: Provider<Mailer> = {
  provide: Mailer,
  inject: [MailConfig, OutboxRepository, Log],
  useFactory: (config: MailConfig, outbox: OutboxRepository, log: Log) =>
    config.smtpUrl ? new SmtpMailer(config, log) : new LogMailer(outbox, log),
};

@Module({ providers: [provideConfig(MailConfig), OutboxRepository, mailer], exports: [Mailer, OutboxRepository] })
export class MailModule {}
