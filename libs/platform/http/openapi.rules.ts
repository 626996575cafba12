// How the document that the decorators give becomes what we promise: OpenAPI 3.1, closed bodies, every refusal of every operation named.
import { statusOfCode } from '../../kernel/errors.js';

/** JSON of a document, only as deep as these rules look. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json | undefined;
}

/** What is known of an operation beside its decorators' documentation. */
export interface OperationFacts {
  name: string;
  tag: string;
  /** Open to callers without a token. */
  open: boolean;
  idempotency: 'transaction' | 'natural' | 'own' | undefined;
  /** Takes If-Match. */
  guarded: boolean;
  cacheable: boolean;
  codes: readonly string[];
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
const REF = '#/components/schemas/';

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every operation with its path and method. */
export function operationsOf(document: JsonObject): { path: string; method: string; operation: JsonObject }[] {
  return Object.entries((document.paths ?? {}) as Record<string, JsonObject>).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => ({ path, method, operation: operation as JsonObject })),
  );
}

/** OpenAPI 3.0's `nullable: true` as JSON Schema says it: a type array, a null in the enum, or a choice beside a reference. */
export function withoutNullable(value: Json | undefined): Json | undefined {
  if (Array.isArray(value)) return value.map((v) => withoutNullable(v) as Json);
  if (!isObject(value)) return value;
  const { nullable, ...rest } = value;
  const schema = Object.fromEntries(Object.entries(rest).map(([k, v]) => [k, withoutNullable(v)])) as JsonObject;
  if (nullable !== true) return nullable === undefined || nullable === false ? schema : { ...schema, nullable };
  if (typeof schema.type === 'string') {
    const known = Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {};
    return { ...schema, ...known, type: [schema.type, 'null'] };
  }
  const { description, example, ...shape } = schema;
  const all = Array.isArray(shape.allOf) && shape.allOf.length === 1 ? shape.allOf[0] : shape;
  return { ...(description && { description }), ...(example !== undefined && { example }), anyOf: [all, { type: 'null' }] };
}

/** References below a value, by schema name. */
function referencesIn(value: Json | undefined, found = new Set<string>()): Set<string> {
  if (Array.isArray(value)) for (const each of value) referencesIn(each, found);
  else if (isObject(value))
    for (const [key, each] of Object.entries(value)) {
      if (key === '$ref' && typeof each === 'string' && each.startsWith(REF)) found.add(each.slice(REF.length));
      else referencesIn(each, found);
    }
  return found;
}

/** Names of the schemas that request bodies are made of, however deep. */
export function schemasOfBodies(document: JsonObject): Set<string> {
  const schemas = schemasOf(document);
  const found = new Set<string>();
  const open = operationsOf(document).flatMap(({ operation }) => [...referencesIn(operation.requestBody)]);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    open.push(...referencesIn(schemas[name]));
  }
  return found;
}

/** Bodies take no unknown fields: their schemas say so. A schema that says otherwise itself is left. */
export function closeBodies(document: JsonObject): void {
  const schemas = schemasOf(document);
  for (const name of schemasOfBodies(document)) {
    const schema = schemas[name];
    if (schema?.type === 'object' && schema.additionalProperties === undefined) schema.additionalProperties = false;
  }
}

export function schemasOf(document: JsonObject): Record<string, JsonObject> {
  const components = (document.components ??= {}) as JsonObject;
  return (components.schemas ??= {}) as Record<string, JsonObject>;
}

/** The codes an operation can refuse with: those it names, and those that every one of its kind has. */
export function codesOf(operation: JsonObject, path: string, facts: OperationFacts): string[] {
  const body = operation.requestBody !== undefined;
  const codes = ['invalid_request', 'unauthenticated', 'rate_limited', 'overloaded', 'unavailable', ...facts.codes];
  if (!facts.open) codes.push('forbidden', 'not_found');
  if (path.includes('{')) codes.push('not_found');
  if (body) codes.push('payload_too_large', 'unsupported_media_type');
  if (facts.idempotency) codes.push('busy', 'idempotency_key_reused');
  if (facts.idempotency === 'own') codes.push('idempotency_key_required');
  if (facts.guarded) codes.push('stale_version', 'if_match_required');
  return [...new Set(codes)].sort();
}

/** Problem responses by status, each with the codes it can carry. */
export function problemResponses(codes: readonly string[]): Record<string, JsonObject> {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const status = statusOfCode(code);
    if (status === undefined) throw new Error(`A route names the code ${code}, which no table of errors declares.`);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  const entries = [...byStatus].map(([status, list]): [string, JsonObject] => {
    const own = { type: 'object', properties: { code: { enum: list }, status: { const: status } } };
    const headers = [429, 503].includes(status)
      ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } }
      : {};
    return [
      String(status),
      {
        description: list.map((code) => `\`${code}\``).join(', '),
        ...headers,
        content: { 'application/problem+json': { schema: { allOf: [{ $ref: `${REF}Problem` }, own] } } },
      },
    ];
  });
  return Object.fromEntries(entries);
}

export const PROBLEM: JsonObject = {
  type: 'object',
  description: 'RFC 9457. `code` is stable; `detail` says what to do.',
  required: ['type', 'title', 'status', 'code', 'detail', 'requestId'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string', pattern: '^[a-z][a-z0-9_]*$' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    errors: {
      type: 'array',
      description: 'What is wrong with the request, by JSON pointer (RFC 6901).',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
  },
};

export const HEADERS: JsonObject = {
  RetryAfter: { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 0 } },
  ETag: { description: 'The version, for If-Match and If-None-Match.', schema: { type: 'string' } },
  RequestId: { description: 'The id of the request, yours if you sent one.', schema: { type: 'string' } },
  RateLimit: { description: 'What is left (IETF draft-ietf-httpapi-ratelimit-headers).', schema: { type: 'string' } },
  RateLimitPolicy: { description: 'The limits that apply.', schema: { type: 'string' } },
};

/** Completes one operation in place. */
export function completeOperation(operation: JsonObject, path: string, method: string, facts: OperationFacts): void {
  operation.operationId = facts.name;
  operation.tags ??= [facts.tag];
  operation.security = facts.open ? [{}, { bearer: [] }] : [{ bearer: [] }];
  const responses = (operation.responses ??= {}) as Record<string, JsonObject>;
  const versioned = facts.cacheable || (method === 'get' && !path.includes('/qr.') && responses['200']?.content !== undefined);
  for (const response of Object.values(responses)) {
    response.description ||= 'Done.';
    response.headers = {
      'X-Request-Id': { $ref: '#/components/headers/RequestId' },
      RateLimit: { $ref: '#/components/headers/RateLimit' },
      'RateLimit-Policy': { $ref: '#/components/headers/RateLimitPolicy' },
      ...(versioned && { ETag: { $ref: '#/components/headers/ETag' } }),
      ...(response.headers as JsonObject | undefined),
    };
  }
  if (versioned) responses['304'] ??= { description: 'Unchanged since the ETag in If-None-Match.' };
  Object.assign(responses, problemResponses(codesOf(operation, path, facts)));
  completeParameters(operation);
}

/** A path part with no word about it takes any text that an address can hold. */
function completeParameters(operation: JsonObject): void {
  for (const parameter of (operation.parameters ?? []) as JsonObject[]) {
    const schema = (parameter.schema ?? {}) as JsonObject;
    if (parameter.in === 'path' && schema.format === undefined && schema.pattern === undefined && schema.enum === undefined)
      parameter.schema = { type: 'string', minLength: 1, maxLength: 256, ...schema };
  }
}
