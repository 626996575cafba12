// The guard of every route: reads the bearer, says who is asking, and turns away who has no token where one is needed.
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { edgeErrors } from '../kernel/errors.js';
import type { Principal } from '../kernel/principal.js';
import { setPrincipal } from '../platform/db/ambient.js';
import { ABILITY, type RouteAbility } from '../platform/http/route.decorators.js';
import { PrincipalService } from './principal.service.js';

const BEARER = /^bearer +([^\s]+)$/i;
/** Longer than any bearer of ours; what is longer is refused unread. */
const HEADER_CHARS_MAX = 4096;

@Injectable()
export class AuthGuard implements CanActivate {
  /** By handler: reading metadata takes longer than all else here. */
  private readonly abilities = new Map<object, RouteAbility>();

  constructor(
    private readonly reflector: Reflector,
    private readonly principals: PrincipalService,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    if (context.getType() !== 'http') return true; // Sockets have a door of their own.
    const ability = this.abilities.get(context.getHandler()) ?? this.abilityOf(context);
    const who = this.principals.of(bearerOf(context.switchToHttp().getRequest<FastifyRequest>()));
    return who instanceof Promise ? who.then((p) => this.admit(p, ability)) : this.admit(who, ability);
  }

  private abilityOf(context: ExecutionContext): RouteAbility {
    const handler = context.getHandler();
    const ability = this.reflector.get<RouteAbility | undefined>(ABILITY, handler);
    if (!ability) throw new Error(`${context.getClass().name}.${handler.name} names no ability: give it @Can or @CanAnyone.`);
    this.abilities.set(handler, ability);
    return ability;
  }

  private admit(who: Principal, ability: RouteAbility): boolean {
    if (who.kind === 'anonymous' && !ability.open) throw edgeErrors.unauthenticated();
    setPrincipal(who);
    return true;
  }
}

/** The bearer token; undefined without the header. Any other kind of credentials, or a broken header, is refused. */
function bearerOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization;
  if (header === undefined) return undefined;
  const bearer = header.length <= HEADER_CHARS_MAX ? BEARER.exec(header)?.[1] : undefined;
  if (bearer === undefined)
    throw edgeErrors.unauthenticated({}, 'Send Authorization: Bearer and a token, or no such header at all.');
  return bearer;
}
