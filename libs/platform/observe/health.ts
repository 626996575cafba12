// Health: whether the process lives, whether it may be sent requests, and that it is about to go.
import { Injectable } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { edgeErrors } from '../../kernel/errors.js';
import { DatabaseProbe } from '../db/database.probe.js';
import { Redis } from '../redis/redis.js';
import { Meter } from './meter.js';
import { UNWATCHED } from './request.watch.js';

export interface Readiness {
  state: 'ready' | 'draining' | 'not_ready';
  postgres: 'up' | 'away';
  migrations: 'applied' | 'pending' | 'unknown';
  /** Told, but not needed: without Redis Evently is slower, not away. */
  redis: 'up' | 'away';
}

@Injectable()
export class Health {
  /** True from the signal to stop until the end: no new requests are wanted. */
  draining = false;

  constructor(
    private readonly probe: DatabaseProbe,
    private readonly redis: Redis,
    private readonly meter: Meter,
  ) {}

  async readiness(): Promise<Readiness> {
    const database = await this.probe.ask();
    const well = database.postgres === 'up' && database.migrations === 'applied';
    return {
      state: this.draining ? 'draining' : well ? 'ready' : 'not_ready',
      ...database,
      redis: this.redis.up ? 'up' : 'away',
    };
  }

  /** Adds /livez, /readyz and /metrics: beside the guard and the limits, so that they are answered whatever else happens. */
  serve(fastify: FastifyInstance): void {
    const options = { config: UNWATCHED };
    fastify.get('/livez', options, async () => ({ status: 'alive' }));
    fastify.get('/readyz', options, async () => {
      const readiness = await this.readiness();
      if (readiness.state === 'ready') return readiness;
      throw edgeErrors.unavailable({ ...readiness }, sentences[readiness.state]);
    });
    fastify.get('/metrics', options, async (_, reply) => {
      void reply.type(this.meter.registry.contentType);
      return this.meter.text();
    });
  }
}

const sentences = {
  draining: 'This process is stopping and takes no new requests.',
  not_ready: 'Postgres is away, or its migrations are not applied: see the members of this document.',
};
