// Transactions: one a use case, joined by what is nested, retried where Postgres asks for it; versions guard every write.
import { Column, Entity, getMetadataArgsStorage } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/harness.js';
import { PlatformHouse } from '../../../test/platform.house.js';
import { newId, newOrgId } from '../../kernel/ids.js';
import { Id, IntColumn, JsonColumn, OrgId, TextColumn, VersionColumn } from './columns.js';
import { VersionConflict, type Database } from './database.js';

@Entity({ schema: 'spec', name: 'lamp' })
class Lamp {
  @OrgId() orgId: string;
  @Id() id: string;
  @TextColumn() colour: string;
  @IntColumn({ nullable: true }) brightness: number | null;
  @JsonColumn({ nullable: true }) parts: unknown;
  @Column({ type: 'timestamptz', nullable: true }) litAt: Date | null;
  @VersionColumn() version: number;
}

let house: PlatformHouse;
let db: Database;
let lamp: Lamp;

beforeAll(async () => {
  house = await PlatformHouse.open();
  db = house.db;
  await house.sql
    .query(`CREATE SCHEMA spec; CREATE TABLE spec.lamp (org_id uuid, id uuid, colour text, brightness int CHECK (brightness < 100),
    parts jsonb, lit_at timestamptz, version int NOT NULL DEFAULT 1, PRIMARY KEY (org_id, id))`);
});
afterAll(async () => {
  await house.close();
  // Entities belong to the program: another spec in this process would look for this one's table.
  const { tables, columns } = getMetadataArgsStorage();
  for (const list of [tables, columns]) {
    const others = (list as { target: unknown }[]).filter(({ target }) => target !== Lamp);
    list.splice(0, list.length, ...(others as never[]));
  }
});
beforeEach(async () => {
  const orgId = newOrgId();
  lamp = Object.assign(new Lamp(), {
    orgId,
    id: newId(orgId),
    colour: 'red',
    brightness: 1,
    parts: ['a'],
    litAt: null,
    version: 1,
  });
  await db.insert(lamp);
});

const load = async () => (await db.find(Lamp, { orgId: lamp.orgId, id: lamp.id }))!;
const colour = async () => (await load()).colour;
const paint = (to: string) => db.execute('UPDATE spec.lamp SET colour = $2 WHERE id = $1', [lamp.id, to]);
const raise = (code: string) => db.query(`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '${code}'; END $$`);

describe('saveVersioned', () => {
  it('writes every column and raises the version', async () => {
    const mine = await load();
    Object.assign(mine, {
      colour: 'blue',
      brightness: null,
      parts: { b: [1, null] },
      litAt: new Date('2027-01-02T03:04:05.678Z'),
    });
    await db.saveVersioned(mine);
    expect(mine.version).toBe(2);
    expect(await load()).toEqual(mine);
  });

  it('refuses a copy that somebody has changed since, and leaves the row as it is', async () => {
    const [mine, yours] = [await load(), await load()];
    yours.colour = 'green';
    await db.saveVersioned(yours);
    mine.colour = 'blue';
    await expect(db.saveVersioned(mine)).rejects.toThrow(VersionConflict);
    expect(await load()).toMatchObject({ colour: 'green', version: 2 });
    expect(mine.version).toBe(1);
  });

  it('loses no update of many who load, change and save at once', async () => {
    const bump = () =>
      db.transaction(async () => {
        const it = await load();
        it.brightness! += 1;
        await db.saveVersioned(it);
      });
    await Promise.all(Array.from({ length: 4 }, bump));
    expect(await load()).toMatchObject({ brightness: 5, version: 5 });
  });

  it('gives a row as it is stored, by column', () => {
    expect(db.rowOf(lamp)).toEqual({
      table: 'spec.lamp',
      values: expect.objectContaining({ org_id: lamp.orgId, colour: 'red', lit_at: null, version: 1 }),
    });
  });
});

describe('transaction', () => {
  it('is all or nothing', async () => {
    await expect(
      db.transaction(async () => {
        await paint('blue');
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await colour()).toBe('red');
  });

  it('is joined by what is nested, and seen by nobody else before it ends', async () => {
    let outside = '';
    await db.transaction(async () => {
      expect(db.inTransaction).toBe(true);
      await db.transaction(() => paint('blue'));
      outside = (await house.sql.query('SELECT colour FROM spec.lamp WHERE id = $1', [lamp.id])).rows[0].colour;
      expect(await colour()).toBe('blue');
    });
    expect([outside, await colour(), db.inTransaction]).toEqual(['red', 'blue', false]);
  });

  it.each(['40001', '40P01'])('is run again on %s, the whole of it', async (code) => {
    let tries = 0;
    await db.transaction(async () => {
      await db.execute('UPDATE spec.lamp SET brightness = brightness + 1 WHERE id = $1', [lamp.id]);
      if (++tries < 4) await raise(code);
    });
    expect([tries, (await load()).brightness]).toEqual([4, 2]);
  });

  it('gives up after five tries, and does not try again what is wrong for good', async () => {
    let tries = 0;
    const failing = (code: string) =>
      db.transaction(async () => {
        tries += 1;
        await raise(code);
      });
    await expect(failing('40001')).rejects.toMatchObject({ code: '40001' });
    expect(tries).toBe(5);
    tries = 0;
    await expect(failing('23505')).rejects.toMatchObject({ code: '23505' });
    expect(tries).toBe(1);
  });

  it('survives a real deadlock: both get through', async () => {
    const orgId = newOrgId();
    const other = Object.assign(new Lamp(), { ...lamp, orgId, id: newId(orgId) });
    await db.insert(other);
    const both = [lamp.id, other.id];
    let met = 0;
    let meet: () => void = () => undefined;
    const meeting = new Promise<void>((resolve) => (meet = resolve));
    const cross = (order: string[]) =>
      db.transaction(async () => {
        await db.execute('UPDATE spec.lamp SET brightness = brightness + 1 WHERE id = $1', [order[0]]);
        if (++met === 2) meet();
        await meeting; // Each holds what the other wants.
        await db.execute('UPDATE spec.lamp SET brightness = brightness + 1 WHERE id = $1', [order[1]]);
      });
    await Promise.all([cross(both), cross(both.toReversed())]);
    expect((await load()).brightness).toBe(3);
    expect(met).toBeGreaterThan(2);
  });

  it('waits for a lock no longer than it was told', async () => {
    const holder = await house.sql.connect();
    await holder.query('BEGIN');
    await holder.query('SELECT 1 FROM spec.lamp WHERE id = $1 FOR UPDATE', [lamp.id]);
    await expect(db.transaction(() => paint('blue'), { lockTimeoutMs: 50 })).rejects.toMatchObject({ code: '55P03' });
    await holder.query('ROLLBACK');
    holder.release();
  });

  it('tells what follows it only when it has committed', async () => {
    const told: string[] = [];
    await db
      .transaction(async () => {
        db.afterCommit(() => told.push('never'));
        throw new Error('no');
      })
      .catch(() => undefined);
    await db.transaction(async () => {
      db.afterCommit(() => told.push('after'));
      told.push('inside');
    });
    db.afterCommit(() => told.push('at once'));
    expect(told).toEqual(['inside', 'after', 'at once']);
  });

  it('leaves connections to the others, and one to whom it is kept for, whatever is slow', async () => {
    const holder = await house.sql.connect();
    await holder.query('BEGIN; SELECT 1 FROM spec.lamp FOR UPDATE');
    const slow = (['waiting', 'reading'] as const).flatMap((kind) =>
      Array.from({ length: 30 }, () => db.slowly(kind, () => paint('blue'), 60_000)),
    );
    for (const kind of ['waiting', 'reading'] as const)
      await expect(db.slowly(kind, () => paint('green'), 10)).rejects.toMatchObject({ code: 'overloaded' });
    expect(await colour()).toBe('red'); // A connection is free, and nobody waits for one.
    expect(db.poolState().waiting).toBe(0);
    const greedy = Array.from({ length: 30 }, () => paint('blue'));
    await until('all connections are taken', () => Promise.resolve(db.poolState().waiting > 0));
    expect(await db.express(() => db.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
    await holder.query('ROLLBACK');
    holder.release();
    await Promise.all([...slow, ...greedy]);
  });

  it('gives its connection back, whatever happens', async () => {
    const idle = async () => {
      const { total, idle: free, waiting } = db.poolState();
      return total - free + waiting;
    };
    for (let i = 0; i < 30; i++) await db.transaction(() => raise('22012')).catch(() => undefined);
    await db.transaction(() => db.query('SELECT pg_terminate_backend(pg_backend_pid())')).catch(() => undefined);
    expect(await idle()).toBe(0);
    expect(await colour()).toBe('red');
  });
});

describe('savepoint', () => {
  it('undoes only its own part', async () => {
    await db.transaction(async () => {
      await paint('blue');
      await db
        .savepoint(async () => {
          await paint('green');
          await raise('22012');
        })
        .catch(() => undefined);
      expect(await colour()).toBe('blue');
    });
    expect(await colour()).toBe('blue');
  });

  it('undoes all of its part, also where a part within it was undone before', async () => {
    await db.transaction(async () => {
      await db
        .savepoint(async () => {
          await paint('green');
          await db.savepoint(() => raise('22012')).catch(() => undefined);
          await paint('yellow');
          throw new Error('outer');
        })
        .catch(() => undefined);
    });
    expect(await colour()).toBe('red');
  });

  it('needs a transaction around it', async () => {
    await expect(db.savepoint(async () => 1)).rejects.toThrow(/transaction/);
    await expect(async () => db.findForUpdate(Lamp, { id: lamp.id })).rejects.toThrow(/transaction/);
  });
});
