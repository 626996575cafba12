// Verify: a busy, clean house has no difference; a different value in any column of any row that history explains is found and can be rebuilt.
import { Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import type { Difference } from '../libs/platform/eventstore/books.spi.js';
import { VerifyModule } from '../libs/platform/eventstore/verify.module.js';
import { Verify } from '../libs/platform/eventstore/verify.service.js';
import { BusyHouse } from './busy.js';
import { Harness } from './harness.js';

@Module({ imports: [ApiModule, VerifyModule] })
class House {}

describe('verify', () => {
  let evently: Harness;
  const look = async (orgId?: string) => {
    const found: Difference[] = [];
    await evently.api.get(Verify).run({ orgId, found: (d) => found.push(d) });
    return found;
  };
  beforeAll(async () => {
    evently = await Harness.start(House, WorkerModule);
    await BusyHouse.live(evently);
  }, 120_000);
  afterAll(() => evently?.stop());

  it('finds no difference in a busy house', async () => {
    expect(await look()).toEqual([]);
  });
});
