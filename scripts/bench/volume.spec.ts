// Volume's rows: what is loaded for a measurement is a house whose books and history agree, and in which Ada can be asked for hers.
import { Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import type { Difference } from '../../libs/platform/eventstore/books.spi.js';
import { VerifyModule } from '../../libs/platform/eventstore/verify.module.js';
import { Verify } from '../../libs/platform/eventstore/verify.service.js';
import { Harness } from '../../test/harness.js';
import { person, type Person } from '../../test/people.js';
import { READS } from './volume.asks.js';
import type { House } from './volume.house.js';
import { load } from './volume.load.js';

@Module({ imports: [ApiModule, VerifyModule] })
class VerifyHouse {}

const size = { events: 3000, bookings: 1500 };
let evently: Harness;
let ada: Person;
let indexes: () => Promise<string[]>;
let before: string[];

describe('a loaded house', () => {
  beforeAll(async () => {
    evently = await Harness.start(VerifyHouse);
    indexes = async () =>
      (await evently.sql.query<{ indexdef: string }>('SELECT indexdef FROM pg_indexes ORDER BY 1')).rows.map((r) => r.indexdef);
    before = await indexes();
    ada = await person(evently);
    await load(evently.databaseUrl, size, ada.id, new AbortController().signal);
  });
  afterAll(() => evently?.stop());

  it('has the indexes that it had when it was empty', async () => {
    expect(before.length).toBeGreaterThan(30);
    expect(await indexes()).toEqual(before);
  });

  it('has no difference between rows, history and counters', async () => {
    const found: Difference[] = [];
    const told = await evently.api.get(Verify).run({ found: (d) => found.push(d) });
    expect(found).toEqual([]);
    expect(told.events).toBeGreaterThan(size.events + size.bookings);
  });

  it('answers everything that is measured with something', async () => {
    const house = { size, organizations: 3, token: ada.accessToken } as House;
    for (const [name, draw] of Object.entries(READS)) {
      const { path, token } = draw(house, 5);
      const { status, body } = await evently.call<{ items?: unknown[] }>('GET', path, undefined, { token });
      expect([name, status]).toEqual([name, 200]);
      if (!name.includes('in vain') && name !== "search in an event's bookings")
        expect([name, body.items?.length]).not.toEqual([name, 0]);
    }
  });

  it('stops loading when it is told to', async () => {
    await expect(load(evently.databaseUrl, size, ada.id, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});
