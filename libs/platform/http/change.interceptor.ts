// Changes: what waits for rows of a busy event, or of an import, takes a share of the connections, so that all others find one.
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Database } from '../db/database.js';

@Injectable()
export class ChangeInterceptor implements NestInterceptor {
  constructor(private readonly db: Database) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (!mayWait(context.switchToHttp().getRequest<FastifyRequest>())) return next.handle();
    return from(this.db.changing(() => lastValueFrom(next.handle(), { defaultValue: undefined })));
  }
}

/** Accounts are everyone's own: nobody waits for another's, and a crowd that logs in waits for its passwords to be hashed. */
function mayWait({ method, routeOptions }: FastifyRequest): boolean {
  return method !== 'GET' && method !== 'HEAD' && !routeOptions.url?.startsWith('/v1/auth/');
}
