// ETags: a resource's version as a strong ETag; a public read's ETag is a hash of its bytes, with Cache-Control and 304.
import { createHash } from 'node:crypto';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { CACHE } from './route.decorators.js';

@Injectable()
export class EtagInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const seconds = this.reflector.get<number | undefined>(CACHE, context.getHandler());
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next
      .handle()
      .pipe(
        map((value: unknown) =>
          seconds === undefined ? versioned(value, request, reply) : cached(value, seconds, request, reply),
        ),
      );
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

function cached(value: unknown, seconds: number, request: FastifyRequest, reply: FastifyReply): unknown {
  const bytes = JSON.stringify(value);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  void reply.header('etag', etag).header('cache-control', `public, max-age=${seconds}`).type('application/json; charset=utf-8');
  return unlessSame(bytes, etag, request, reply);
}

function unlessSame(value: unknown, etag: string, request: FastifyRequest, reply: FastifyReply): unknown {
  const seen = request.headers['if-none-match'];
  if (seen === undefined) return value;
  const same = seen.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*');
  if (!same) return value;
  void reply.status(304);
  return undefined;
}
