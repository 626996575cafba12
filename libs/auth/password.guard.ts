// The guard of routes that set a password: hashes it before anything else is done, so that no transaction, and no connection, waits for that.
import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { PasswordHash } from './password-hash.service.js';
import { PASSWORD_CHARS } from './session.dto.js';

declare module 'fastify' {
  interface FastifyRequest {
    passwordHash?: string;
  }
}

@Injectable()
export class PasswordGuard implements CanActivate {
  constructor(private readonly hashes: PasswordHash) {}

  /** Refuses nothing: a password that is none gets no hash here and its answer from validation. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const password = (request.body as { password?: unknown } | undefined)?.password;
    const usable = typeof password === 'string' && password.length >= PASSWORD_CHARS.min && password.length <= PASSWORD_CHARS.max;
    if (usable) request.passwordHash = await this.hashes.make(password);
    return true;
  }
}

/** The hash of the body's password. */
export const HashedPassword = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<FastifyRequest>().passwordHash,
);
