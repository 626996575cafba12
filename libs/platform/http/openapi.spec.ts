// The document says what the server does: closed bodies, nulls, refusals with their codes, security; and /docs needs no other host.
import { Body, Controller, Delete, Get, Module, Param, Post, Put, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../../test/harness.js';
import { errors } from '../../kernel/errors.js';
import { PlatformModule } from '../platform.module.js';
import { EnumField, IdField, IntField, MoneyDto, ObjectField, PageQuery, TextField } from './fields.js';
import { openApiDocument } from './openapi.js';
import { codesOf, operationsOf, problemResponses, withoutNullable, type JsonObject } from './openapi.rules.js';
import { Answers, AnswersFile, Can, CanAnyone, IdParams, Idempotent, IfMatch, Refuses } from './route.decorators.js';

errors({ lampTaken: ['conflict', 'It is taken.'], lampGone: ['gone', 'It is gone.'] });

class LampPart {
  @TextField({ nullable: true }) note: string | null;
}
class LampInput {
  @TextField({ max: 10 }) title: string;
  @EnumField(['red', 'blue'], { nullable: true, optional: true }) colour?: string | null;
  @ObjectField(() => LampPart, { optional: true, list: true }) parts?: LampPart[];
}
class LampView {
  @IdField() id: string;
  @ObjectField(() => MoneyDto, { nullable: true, description: 'What it costs' }) price: MoneyDto | null;
  @IntField() version: number;
}

@Controller('v1/organizations/:o/lamps')
class RedLampController {
  @Post() @Can('create', 'Lamp') @Answers(201, LampView) @Refuses('lamp_taken') @Idempotent() create(@Body() lamp: LampInput) {
    return lamp;
  }
  @Put(':l') @Can('update', 'Lamp') @Answers(200, LampView) @Idempotent('own') change(
    @IdParams({ org: 'o', lamp: 'l' }) at: object,
    @IfMatch() version: number,
    @Body() lamp: LampInput,
  ) {
    return { at, version, lamp };
  }
  @Get() @CanAnyone('read', 'Lamp') @Answers(200, LampView, 'list') list(@Query() page: PageQuery) {
    return { items: [], nextCursor: null, page };
  }
  @Get(':l/picture/:size') @CanAnyone('read', 'Lamp') @AnswersFile('image/svg+xml') picture(@Param('size') size: string) {
    return size;
  }
  @Delete(':l') @Can('delete', 'Lamp') @Answers(204) @Refuses('lamp_gone') remove() {
    return undefined;
  }
}

@Module({ imports: [PlatformModule], controllers: [RedLampController] })
class LampModule {}

describe('the document', () => {
  let document: JsonObject;
  const at = (path: string, method: string) =>
    operationsOf(document).find((o) => o.path === path && o.method === method)!.operation as Record<string, never>;
  const lamps = '/v1/organizations/{o}/lamps';
  const one = `${lamps}/{l}`;

  beforeAll(async () => {
    const app = await NestFactory.create(LampModule, new FastifyAdapter(), { preview: true, logger: false });
    document = openApiDocument(app);
  });

  it('is OpenAPI 3.1 with a unique name, a tag and a security for each operation', () => {
    expect(document.openapi).toBe('3.1.0');
    const names = operationsOf(document).map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('redLampCreate');
    expect(at(lamps, 'post')).toMatchObject({ tags: ['Red lamp'], security: [{ bearer: [] }] });
    expect(at(lamps, 'get')).toMatchObject({ security: [{}, { bearer: [] }] });
  });

  it('names every refusal with its codes', () => {
    const statuses = (path: string, method: string) => Object.keys(at(path, method).responses).sort();
    expect(statuses(lamps, 'post')).toEqual('201 400 401 403 404 409 413 415 422 429 503'.split(' '));
    expect(statuses(one, 'put')).toEqual('200 400 401 403 404 409 412 413 415 422 428 429 503'.split(' '));
    expect(statuses(lamps, 'get')).toEqual('200 304 400 401 404 429 503'.split(' '));
    expect(statuses(one, 'delete')).toEqual('204 400 401 403 404 410 429 503'.split(' '));
    const conflict = at(lamps, 'post').responses['409'] as { content: Record<string, { schema: { allOf: JsonObject[] } }> };
    expect(conflict.content['application/problem+json'].schema.allOf[1]).toMatchObject({
      properties: { code: { enum: ['busy', 'lamp_taken'] }, status: { const: 409 } },
    });
  });

  it('closes request bodies, however deep, and says nulls as JSON Schema does', () => {
    const schemas = (document.components as JsonObject).schemas as Record<string, JsonObject>;
    expect(schemas.LampInput.additionalProperties).toBe(false);
    expect(schemas.LampPart.additionalProperties).toBe(false);
    expect(schemas.LampView.additionalProperties).toBeUndefined();
    expect(schemas.LampPart).toMatchObject({ properties: { note: { type: ['string', 'null'] } } });
    expect(schemas.LampInput).toMatchObject({ properties: { colour: { enum: ['red', 'blue', null] } }, required: ['title'] });
    expect(schemas.LampView).toMatchObject({
      properties: {
        price: { anyOf: [{ $ref: '#/components/schemas/MoneyDto' }, { type: 'null' }], description: 'What it costs' },
      },
    });
    expect(JSON.stringify(document)).not.toContain('"nullable"');
  });

  it('gives path parts their format and headers their place', () => {
    expect(at(one, 'put').parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'o', in: 'path', schema: { type: 'string', format: 'uuid' } }),
        expect.objectContaining({ name: 'If-Match', in: 'header', required: true }),
        expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
      ]),
    );
    expect(at(`${one}/picture/{size}`, 'get').parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'size', schema: { type: 'string', minLength: 1, maxLength: 256 } }),
      ]),
    );
  });

  it('refuses a code that no table declares, and a list of codes has no doubles', () => {
    expect(() => problemResponses(['no_such_code'])).toThrow(/no_such_code/);
    const facts = {
      name: 'a',
      tag: 'A',
      open: false,
      idempotency: undefined,
      guarded: false,
      cacheable: false,
      codes: ['not_found'],
    };
    expect(codesOf({}, '/v1/a/{b}', facts).filter((c) => c === 'not_found')).toHaveLength(1);
  });

  it('leaves a property that is called nullable alone', () => {
    expect(withoutNullable({ properties: { nullable: { type: 'string' } } })).toEqual({
      properties: { nullable: { type: 'string' } },
    });
  });
});

describe('the pages', () => {
  let evently: Harness;
  beforeAll(async () => void (evently = await Harness.start(LampModule)));
  afterAll(() => evently.stop());

  it('serves the document, and 304 for who has it', async () => {
    const first = await evently.call<JsonObject>('GET', '/openapi.json');
    expect([first.status, first.body.openapi]).toEqual([200, '3.1.0']);
    const again = await evently.call('GET', '/openapi.json', undefined, {
      headers: { 'if-none-match': first.headers.get('etag')! },
    });
    expect([again.status, again.text]).toEqual([304, '']);
  });

  it('serves a page to read it with, all of it from here', async () => {
    const page = await evently.call<string>('GET', '/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((m) => m[1]);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) {
      expect(link).toMatch(/^\/docs\//);
      expect((await evently.call('GET', link)).status).toBe(200);
    }
  });
});
