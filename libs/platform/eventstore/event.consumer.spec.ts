// Domain events reach each consumer, take effect once, and in order per stream, whatever commits when and whatever crashes.
import * as fc from 'fast-check';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PlatformHouse } from '../../../test/platform.house.js';
import type { RecordedEvent } from '../../kernel/domain-event.js';
import { newOrgId } from '../../kernel/ids.js';
import { ambient, runAs } from '../db/ambient.js';
import type { Consumer } from './event.consumer.js';

/** Finds the loud ones. */
const LOUD = '$.loud ? (@ == true)';

/** Made by hand: declared ones belong to the program, and a worker of another spec in this process would miss who hears it. */
const Rung = (data: { orgId: string; bell: string }) => ({ type: 'spec.bell-rung', shape: 1, stream: `bell:${data.bell}`, data });

const APPEND = `INSERT INTO platform.event (org_id, stream, stream_version, type, shape, data, actor, request_id)
  SELECT $1::uuid, $2, coalesce((SELECT max(stream_version) FROM platform.event WHERE org_id = $1 AND stream = $2), 0) + 1,
    'spec.bell-rung', 1, jsonb_build_object('loud', $3::boolean), 'test', 'none' RETURNING seq::int, stream_version`;

let house: PlatformHouse;
let consumer: Consumer;
let org: string;
let names = 0;
/** What each event does, beside leaving its effect; may throw. */
let mood: (event: RecordedEvent) => Promise<void> | void;

async function open(environment: Record<string, string> = {}): Promise<void> {
  house = await PlatformHouse.open(environment);
  await house.sql.query('CREATE TABLE effect (n serial PRIMARY KEY, consumer text, stream text, version int)');
}

beforeEach(async () => {
  org = newOrgId();
  mood = () => undefined;
  consumer = {
    name: `spec.hear-${names++}`,
    type: { type: 'spec.bell-rung' } as never,
    handle: async (event: RecordedEvent<never>) => {
      await house.db.execute('INSERT INTO effect (consumer, stream, version) VALUES ($1, $2, $3)', [
        consumer.name,
        event.stream,
        event.streamVersion,
      ]);
      await mood(event as never);
    },
  };
});

/** Effects so far, in the order they were taken: `a1 a2 b1`. */
async function effects(name = consumer.name): Promise<string> {
  const { rows } = await house.sql.query('SELECT stream, version FROM effect WHERE consumer = $1 ORDER BY n', [name]);
  return rows.map((r) => `${r.stream.replace('bell:', '')}${r.version}`).join(' ');
}
async function deadLetters(): Promise<string> {
  const { rows } = await house.sql.query(
    'SELECT stream, stream_version AS v, attempts FROM platform.dead_letter WHERE consumer = $1 ORDER BY stream, v',
    [consumer.name],
  );
  return rows.map((r) => `${r.stream.replace('bell:', '')}${r.v}/${r.attempts}`).join(' ');
}
const ring = (bell: string) => house.db.transaction(() => house.events.announce(Rung({ orgId: org, bell })));
const append = async (client: pg.PoolClient | pg.Pool, bell: string, loud = false) =>
  (await client.query(APPEND, [org, `bell:${bell}`, loud])).rows[0] as { seq: number; stream_version: number };
const advance = () => house.consumers.advance(consumer);

describe('the order of commits', () => {
  beforeAll(() => open());
  afterAll(() => house.close());
  beforeEach(() => house.consumers.enrol(consumer.name));
  // The store is shared by the tests of this file: a consumer of the next one starts after what this one left.
  afterEach(async () => void (await house.sql.query('TRUNCATE platform.event, platform.dead_letter')));

  it('loses nothing when a slow transaction commits after a later one', async () => {
    const slow = await house.sql.connect();
    await slow.query('BEGIN');
    const first = await append(slow, 'slow');
    const second = await append(house.sql, 'fast');
    expect(first.seq).toBeLessThan(second.seq); // Whoever reads on from the highest number seen never sees the slow one.
    await advance();
    expect(await effects()).toBe('fast1');
    for (let i = 0; i < 5; i++) await ring(`more${i}`);
    await advance();
    await slow.query('COMMIT');
    slow.release();
    await advance();
    expect(await effects()).toBe('fast1 more01 more11 more21 more31 more41 slow1');
    expect(await advance()).toBe(0);
  });

  it('forgets a transaction that was rolled back', async () => {
    const slow = await house.sql.connect();
    await slow.query('BEGIN');
    await append(slow, 'a');
    await ring('b');
    await advance();
    await slow.query('ROLLBACK');
    slow.release();
    await ring('a');
    await advance();
    expect(await effects()).toBe('b1 a1');
  });

  it('keeps the order of a stream that two write at once: the second is made to come after', async () => {
    const slow = await house.sql.connect();
    await slow.query('BEGIN');
    await append(slow, 'a');
    const second = ring('a'); // Wants version 1 too, waits, is refused and tried again as version 2.
    await advance();
    expect(await effects()).toBe('');
    await slow.query('COMMIT');
    slow.release();
    await second;
    await advance();
    expect(await effects()).toBe('a1 a2');
  });

  it('takes more than a batch, of several organizations, each in order', async () => {
    const orgs = [newOrgId(), newOrgId(), newOrgId()];
    for (let i = 0; i < 260; i++) await house.sql.query(APPEND, [orgs[i % 3], `bell:${'xyz'[i % 3]}${'abcde'[i % 5]}`, false]);
    expect(await advance()).toBe(260);
    const byStream = new Map<string, number>();
    for (const taken of (await effects()).split(' ')) {
      const [, stream, version] = /^([a-z]+)(\d+)$/.exec(taken)!;
      expect(Number(version)).toBe((byStream.get(stream) ?? 0) + 1);
      byStream.set(stream, Number(version));
    }
    expect([byStream.size, [...byStream.values()].reduce((a, b) => a + b)]).toEqual([15, 260]);
  });

  it('takes an effect once when many processes are at it', async () => {
    for (let i = 0; i < 50; i++) await ring(`b${i % 7}`);
    await Promise.all(Array.from({ length: 8 }, advance));
    await advance();
    const taken = (await effects()).split(' ');
    expect([taken.length, new Set(taken).size]).toEqual([50, 50]);
  });

  it('carries request and trace ids from who announced to who hears', async () => {
    await runAs(
      { requestId: 'req-1', traceId: 'a'.repeat(32), principal: { kind: 'account', accountId: 'x', sessionId: 's', roles: {} } },
      () => ring('a'),
    );
    let seen: unknown;
    mood = (event) => void (seen = [event.actor, event.requestId, ambient().requestId, ambient().traceId]);
    await advance();
    expect(seen).toEqual(['account:x', 'req-1', 'req-1', 'a'.repeat(32)]);
  });

  it.each([
    ['all', undefined],
    ['some', LOUD],
  ])(
    'whatever the interleaving of writers, rollbacks, failures and consumers that hear %s',
    { timeout: 120_000 },
    async (_, only) => {
      const command = fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({ do: fc.constant('append' as const), client: fc.nat(3), bell: fc.nat(3), loud: fc.boolean() }),
        },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('commit' as const), client: fc.nat(3) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('rollback' as const), client: fc.nat(3) }) },
        { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), failures: fc.nat(2) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('retry' as const) }) },
      );
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 60 }), async (commands) => {
          org = newOrgId();
          consumer.name = `spec.random-${process.pid}-${only ? 'some' : 'all'}-${runs++}`;
          consumer.only = only;
          await house.sql.query('TRUNCATE platform.event, platform.dead_letter');
          await house.consumers.enrol(consumer.name);
          const clients = await Promise.all([0, 1, 2, 3].map(() => house.sql.connect()));
          /** Bells written by a transaction that is still open: another writer would wait for it. */
          const held = new Map<number, number>();
          const working = new Set<number>();
          const end = async (client: number, how: string) => {
            if (working.delete(client)) await clients[client].query(how);
            for (const [bell, by] of held) if (by === client) held.delete(bell);
          };
          let failures = 0;
          mood = () => {
            if (failures > 0) {
              failures -= 1;
              throw new Error('not now');
            }
          };
          for (const c of commands) {
            if (c.do === 'append') {
              if ((held.get(c.bell) ?? c.client) !== c.client) continue;
              if (!working.has(c.client)) await clients[c.client].query('BEGIN');
              working.add(c.client);
              held.set(c.bell, c.client);
              await append(clients[c.client], String.fromCharCode(97 + c.bell), c.loud);
            } else if (c.do === 'advance') {
              failures = c.failures;
              await advance();
            } else if (c.do === 'retry') {
              await house.shiftClock(3600);
              await house.consumers.retry([consumer]);
            } else await end(c.client, c.do === 'commit' ? 'COMMIT' : 'ROLLBACK');
          }
          for (const client of [0, 1, 2, 3]) await end(client, 'COMMIT');
          for (const client of clients) client.release();
          failures = 0;
          await advance();
          for (let i = 0; (await deadLetters()) !== '' && i < 100; i++) {
            await house.shiftClock(3600);
            await house.consumers.retry([consumer]);
          }
          const { rows } = await house.sql.query(
            `SELECT stream, stream_version AS v FROM platform.event WHERE $1 OR (data->>'loud')::boolean ORDER BY stream, v`,
            [only === undefined],
          );
          const written = rows.map((r) => `${r.stream.replace('bell:', '')}${r.v}`);
          const taken = (await effects()).split(' ').filter(Boolean);
          expect([...taken].sort()).toEqual([...written].sort()); // Nothing lost, nothing twice.
          for (const bell of ['a', 'b', 'c', 'd'])
            expect(taken.filter((t) => t.startsWith(bell))).toEqual(
              written.filter((t) => t.startsWith(bell)).sort((x, y) => Number(x.slice(1)) - Number(y.slice(1))),
            );
        }),
        { numRuns: 25 },
      );
    },
  );
});

describe('what a consumer need not hear', () => {
  beforeAll(() => open());
  afterAll(() => house.close());
  beforeEach(async () => {
    consumer = { ...consumer, only: LOUD };
    await house.consumers.enrol(consumer.name);
  });
  afterEach(async () => void (await house.sql.query('TRUNCATE platform.event, platform.dead_letter')));

  const loudly = (bell: string) =>
    house.db.transaction(() => house.events.announce(Rung({ orgId: org, bell, loud: true } as never)));
  const place = async () =>
    (await house.sql.query('SELECT done::text, moved_at FROM platform.consumer WHERE name = $1', [consumer.name])).rows[0];

  it('is passed by, and what comes after it is heard', async () => {
    for (const bell of ['a', 'b', 'a']) await ring(bell);
    await loudly('a');
    await ring('a');
    expect(await advance()).toBe(1);
    expect(await effects()).toBe('a3');
  });

  it('is looked through once, without a write, until its place is written down after five seconds', async () => {
    await advance(); // From the beginning of the store to here.
    const before = await place();
    await ring('a');
    expect([await advance(), await advance()]).toEqual([0, 0]);
    expect(await place()).toEqual(before);
    await house.shiftClock(6);
    await advance();
    expect((await place()).done).not.toBe(before.done);
    await loudly('a');
    expect([await advance(), await effects()]).toEqual([1, 'a2']);
  });

  it('is looked through anew after Postgres has crashed, which may give out numbers again', async () => {
    await advance();
    await ring('a');
    await advance(); // Remembers that there was nothing.
    await house.sql.query(`UPDATE platform.event SET data = '{"loud": true}'`); // As if that number were another event's now.
    expect(await advance()).toBe(0);
    const { places } = house.consumers as unknown as { places: { passed: Map<string, { life: string }> } };
    places.passed.get(consumer.name)!.life = 'the one before';
    expect([await advance(), await effects()]).toEqual([1, 'a1']);
  });

  it('is looked through anew by who has not, and by who finds the place moved back', async () => {
    await loudly('a');
    await ring('b');
    await advance();
    await ring('b');
    await advance(); // Remembers that there was nothing.
    await house.sql.query(`UPDATE platform.consumer SET done = '1:1:' WHERE name = $1`, [consumer.name]); // As an operator would, to hear all again.
    await advance();
    expect((await effects()).split(' ').filter((e) => e === 'a1')).toHaveLength(2);
  });
});

describe('events taken together', () => {
  beforeAll(() => open());
  afterAll(() => house.close());
  let lists: string[];
  beforeEach(async () => {
    lists = [];
    const { name, type, ...alone } = consumer as Consumer & { handle(event: RecordedEvent): Promise<void> };
    consumer = {
      name,
      type,
      handleAll: async (events: RecordedEvent[]) => {
        for (const event of events) await alone.handle(event);
        lists.push(events.map((e) => `${e.stream.replace('bell:', '')}${e.streamVersion}`).join(' '));
      },
    };
    await house.consumers.enrol(consumer.name);
  });
  afterEach(async () => void (await house.sql.query('TRUNCATE platform.event, platform.dead_letter')));

  it('come as one list for each organization', async () => {
    const first = org;
    for (const bell of ['a', 'b', 'a']) await ring(bell);
    org = newOrgId();
    await ring('c');
    expect(await advance()).toBe(4);
    expect(lists.sort()).toEqual(['a1 b1 a2', 'c1']);
    expect(first).not.toBe(org);
  });

  it('leave only the bad one behind, and what follows in its stream', async () => {
    for (const bell of ['a', 'b', 'a', 'c']) await ring(bell);
    let poison = true;
    mood = (event) => {
      if (poison && event.stream === 'bell:a' && event.streamVersion === 1) throw new Error('bad luck');
    };
    await advance();
    expect([await effects(), await deadLetters()]).toEqual(['b1 c1', 'a1/1 a2/0']);
    await ring('a');
    await ring('d');
    await advance();
    expect([lists.at(-1), await deadLetters()]).toEqual(['d1', 'a1/1 a2/0 a3/0']);
    poison = false;
    await house.shiftClock(5);
    for (let i = 0; i < 3; i++) await house.consumers.retry([consumer]);
    expect(await effects()).toBe('b1 c1 d1 a1 a2 a3');
  });
});

describe('crashes and bad events', () => {
  beforeAll(() => open());
  afterAll(() => house.close());
  beforeEach(() => house.consumers.enrol(consumer.name));
  afterEach(async () => void (await house.sql.query('TRUNCATE platform.event, platform.dead_letter')));

  it('takes effect once when the process dies between effect and cursor', async () => {
    for (const bell of ['a', 'a', 'b']) await ring(bell);
    let deaths = 2;
    mood = async () => {
      // The connection is cut after the effect was written and before the place was: as much as a crash is to Postgres.
      if (deaths-- > 0) await house.db.query('SELECT pg_terminate_backend(pg_backend_pid())');
    };
    await advance();
    await house.shiftClock(5);
    await house.consumers.retry([consumer]);
    await house.consumers.retry([consumer]);
    await advance();
    expect((await effects()).split(' ').sort().join(' ')).toBe('a1 a2 b1');
    expect((await effects()).replace(/b1 ?/, '').trim()).toBe('a1 a2');
  });

  it('sets a poison event aside, lets other streams pass, and makes its own stream wait in order', async () => {
    for (const bell of ['a', 'a', 'b', 'a', 'b']) await ring(bell);
    let poison = true;
    mood = (event) => {
      if (poison && event.stream === 'bell:a' && event.streamVersion === 2) throw new Error('bad luck');
    };
    await advance();
    expect(await effects()).toBe('a1 b1 b2');
    expect(await deadLetters()).toBe('a2/1 a3/0');
    await ring('a');
    await advance();
    await house.consumers.retry([consumer]); // Not due yet.
    expect(await deadLetters()).toBe('a2/1 a3/0 a4/0');
    await house.shiftClock(2);
    await house.consumers.retry([consumer]);
    expect(await deadLetters()).toBe('a2/2 a3/0 a4/0');
    poison = false;
    await house.shiftClock(10);
    for (let i = 0; i < 3; i++) await house.consumers.retry([consumer]);
    expect(await effects()).toBe('a1 b1 b2 a2 a3 a4');
    await ring('a');
    await advance();
    expect(await effects()).toBe('a1 b1 b2 a2 a3 a4 a5');
  });

  it('leaves a hopeless event to an operator after twelve tries, and tells why', async () => {
    await ring('a');
    mood = () => {
      throw new TypeError('never');
    };
    await advance();
    for (let i = 0; i < 20; i++) {
      await house.shiftClock(3600);
      await house.consumers.retry([consumer]);
    }
    const { rows } = await house.sql.query('SELECT attempts, error, next_try_at FROM platform.dead_letter WHERE consumer = $1', [
      consumer.name,
    ]);
    expect(rows).toEqual([{ attempts: 12, error: 'TypeError: never', next_try_at: null }]);
  });

  it('does not set aside what another process has settled meanwhile', async () => {
    await ring('a');
    let once = true;
    mood = () => {
      if (once) throw new Error('first time');
    };
    await advance();
    once = false;
    await house.shiftClock(5);
    let other: Promise<void> | undefined;
    mood = async () => {
      if (other) return;
      other = Promise.resolve();
      // While this try fails, its lock is given up and another process takes the event.
      throw new Error('second time');
    };
    const { trouble } = house.consumers as unknown as { trouble: { failedAgain(...a: unknown[]): Promise<void> } };
    const failedAgain = trouble.failedAgain.bind(trouble);
    trouble.failedAgain = async (...args) => {
      trouble.failedAgain = failedAgain;
      await house.consumers.retry([consumer]);
      await failedAgain(...args);
    };
    await house.consumers.retry([consumer]);
    expect(await effects()).toBe('a1');
    expect(await deadLetters()).toBe('');
  });

  it('does not blame an event when Postgres asks for another try', async () => {
    await ring('a');
    let conflicts = 3;
    mood = async () => {
      if (conflicts-- > 0) await house.db.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
    };
    await advance();
    expect([await effects(), await deadLetters()]).toEqual(['a1', '']);
  });
});

describe('without Redis', () => {
  beforeAll(() => open({ REDIS_URL: 'redis://127.0.0.1:1' }));
  afterAll(() => house.close());

  it('domain events are written and heard all the same', async () => {
    await house.consumers.enrol(consumer.name);
    await ring('a');
    await advance();
    expect(await effects()).toBe('a1');
  });
});
