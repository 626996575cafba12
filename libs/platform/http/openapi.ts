// The OpenAPI document: made of the decorators by @nestjs/swagger, completed by our rules. Loaded only when somebody asks for it.
import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import {
  closeBodies,
  completeOperation,
  HEADERS,
  operationsOf,
  PROBLEM,
  schemasOf,
  withoutNullable,
  type JsonObject,
  type OperationFacts,
} from './openapi.rules.js';
import {
  ABILITY,
  CACHE,
  GUARDED,
  IDEMPOTENT,
  PROBLEMS,
  routeHandlers,
  type IdempotencyMode,
  type RouteAbility,
} from './route.decorators.js';

const DESCRIPTION = `Evently sells tickets to events when everyone wants them at once.

Ids are lower-case UUIDv7, times RFC 3339 in UTC, money \`{amount, currency}\` in integer minor units. Errors are RFC 9457 problem
documents with a stable \`code\`. Every write takes an \`Idempotency-Key\`; PUT and PATCH need \`If-Match\`. Lists go by \`?limit=&cursor=\`.`;

const own = ['Health'];

/** The document of everything an application serves. Works on one made with \`preview\`, which connects to nothing. */
export function openApiDocument(app: INestApplication): JsonObject {
  const config = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Evently')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('AGPL-3.0-or-later', 'https://www.gnu.org/licenses/agpl-3.0.html')
    .addBearerAuth(
      { type: 'http', scheme: 'bearer', description: 'An access token, an API key `evk_...`, or a guest token `evg_...`.' },
      'bearer',
    )
    .build();
  const made = SwaggerModule.createDocument(app, config, {
    autoTagControllers: false,
    operationIdFactory: (controller, method) => `${controller}.${method}`,
  });
  const document = withoutNullable(JSON.parse(JSON.stringify(made))) as JsonObject;
  const names = new Set<string>();
  for (const { path, method, operation } of operationsOf(document)) {
    const facts = factsOf(String(operation.operationId));
    if (names.has(facts.name)) throw new Error(`Two operations are named ${facts.name}: rename one of the methods.`);
    names.add(facts.name);
    completeOperation(operation, path, method, facts);
  }
  addHealth(document);
  closeBodies(document);
  schemasOf(document).Problem = PROBLEM;
  (document.components as JsonObject).headers = HEADERS;
  document.servers = [{ url: '/' }];
  document.tags = [...new Set(operationsOf(document).flatMap(({ operation }) => operation.tags as string[]))]
    .sort()
    .map((name) => ({ name }));
  return document;
}

function factsOf(id: string): OperationFacts {
  const handler = routeHandlers.get(id);
  const [controller, method] = id.split('.');
  const noun = controller.replace(/Controller$/, '');
  const read = <T>(key: string) => (handler ? (Reflect.getMetadata(key, handler) as T | undefined) : undefined);
  return {
    name: `${noun[0].toLowerCase()}${noun.slice(1)}${method[0].toUpperCase()}${method.slice(1)}`,
    tag: noun.replace(/(?<=[a-z])[A-Z]/g, (c) => ` ${c.toLowerCase()}`),
    open: read<RouteAbility>(ABILITY)?.open ?? false,
    idempotency: read<IdempotencyMode>(IDEMPOTENT),
    guarded: read<boolean>(GUARDED) ?? false,
    cacheable: read<number>(CACHE) !== undefined,
    codes: read<string[]>(PROBLEMS) ?? [],
  };
}

/** What the server serves beside its controllers (observe/health.ts). */
function addHealth(document: JsonObject): void {
  const paths = document.paths as JsonObject;
  const json = (properties: JsonObject) => ({ 'application/json': { schema: { type: 'object', properties } } });
  const refused = {
    description: '`unavailable`',
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  const operation = (operationId: string, summary: string, responses: JsonObject): JsonObject => ({
    get: { operationId, summary, tags: own, security: [{}], parameters: [], responses },
  });
  paths['/livez'] = operation('live', 'The process runs.', {
    200: { description: 'Alive.', content: json({ status: { const: 'alive' } }) },
  });
  const word = { type: 'string' };
  paths['/readyz'] = operation('ready', 'It may be sent requests: Postgres is there and migrated.', {
    200: { description: 'Ready.', content: json({ state: { const: 'ready' }, postgres: word, migrations: word, redis: word }) },
    503: refused,
  });
  paths['/metrics'] = operation('metrics', "Figures in Prometheus' text format.", {
    200: { description: 'Figures.', content: { 'text/plain': { schema: word } } },
  });
}
