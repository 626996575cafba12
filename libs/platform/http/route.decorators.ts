// What a route says of itself: which ability it needs, what it answers, whether its replies are kept under an idempotency key.
import { applyDecorators, createParamDecorator, HttpCode, SetMetadata, type ExecutionContext, type Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtraModels, ApiHeader, ApiParam, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { edgeErrors } from '../../kernel/errors.js';
import { isId } from '../../kernel/ids.js';

export const ABILITY = 'evently:ability';
export const IDEMPOTENT = 'evently:idempotent';
export const PROBLEMS = 'evently:problems';
export const CACHE = 'evently:cache';
/** The route takes an If-Match. */
export const GUARDED = 'evently:guarded';

export interface RouteAbility {
  action: string;
  subject: string;
  /** Open to callers without a token. */
  open: boolean;
}

/** Every handler that said its ability, by `Controller.method`: what the OpenAPI document looks a route's facts up by. */
export const routeHandlers = new Map<string, object>();

const ability = (of: RouteAbility): MethodDecorator =>
  applyDecorators(
    SetMetadata<string, RouteAbility>(ABILITY, of),
    (target: object, method: string | symbol, d: PropertyDescriptor) =>
      void routeHandlers.set(`${target.constructor.name}.${String(method)}`, d.value as object),
  );

/** The ability a route needs. The guard turns away who has no token; the service asks again with the loaded object. */
export const Can = (action: string, subject: string) => ability({ action, subject, open: false });

/** The same for a route that anybody may call, token or not. */
export const CanAnyone = (action: string, subject: string) => ability({ action, subject, open: true });

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
    ApiHeader({
      name: 'Idempotency-Key',
      required: mode === 'own',
      schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]*[\\x21-\\x7e][\\x20-\\x7e]*$' },
    }),
  );

/** The route heeds how long its client waits (`Prefer: wait=5`): it refuses with `overloaded`, before any work, what it could only answer later. */
export const HeedsWait = () =>
  ApiHeader({
    name: 'Prefer',
    required: false,
    description: 'How long you wait, in seconds (RFC 7240): what cannot be decided by then is refused with `overloaded`',
    schema: { type: 'string', pattern: '^wait=[0-9]{1,5}$', example: 'wait=5' },
  });

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

/** What a route answers that is no JSON: the media types it may have. */
export const AnswersFile = (...types: string[]): MethodDecorator =>
  applyDecorators(
    HttpCode(200),
    ApiResponse({
      status: 200,
      content: Object.fromEntries(types.map((t) => [t, { schema: { type: 'string', format: 'binary' } }])),
    }),
  );

/** The codes a route may refuse with, for the document; the ones every route has need no naming. */
export const Refuses = (...codes: string[]) => SetMetadata(PROBLEMS, codes);

/** A public read: `Cache-Control: public, max-age`, an ETag of its bytes, 304 when unchanged. */
export const Cacheable = (seconds: number) => SetMetadata(CACHE, seconds);

/** Bytes of the bigger bodies: seat maps and imports. */
export const LARGE_BODY = 32 * 1024 * 1024;

/** A route that takes a bigger body than the rest; more than `bytes` is 413. */
export const LargeBody = (bytes = LARGE_BODY) => RouteConfig({ bodyLimit: bytes });

function readId(name: string, context: ExecutionContext): string {
  const value = (context.switchToHttp().getRequest<FastifyRequest>().params as Record<string, string>)[name];
  if (!isId(value)) throw edgeErrors.notFound();
  return value;
}

const idParam = createParamDecorator(readId);
const idParams = createParamDecorator((names: Record<string, string>, context: ExecutionContext) =>
  Object.fromEntries(Object.entries(names).map(([member, name]) => [member, readId(name, context)])),
);
const asId = (name: string) => ApiParam({ name, schema: { type: 'string', format: 'uuid' } });

/** A path parameter that is an id of ours; anything else cannot exist: 404. */
export const IdParam =
  (name: string): ParameterDecorator =>
  (target, method, index) => {
    idParam(name)(target, method, index);
    onMethod(asId(name), target, method);
  };

/** Several of them as one object: `@IdParams({ orgId: 'o', eventId: 'e' }) at: EventPath`. */
export const IdParams =
  (names: Record<string, string>): ParameterDecorator =>
  (target, method, index) => {
    idParams(names)(target, method, index);
    for (const name of Object.values(names)) onMethod(asId(name), target, method);
  };

const ifMatch = createParamDecorator((_: unknown, context: ExecutionContext): number => {
  const header = context.switchToHttp().getRequest<FastifyRequest>().headers['if-match'];
  if (header === undefined || header === '') throw edgeErrors.ifMatchRequired();
  const version = /^"(\d{1,9})"$/.exec(header)?.[1];
  if (version === undefined) throw edgeErrors.staleVersion();
  return Number(version);
});

/** The version a client read, from If-Match: `"7"`. 428 without, 412 for one that cannot be. */
export const IfMatch = (): ParameterDecorator => (target, method, index) => {
  ifMatch()(target, method, index);
  onMethod(SetMetadata(GUARDED, true), target, method);
  onMethod(
    ApiHeader({ name: 'If-Match', required: true, schema: { type: 'string', pattern: '^"[0-9]{1,9}"$', example: '"1"' } }),
    target,
    method,
  );
};

function onMethod(decorate: MethodDecorator, target: object, method: string | symbol | undefined): void {
  if (method === undefined) return;
  const descriptor = Object.getOwnPropertyDescriptor(target, method);
  if (descriptor) decorate(target, method, descriptor);
}

type Documented = Record<string, { schema?: object } | undefined>;

/**
 * Something else that a route may answer with: another status (202 while something is under way), or another body with the
 * status it has. Stands above @Answers.
 */
export const AlsoAnswers =
  (status: number, type: Type): MethodDecorator =>
  (target, method, descriptor) => {
    const handler = descriptor.value as object;
    const known = (Reflect.getMetadata('swagger/apiResponse', handler) as Documented | undefined)?.[status]?.schema;
    const other = { $ref: getSchemaPath(type) };
    const schema = known ? { anyOf: [known, other] } : other;
    applyDecorators(ApiExtraModels(type), ApiResponse({ status, schema: schema as never }))(target, method, descriptor);
  };
