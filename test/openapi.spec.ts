// docs/openapi.json is what the decorators say now; `npm run openapi` writes it.
import { readFileSync } from 'node:fs';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { openApiDocument } from '../libs/platform/http/openapi.js';

it('is not stale: run `npm run openapi` where it is', async () => {
  const app = await NestFactory.create(ApiModule, new FastifyAdapter(), { preview: true, logger: false, abortOnError: false });
  const written = JSON.parse(readFileSync(new URL('../docs/openapi.json', import.meta.url), 'utf8')) as unknown;
  expect(written).toEqual(JSON.parse(JSON.stringify(openApiDocument(app))));
});
