// The published keys: whoever has them can verify our access tokens and, offline at a door, our tickets.
import { Controller, Get } from '@nestjs/common';
import { ApiProperty, ApiTags } from '@nestjs/swagger';
import { Answers, Cacheable, CanAnyone } from '../platform/http/route.decorators.js';
import { AuthKeys } from './auth.config.js';

class JwksView {
  @ApiProperty({ type: 'array', items: { type: 'object', required: ['kty', 'kid', 'alg', 'use'] }, description: 'RFC 7517' })
  keys: object[];
}

@ApiTags('auth')
@Controller('.well-known/jwks.json')
export class JwksController {
  constructor(private readonly keys: AuthKeys) {}

  /** All keys of both rings: those that sign now, and older ones whose signatures still count. */
  @Get()
  @CanAnyone('read', 'Jwks')
  @Cacheable(60)
  @Answers(200, JwksView)
  read(): JwksView {
    return { keys: [this.keys.jwt, this.keys.tickets].flatMap((ring) => ring.now.keys.map((k) => k.publicJwk)) };
  }
}
