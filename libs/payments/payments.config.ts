// What payments is told by the environment: the secret that the test provider signs its webhooks with.
import { IsString, MinLength } from 'class-validator';
import { SecretEnv } from '../platform/config/config.reader.js';

export class PaymentsConfig {
  @SecretEnv('PAYMENTS_TEST_WEBHOOK_SECRET') @IsString() @MinLength(32) testWebhookSecret: string;
}
