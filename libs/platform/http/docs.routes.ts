// /openapi.json and /docs: the document, and Swagger UI to read it with; served from this process, nothing is fetched from elsewhere.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

const assets: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";
const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Evently API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png"></head>
<body><div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, docExpansion: 'none', filter: true, validatorUrl: null });
`;

/** Adds the routes. The document is made at the first request and kept as bytes. */
export function serveDocs(fastify: FastifyInstance, app: NestFastifyApplication): void {
  let made: Promise<Page> | undefined;
  fastify.get('/openapi.json', async (request, reply) => {
    return send(request, reply, await (made ??= make(app)));
  });
  fastify.get('/docs', async (_, reply) =>
    reply.header('content-security-policy', POLICY).type('text/html; charset=utf-8').send(PAGE),
  );
  fastify.get('/docs/start.js', async (_, reply) => reply.type('text/javascript; charset=utf-8').send(START));
  const folder = createRequire(import.meta.url)
    .resolve('swagger-ui-dist/package.json')
    .replace(/package\.json$/, '');
  for (const [name, type] of Object.entries(assets)) {
    fastify.get(`/docs/${name}`, async (request, reply) => {
      const bytes = await readFile(folder + name);
      return send(request, reply, pageOf(type, bytes));
    });
  }
}

interface Page {
  type: string;
  bytes: string | Buffer;
  etag: string;
}

async function make(app: NestFastifyApplication): Promise<Page> {
  const { openApiDocument } = await import('./openapi.js');
  return pageOf('application/json; charset=utf-8', JSON.stringify(openApiDocument(app)));
}

function pageOf(type: string, bytes: string | Buffer): Page {
  return { type, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"` };
}

function send(request: FastifyRequest, reply: FastifyReply, { type, bytes, etag }: Page): FastifyReply {
  void reply.header('etag', etag).header('cache-control', 'public, max-age=300');
  if (request.headers['if-none-match'] === etag) return reply.status(304).send();
  return reply.type(type).send(bytes);
}
