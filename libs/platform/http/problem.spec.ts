// Whatever goes wrong, the answer is a problem document: unknown addresses, methods, media types, broken bodies.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Harness } from '../../../test/harness.js';
import { ApiModule } from '../../../apps/api/api.module.js';
import { WorkerModule } from '../../../apps/worker/worker.module.js';

describe('problem documents', () => {
  let evently: Harness;
  beforeAll(async () => (evently = await Harness.start(ApiModule, WorkerModule)));
  afterAll(() => evently.stop());

  it('answers 404 with a problem and the request id it was given', async () => {
    const reply = await evently.call<{ code: string; requestId: string }>('GET', '/v1/nothing-here', undefined, {
      headers: { 'x-request-id': 'my-id-1' },
    });
    expect(reply.status).toBe(404);
    expect(reply.headers.get('content-type')).toContain('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'not_found', requestId: 'my-id-1' });
    expect(reply.headers.get('x-request-id')).toBe('my-id-1');
  });
});
