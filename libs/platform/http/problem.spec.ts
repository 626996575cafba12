// Whatever goes wrong, the answer is a problem document: unknown addresses, methods, media types, broken bodies, and what is no HTTP at all.
import { connect } from 'node:net';
import { Body, Controller, Delete, Get, Module, Param, Post, Query } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness, type Reply } from '../../../test/harness.js';
import { PlatformModule } from '../platform.module.js';
import { IntField, ObjectField, PageQuery, TextField } from './fields.js';
import { CanAnyone, IdParam, LargeBody } from './route.decorators.js';

class Inner {
  @TextField({ max: 5 }) name: string;
}
class Thing {
  @TextField({ max: 10 }) title: string;
  @IntField({ optional: true }) size?: number;
  @ObjectField(() => Inner, { optional: true, list: true }) parts?: Inner[];
}

@Controller('v1/things')
class ThingController {
  @Post() @CanAnyone('create', 'Thing') create(@Body() thing: Thing) {
    return thing;
  }
  @Post('large') @LargeBody(3_000_000) @CanAnyone('create', 'Thing') large(@Body() thing: Thing) {
    return { length: thing.title.length };
  }
  @Get() @CanAnyone('read', 'Thing') list(@Query() page: PageQuery) {
    return page;
  }
  @Get(':id') @CanAnyone('read', 'Thing') one(@IdParam('id') id: string) {
    return { id };
  }
  @Delete(':id') @CanAnyone('delete', 'Thing') remove(@Param('id') id: string) {
    return { id };
  }
  @Get('broken/:how') @CanAnyone('read', 'Thing') broken(@Param('how') how: string) {
    const error = how === 'postgres' ? Object.assign(new Error('no'), { code: 'ECONNREFUSED' }) : new Error('secret inside');
    throw error;
  }
}

@Module({ imports: [PlatformModule], controllers: [ThingController] })
class ThingModule {}

interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  requestId: string;
  errors?: { pointer: string; detail: string }[];
}

let evently: Harness;
beforeAll(async () => void (evently = await Harness.start(ThingModule)));
afterAll(() => evently.stop());

/** That a reply is a whole problem document of this status and code. */
function expectProblem(reply: Reply<Problem>, status: number, code: string): Problem {
  expect([reply.status, reply.body.code]).toEqual([status, code]);
  expect(reply.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(reply.body).toMatchObject({ status, code, detail: expect.any(String), type: expect.stringContaining(code) });
  expect(reply.body.requestId).toBe(reply.headers.get('x-request-id'));
  expect(reply.text).not.toMatch(/node_modules|at \w+ \(|secret/);
  return reply.body;
}

const call = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  evently.call<Problem>(method, path, body, { headers });
const text = 'text/plain';
const json = { 'content-type': 'application/json' };

/** Writes bytes to the server and reads what it says until it hangs up. */
function raw(bytes: string | Buffer): Promise<{ status: number; head: string; body: string }> {
  const { hostname, port } = new URL(evently.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => {
      const all = Buffer.concat(chunks).toString();
      const at = all.indexOf('\r\n\r\n');
      resolve({ status: Number(all.slice(9, 12)), head: all.slice(0, at).toLowerCase(), body: all.slice(at + 4) });
    });
  });
}

describe('addresses and methods', () => {
  it.each(['/v1/nothing-here', '/nothing', '/', '/v1/things/not-an-id'])('404 for %s', async (path) => {
    const reply = await call('GET', path, undefined, { 'x-request-id': 'my-id-1' });
    expect(expectProblem(reply, 404, 'not_found').requestId).toBe('my-id-1');
  });

  it('replaces a request id that could do harm in a log', async () => {
    const reply = await call('GET', '/nothing', undefined, { 'x-request-id': 'a b"{}' });
    expect(reply.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'POST'])('405 with Allow for %s where it is not taken', async (method) => {
    const path = method === 'DELETE' || method === 'POST' ? '/livez' : '/v1/things';
    const reply = await call(method, path, {});
    expectProblem(reply, 405, 'method_not_allowed');
    expect(reply.headers.get('allow')).toBe(path === '/livez' ? 'GET, HEAD' : 'GET, HEAD, POST');
  });

  it('400 for a body nested deeper than anybody needs', async () => {
    const deep = (n: number) => `{"a":"[[\\"{","name":${'['.repeat(n)}${']'.repeat(n)}}`;
    expectProblem(await call('POST', '/v1/things', deep(20_000), json), 400, 'invalid_request');
    expect((await call('POST', '/v1/things', deep(60), json)).body.errors?.[0]?.detail ?? '').not.toContain('nested');
  });

  it('405 for a QUERY without a body, as for any method not taken', async () => {
    const { status, body, head } = await raw('QUERY /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    expect([status, JSON.parse(body)]).toMatchObject([405, { code: 'method_not_allowed' }]);
    expect(head).toContain('allow: get, head');
  });

  it('answers HEAD like GET without a body, and OPTIONS with Allow', async () => {
    const head = await call('HEAD', '/v1/things');
    expect([head.status, head.text]).toEqual([200, '']);
    expect((await call('HEAD', '/v1/nothing')).status).toBe(404);
    const options = await call('OPTIONS', '/v1/things');
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
    expectProblem(await call('OPTIONS', '/v1/nothing'), 404, 'not_found');
  });

  it('400 for percent-encoding that is none, 404 for a part that is longer than any id', async () => {
    expectProblem(await call('GET', '/v1/things/%zz'), 400, 'invalid_request');
    expectProblem(await call('GET', '/v1/things/%ff%fe'), 400, 'invalid_request');
    expectProblem(await call('GET', `/v1/things/${'a'.repeat(300)}`), 404, 'not_found');
    expectProblem(await call('GET', '/v1/things/%00'), 404, 'not_found');
  });

  it('ignores a body on GET', async () => {
    const reply = await raw(`GET /v1/things HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`);
    expect(reply.status).toBe(200);
  });
});

describe('bodies', () => {
  it('415 for another media type, none at all, or a form', async () => {
    for (const type of [
      text,
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nonsense',
      'application/jsonx',
    ])
      expectProblem(await call('POST', '/v1/things', 'a=b', { 'content-type': type }), 415, 'unsupported_media_type');
  });

  it('takes JSON with parameters, and its own kinds', async () => {
    for (const type of ['application/json; charset=utf-8', 'application/merge-patch+json', 'Application/JSON'])
      expect((await call('POST', '/v1/things', '{"title":"a"}', { 'content-type': type })).status).toBe(201);
  });

  it('takes a DELETE that names a type but has no body', async () => {
    expect((await call('DELETE', '/v1/things/1', undefined, { 'content-type': text })).status).toBe(200);
  });

  it.each([
    ['cut off', '{"title": "a'],
    ['not JSON', 'title=a'],
    ['two values', '{} {}'],
    ['a NaN', '{"title": NaN}'],
    ['a poisoned prototype', '{"title":"a","__proto__":{"admin":true}}'],
    ['a poisoned constructor', '{"title":"a","constructor":{"prototype":{"admin":true}}}'],
    ['broken UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['a lone continuation byte', Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0x80]), Buffer.from('"}')])],
  ])('400 for %s', async (_, body) => {
    const told = expectProblem(await call('POST', '/v1/things', body, json), 400, 'invalid_request');
    expect(told.errors?.[0].pointer).toBe('');
  });

  it.each([
    ['nothing', undefined, '/title'],
    ['null', 'null', ''],
    ['a list', '[]', ''],
    ['a text', '"hello"', ''],
    ['a number', '7', ''],
    ['a NUL byte', '{"title":"a\\u0000b"}', '/title'],
    ['a lone surrogate', '{"title":"\\ud800"}', '/title'],
    ['a wrong type', '{"title":{"a":1}}', '/title'],
    ['a field nobody knows', '{"title":"a","colour":"red"}', '/colour'],
    ['a number beyond int32', '{"title":"a","size":9223372036854775808}', '/size'],
    ['a fraction', '{"title":"a","size":1.5}', '/size'],
    ['a bad part', '{"title":"a","parts":[{"name":"ok"},{"name":"too long"}]}', '/parts/1/name'],
    ['a part that is none', '{"title":"a","parts":[7]}', '/parts/0'],
    ['a list that is none', '{"title":"a","parts":{"length":1}}', '/parts'],
  ])('400 with a pointer for %s', async (_, body, pointer) => {
    const told = expectProblem(await call('POST', '/v1/things', body, json), 400, 'invalid_request');
    expect(told.errors?.map((e) => e.pointer)).toContain(pointer);
  });

  it('tells at most 50 problems of a hundred thousand', async () => {
    const parts = Array.from({ length: 90_000 }, () => 1);
    const told = expectProblem(await call('POST', '/v1/things', { title: 'a', parts }), 400, 'invalid_request');
    expect(told.errors!.length).toBeLessThanOrEqual(50);
  });

  it('413 for ten megabytes, at once and in chunks', async () => {
    const big = JSON.stringify({ title: 'a'.repeat(10_000_000) });
    expectProblem(await call('POST', '/v1/things', big, json), 413, 'payload_too_large');
    const chunked = `POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${(2_000_000).toString(16)}\r\n${'a'.repeat(2_000_000)}\r\n0\r\n\r\n`;
    const reply = await raw(chunked.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    expect([reply.status, JSON.parse(reply.body).code]).toEqual([413, 'payload_too_large']);
  });

  it('takes more where a route says so, and no more than that', async () => {
    const title = (n: number) => JSON.stringify({ title: 'a'.repeat(n) });
    expect((await call('POST', '/v1/things/large', title(2_000_000), json)).status).toBe(400); // Read, and its title is too long.
    expectProblem(await call('POST', '/v1/things/large', title(4_000_000), json), 413, 'payload_too_large');
  });
});

describe('queries', () => {
  it.each(['limit=0', 'limit=201', 'limit=x', 'limit=1e3', 'limit=', 'limit=1&limit=2', 'colour=red', 'cursor=%00'])(
    '400 for ?%s',
    async (query) => void expectProblem(await call('GET', `/v1/things?${query}`), 400, 'invalid_request'),
  );
});

describe('what is no HTTP', () => {
  const close = 'Connection: close\r\n\r\n';
  it.each([
    ['garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n', 400],
    ['an unknown method', `BREW /v1/things HTTP/1.1\r\nHost: x\r\n${close}`, 400],
    ['two lengths', `POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n${close}`, 400],
    [
      'a length and chunks',
      `POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n${close}`,
      400,
    ],
    ['a header with a control character', `GET /v1/things HTTP/1.1\r\nHost: x\r\nA: \x01\r\n${close}`, 400],
    ['no Host', `GET /v1/things HTTP/1.1\r\n${close}`, 400],
    ['a header too large', `GET /v1/things HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(20_000)}\r\n${close}`, 431],
    ['an address too long', `GET /v1/things?q=${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n${close}`, 431],
    ['a path that is absolute', `GET http://evil.example/v1/none HTTP/1.1\r\nHost: x\r\n${close}`, 404],
  ])('answers %s', async (_, bytes, status) => {
    const reply = await raw(Buffer.from(bytes, 'latin1'));
    expect(reply.status).toBe(status);
    expect(reply.head).toContain('content-type: application/problem+json');
    expect(JSON.parse(reply.body)).toMatchObject({ status, code: expect.any(String), requestId: expect.any(String) });
    expect((await call('GET', '/livez')).status).toBe(200);
  });
});

describe('what fails inside', () => {
  it('503 with Retry-After, and nothing of ours in it', async () => {
    for (const how of ['postgres', 'bug']) {
      const reply = await call('GET', `/v1/things/broken/${how}`);
      expectProblem(reply, 503, 'unavailable');
      expect(reply.headers.get('retry-after')).toBe('1');
    }
  });

  it('counts refusals by code', async () => {
    const { text: metrics } = await evently.call('GET', '/metrics');
    expect(metrics).toMatch(/evently_refusals_total\{code="unsupported_media_type"\} [1-9]/);
    expect(metrics).toMatch(
      /evently_http_request_duration_seconds_count\{method="POST",route="\/v1\/things",status="415"\} [1-9]/,
    );
    expect(metrics).toMatch(/evently_http_request_duration_seconds_count\{method="ANY",route="none",status="404"\} [1-9]/);
    expect(metrics).not.toContain('nothing-here');
  });
});
