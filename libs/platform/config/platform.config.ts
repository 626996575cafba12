// What every process of Evently is told: where Postgres and Redis are, where it listens, whom it trusts.
import { Transform } from 'class-transformer';
import { IsArray, IsIn, IsInt, IsString, IsUrl, Matches, Max, Min, MinLength } from 'class-validator';
import { Env, SecretEnv, toList, toNumber } from './config.reader.js';

export class PlatformConfig {
  @Env('NODE_ENV') @IsIn(['production', 'development', 'test']) nodeEnv = 'development';
  @Env('DATABASE_URL') @IsString() @Matches(/^postgres(ql)?:\/\//) databaseUrl: string;
  @Env('REDIS_URL') @IsString() @Matches(/^rediss?:\/\//) redisUrl: string;
  /** Put before every key and channel in Redis, so that several installations can share one. */
  @Env('REDIS_PREFIX') @Matches(/^[\w.:-]{1,64}$/) redisPrefix = 'evently:';
  @Env('HOST') @IsString() host = '127.0.0.1';
  @Env('PORT') @Transform(toNumber) @IsInt() @Min(0) @Max(65535) port = 3000;
  @Env('WORKER_PORT') @Transform(toNumber) @IsInt() @Min(0) @Max(65535) workerPort = 3001;
  /** How far the worker stands back where cores are short, as nice(1) counts: mails can wait, buyers cannot. */
  @Env('WORKER_NICE') @Transform(toNumber) @IsInt() @Min(0) @Max(19) workerNice = 10;
  /** The address people reach the API by; links in mails start with it. */
  @Env('PUBLIC_URL') @IsUrl({ require_tld: false, require_protocol: true, protocols: ['http', 'https'] }) publicUrl =
    'http://127.0.0.1:3000';
  /** Proxies whose X-Forwarded-For is believed: addresses or CIDRs. */
  @Env('TRUST_PROXY') @Transform(toList) @IsArray() trustProxy: string[] = [];
  @Env('CORS_ORIGINS') @Transform(toList) @IsArray() corsOrigins: string[] = [];
  @Env('LOG_LEVEL') @IsIn(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']) logLevel = 'info';
  /** Connections of one process. Sum over processes must stay below Postgres' max_connections. */
  @Env('DATABASE_POOL') @Transform(toNumber) @IsInt() @Min(2) @Max(500) databasePool = 20;
  /** Bytes of a request body; seat maps have a limit of their own. */
  @Env('BODY_LIMIT') @Transform(toNumber) @IsInt() @Min(1024) bodyLimit = 1_048_576;
  /** Milliseconds between "not ready" and closing the door on SIGTERM, so that a load balancer can look away first. */
  @Env('DRAIN_MS') @Transform(toNumber) @IsInt() @Min(0) @Max(8000) drainMs = 250;
  /** Key of every HMAC (guest tokens, mailed tokens, webhooks to ourselves): each use derives its own. */
  @SecretEnv('HMAC_KEY') @IsString() @MinLength(32) hmacKey: string;
}
