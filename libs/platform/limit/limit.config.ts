// What an operator says about limits: who is exempt, and quotas other than ours.
import { Transform } from 'class-transformer';
import { IsArray, IsOptional, ValidateBy } from 'class-validator';
import ipaddr from 'ipaddr.js';
import { Env, toList } from '../config/config.reader.js';
import { parseOverride } from './limit.rules.js';

const each = (name: string, test: (text: string) => boolean, message: string) =>
  ValidateBy({
    name,
    validator: { validate: (v: unknown) => Array.isArray(v) && v.every((t: string) => test(t)), defaultMessage: () => message },
  });

/** `10.0.0.0/8`, or one address. */
export function parseRange(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  if (ipaddr.isValidCIDR(text)) return ipaddr.parseCIDR(text);
  if (!ipaddr.isValid(text)) return null;
  const address = ipaddr.parse(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

export class LimitConfig {
  /** Addresses that are never refused: offices and load tests behind one address. Absent: loopback, except in production. */
  @Env('RATE_LIMIT_ALLOW')
  @Transform(toList)
  @IsOptional()
  @IsArray()
  @each('ranges', (t) => parseRange(t) !== null, 'must list addresses or CIDRs, such as 10.0.0.0/8,2001:db8::/32')
  allow?: string[];
  @Env('RATE_LIMITS')
  @Transform(toList)
  @IsArray()
  @each(
    'limits',
    (t) => parseOverride(t) !== null,
    'must list name=quota/seconds of known limits, such as address=6000/60; for booking and caller name=quota:programs/seconds too',
  )
  limits: string[] = [];
  @Env('NODE_ENV') nodeEnv = 'development';

  get allowed(): string[] {
    return this.allow ?? (this.nodeEnv === 'production' ? [] : ['127.0.0.0/8', '::1/128']);
  }
}
