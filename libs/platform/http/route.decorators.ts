// What a route says of itself: which ability it needs, what it answers, whether its replies are kept under an idempotency key.
import { applyDecorators, createParamDecorator, HttpCode, SetMetadata, type ExecutionContext, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtraModels, ApiHeader, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { edgeErrors } from '../../kernel/errors.js';
import { isId } from '../../kernel/ids.js';

export const ABILITY = 'evently:ability';
export const IDEMPOTENT = 'evently:idempotent';
export const PROBLEMS = 'evently:problems';
export const CACHE = 'evently:cache';

export interface RouteAbility {
  action: string;
  subject: string;
  /** Open to callers without a token. */
  open: boolean;
}

/** The ability a route needs. The guard turns away who has no token; the service asks again with the loaded object. */
export const Can = (action: string, subject: string) =>
  SetMetadata<string, RouteAbility>(ABILITY, { action, subject, open: false });

/** The same for a route that anybody may call, token or not. */
export const CanAnyone = (action: string, subject: string) =>
  SetMetadata<string, RouteAbility>(ABILITY, { action, subject, open: true });

/**
 * Replies of this write are kept under its Idempotency-Key.
 * `transaction`: the handler runs inside the transaction that keeps the reply (the rule).
 * `natural`: the handler itself can safely run twice; it calls outside services, so its reply is kept after it.
 * `own`: the handler keeps the verdict itself, in the transaction of its effect (the booking batch).
 */
export type IdempotencyMode = 'transaction' | 'natural' | 'own';
export const Idempotent = (mode: IdempotencyMode = 'transaction') =>
  applyDecorators(
    SetMetadata(IDEMPOTENT, mode),
    ApiHeader({ name: 'Idempotency-Key', required: mode === 'own', schema: { type: 'string', minLength: 1, maxLength: 255 } }),
  );

/** What a route answers when it works: sets the status and documents it. `list` is a page of the type, `array` a plain list. */
export function Answers(status: number, type?: Type | null, shape: 'one' | 'list' | 'array' = 'one'): MethodDecorator {
  if (!type) return applyDecorators(HttpCode(status), ApiResponse({ status }));
  const item = { $ref: getSchemaPath(type) };
  const page = {
    type: 'object',
    required: ['items', 'nextCursor'],
    properties: { items: { type: 'array', items: item }, nextCursor: { type: 'string', nullable: true } },
  };
  const schema = shape === 'list' ? page : shape === 'array' ? { type: 'array', items: item } : item;
  return applyDecorators(HttpCode(status), ApiExtraModels(type), ApiResponse({ status, schema: schema as never }));
}

/** The codes a route may refuse with, for the document; the ones every route has need no naming. */
export const Refuses = (...codes: string[]) => SetMetadata(PROBLEMS, codes);

/** A public read: `Cache-Control: public, max-age`, an ETag of its bytes, 304 when unchanged. */
export const Cacheable = (seconds: number) => SetMetadata(CACHE, seconds);

/** Bytes of the bigger bodies: seat maps and imports. */
export const LARGE_BODY = 32 * 1024 * 1024;

/** A route that takes a bigger body than the rest; more than `bytes` is 413. */
export const LargeBody = (bytes = LARGE_BODY) => RouteConfig({ bodyLimit: bytes });

function idParam(name: string, context: ExecutionContext): string {
  const value = (context.switchToHttp().getRequest<FastifyRequest>().params as Record<string, string>)[name];
  if (!isId(value)) throw edgeErrors.notFound();
  return value;
}

/** A path parameter that is an id of ours; anything else cannot exist: 404. */
export const IdParam = createParamDecorator(idParam);

/** Several of them as one object: `@IdParams({ orgId: 'o', eventId: 'e' }) at: EventPath`. */
export const IdParams = createParamDecorator((names: Record<string, string>, context: ExecutionContext) =>
  Object.fromEntries(Object.entries(names).map(([member, name]) => [member, idParam(name, context)])),
);

/** The version a client read, from If-Match: `"7"`. 428 without, 412 for one that cannot be. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext): number => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined || header === '') throw edgeErrors.ifMatchRequired();
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) throw edgeErrors.staleVersion();
  return Number(version);
});
