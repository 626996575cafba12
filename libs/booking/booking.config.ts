// Booking's settings: how many wait for a decision, how many are decided together, and for how long anybody waits.
import { Transform } from 'class-transformer';
import { IsInt, IsString, Max, Min } from 'class-validator';
import { Env, SecretEnv, toNumber } from '../platform/config/config.reader.js';

export class BookingConfig {
  /** Requests decided by one commit. */
  @Env('BOOKING_MAX_BATCH') @Transform(toNumber) @IsInt() @Min(1) @Max(1000) maxBatch = 256;
  /** Requests that may wait for a decision; more are refused at once with `overloaded`. */
  @Env('BOOKING_MAX_WAITING') @Transform(toNumber) @IsInt() @Min(1) @Max(100_000) maxWaiting = 5000;
  /** Milliseconds a new request may expect to wait, by what the lane has measured; who would wait longer is refused at once. */
  @Env('BOOKING_PATIENCE_MS') @Transform(toNumber) @IsInt() @Min(50) @Max(60_000) patienceMs = 3000;
  /** Milliseconds a request waits for its turn. */
  @Env('BOOKING_DEADLINE_MS') @Transform(toNumber) @IsInt() @Min(100) @Max(60_000) deadlineMs = 10_000;
  /** The Ed25519 keys that sign tickets: a private JWK set, newest first. */
  @SecretEnv('TICKET_KEYS') @IsString() ticketKeys: string;
}
