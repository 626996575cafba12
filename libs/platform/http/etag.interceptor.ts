// ETags: a resource's version as a strong ETag; a public read's ETag is a hash of its bytes, with Cache-Control and 304.
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { from, lastValueFrom, map, type Observable } from 'rxjs';
import { seenBefore } from './etag.rules.js';
import { ReadCache } from './read.cache.js';
import { CACHE } from './route.decorators.js';

@Injectable()
export class EtagInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly cache: ReadCache,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const seconds = this.reflector.get<number | undefined>(CACHE, context.getHandler());
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    if (seconds === undefined) return next.handle().pipe(map((value: unknown) => versioned(value, request, reply)));
    return from(this.cached(request, reply, seconds, () => lastValueFrom(next.handle())));
  }

  private async cached(request: FastifyRequest, reply: FastifyReply, seconds: number, read: () => Promise<unknown>) {
    const bytes = await this.cache.load(request, reply, seconds, read);
    return unlessSame(bytes, String(reply.getHeader('etag')), request, reply);
  }
}

/** A resource with its version as ETag; nothing, and 304, for who reads what he has. */
export function versioned(value: unknown, request: FastifyRequest, reply: FastifyReply): unknown {
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version !== 'number') return value;
  const etag = `"${version}"`;
  void reply.header('etag', etag);
  return request.method === 'GET' ? unlessSame(value, etag, request, reply) : value;
}

function unlessSame(value: unknown, etag: string, request: FastifyRequest, reply: FastifyReply): unknown {
  const seen = request.headers['if-none-match'];
  if (seen === undefined || !seenBefore(seen, etag)) return value;
  void reply.status(304);
  return undefined;
}
