// `npm run openapi`: writes docs/openapi.json from the decorators. Connects to nothing; a spec fails when the file is stale.
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ApiModule } from '../apps/api/api.module.js';
import { openApiDocument } from '../libs/platform/http/openapi.js';

const file = join(process.cwd(), 'docs', 'openapi.json');
const app = await NestFactory.create(ApiModule, new FastifyAdapter(), { preview: true, logger: false, abortOnError: false });
const document = openApiDocument(app);
writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
console.log(`Wrote ${file}: ${Object.keys(document.paths as object).length} paths.`);
