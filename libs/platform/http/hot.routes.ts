// Hot routes: handlers marked @Hot, run without Nest's machinery of each request. Guards, limits, checks, idempotency and filter are the same
// objects, called directly: Nest builds a chain of observables and promises around each call, which cost a request as much as the rest of it.
// And they run in rounds, together with whoever else arrived.
import { Injectable, type ArgumentMetadata, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { ApplicationConfig, ModuleRef } from '@nestjs/core';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { edgeErrors } from '../../kernel/errors.js';
import { carried } from '../db/ambient.js';
import { LimitHook } from '../limit/limit.hook.js';
import { versioned } from './etag.interceptor.js';
import { IdempotencyInterceptor } from './idempotency.js';
import { ProblemFilter } from './problem.filter.js';
import type { IdempotencyMode } from './route.decorators.js';
import { Rounds } from './rounds.js';
import { validationPipe } from './validation.pipe.js';

interface Marked {
  type: Type;
  method: string;
}

/** Marks a handler that thousands call at once. It may take @Body, @Query, @Req, @Res and parameters of our own decorators, and answers JSON. */
export const Hot = (): MethodDecorator => (target, method, descriptor) =>
  RouteConfig({ hot: { type: target.constructor, method: String(method) } })(target, method, descriptor);

type Argument = (context: HotContext) => unknown;
type Handler = (...args: unknown[]) => Promise<unknown>;

/** What guards and parameter decorators are told of a request. */
class HotContext implements Pick<ExecutionContext, 'getClass' | 'getHandler' | 'getType' | 'switchToHttp'> {
  constructor(
    private readonly route: Route,
    readonly request: FastifyRequest,
    readonly reply: FastifyReply,
  ) {}
  getClass<T>(): Type<T> {
    return this.route.type as Type<T>;
  }
  getHandler(): Handler {
    return this.route.handler;
  }
  getType<T extends string>(): T {
    return 'http' as T;
  }
  switchToHttp(): never {
    return this as never;
  }
  getRequest(): FastifyRequest {
    return this.request;
  }
  getResponse(): FastifyReply {
    return this.reply;
  }
}

interface Route {
  type: Type;
  handler: Handler;
  controller: object;
  guards: readonly CanActivate[];
  status: number;
  kept: IdempotencyMode | undefined;
  args: Argument[];
}

@Injectable()
export class HotRoutes {
  private readonly pipe = validationPipe();
  private readonly rounds = new Rounds();

  constructor(
    private readonly modules: ModuleRef,
    private readonly application: ApplicationConfig,
    private readonly limits: LimitHook,
    private readonly idempotency: IdempotencyInterceptor,
    private readonly filter: ProblemFilter,
  ) {}

  /** Puts itself in the place of Nest's handler. Call before routes are added. */
  watch(fastify: FastifyInstance): void {
    this.rounds.heed(fastify.server);
    fastify.addHook('onRoute', (options) => {
      const marked = (options.config as { hot?: Marked } | undefined)?.hot;
      if (!marked || options.method === 'HEAD') return;
      const route = this.read(marked);
      options.handler = (request, reply) => this.rounds.join(carried(() => void this.run(route, request, reply)));
    });
  }

  private read({ type, method }: Marked): Route {
    const guards = this.application.getGlobalGuards() as CanActivate[];
    const controller = this.modules.get<object>(type, { strict: false });
    const handler = (type.prototype as Record<string, Handler>)[method];
    const status = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number;
    const kept = this.idempotency.modeOf(handler);
    return { type, handler, controller, guards, status, kept, args: this.argumentsOf(type, method) };
  }

  private argumentsOf(type: Type, method: string): Argument[] {
    const found = (Reflect.getMetadata(ROUTE_ARGS_METADATA, type, method) ?? {}) as Record<string, Declared>;
    const types = Reflect.getMetadata('design:paramtypes', type.prototype as object, method) as Type[];
    const args: Argument[] = [];
    for (const [key, declared] of Object.entries(found))
      args[declared.index] = this.argument(key, declared, types[declared.index]);
    return args;
  }

  private argument(key: string, { data, factory }: Declared, metatype: Type): Argument {
    if (factory) return (context) => factory(data, context as never);
    const checked = (kind: 'body' | 'query') => {
      const metadata = { type: kind, metatype } as ArgumentMetadata;
      return ({ request }: HotContext) =>
        this.pipe.right(request[kind], metadata) ?? this.pipe.transform(request[kind], metadata);
    };
    const from = Number(key.split(':')[0]) as RouteParamtypes;
    if (data === undefined && from === RouteParamtypes.BODY) return checked('body');
    if (data === undefined && from === RouteParamtypes.QUERY) return checked('query');
    if (from === RouteParamtypes.REQUEST) return ({ request }) => request;
    if (from === RouteParamtypes.RESPONSE) return ({ reply }) => reply;
    throw new Error(`A hot route takes no parameter of the kind ${key}.`);
  }

  private async run(route: Route, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    try {
      const context = new HotContext(route, request, reply);
      for (const guard of route.guards) {
        const admitted = guard.canActivate(context as never);
        if (!(admitted instanceof Promise ? await admitted : admitted)) throw edgeErrors.forbidden();
      }
      this.limits.late(request, reply);
      reply.status(route.status);
      const work = () => call(route, context);
      const value = await (this.idempotency.around(route.kept, request, reply, work) ?? work());
      if (value === undefined || typeof value === 'string') return void reply.send(value);
      const body = versioned(value, request, reply);
      void (body === undefined ? reply.send() : reply.type('application/json; charset=utf-8').send(JSON.stringify(body)));
    } catch (e) {
      this.filter.send(e, request, reply);
    }
  }
}

/** At once where every argument is there: each promise less is felt by thousands. */
function call(route: Route, context: HotContext): Promise<unknown> {
  const values: unknown[] = [];
  for (const argument of route.args) {
    const value = argument(context);
    if (value instanceof Promise) return callLater(route, context, [...values, value]);
    values.push(value);
  }
  return route.handler.apply(route.controller, values);
}

/** The arguments so far, of which the last is still to come; then the others, one after the other. */
async function callLater({ args, controller, handler }: Route, context: HotContext, values: unknown[]): Promise<unknown> {
  values.push(await values.pop());
  for (const argument of args.slice(values.length)) {
    const value = argument(context);
    values.push(value instanceof Promise ? await value : value); // A reply can be awaited too, and is until it was sent.
  }
  return handler.apply(controller, values);
}

/** What a parameter decorator left. */
interface Declared {
  index: number;
  data: unknown;
  factory?: (data: unknown, context: ExecutionContext) => unknown;
}
