// Places: where each consumer stands in the event store, carried over to a Postgres that counts its transactions anew.
//
// A place is a snapshot, and each domain event says in which transaction it was written: numbers of one Postgres cluster. pg_dump takes
// them along. In a cluster that has not counted so far yet, what happens next would look as if every consumer had heard it long ago,
// and once it has counted so far, all that was ever heard would look new.
import type { Type } from '@nestjs/common';
import type { QueryRunner } from 'typeorm';
import { FOREIGN_PLACES, isFor, type Hearing } from '../../libs/platform/eventstore/event.place.js';
import { HEARS, type Hears } from '../../libs/platform/queue/processor.decorators.js';

/** Every consumer, read off the modules: nothing is started. */
export function heardIn(module: object, heard: Hearing[] = [], seen = new Set<object>()): Hearing[] {
  if (seen.has(module)) return heard;
  seen.add(module);
  const { imports = [], providers = [] } = partsOf(module);
  for (const each of imports) heardIn(each, heard, seen);
  for (const provider of providers) {
    const proto = (provider as Type).prototype as Record<string, object> | undefined;
    for (const name of proto ? Object.getOwnPropertyNames(proto) : []) {
      const method = Object.getOwnPropertyDescriptor(proto, name)?.value as object | undefined;
      const hears = typeof method === 'function' ? (Reflect.getMetadata(HEARS, method) as Hears | undefined) : undefined;
      if (hears) heard.push(hears);
    }
  }
  return heard;
}

/** Of a module class its decorator's, of a dynamic module its own. */
function partsOf(module: object): { imports?: object[]; providers?: object[] } {
  if (typeof module !== 'function') return module;
  return {
    imports: Reflect.getMetadata('imports', module) as object[] | undefined,
    providers: Reflect.getMetadata('providers', module) as object[] | undefined,
  };
}

export interface Carried {
  events: number;
  /** Domain events that a consumer had not heard when the dump was made, by consumer: they are set aside, and heard first. */
  waiting: Record<string, number>;
}

/**
 * Makes the places right, in one transaction that sees the database at one moment, so that it may even run beside others.
 * Null when they are right already: the database was never moved, or into a cluster that has counted further.
 */
export async function carryPlaces(runner: QueryRunner, heard: readonly Hearing[]): Promise<Carried | null> {
  await runner.startTransaction('REPEATABLE READ');
  try {
    await runner.query('SET LOCAL statement_timeout = 0');
    const [{ foreign }] = (await runner.query(FOREIGN_PLACES)) as [{ foreign: boolean }];
    if (!foreign) {
      await runner.rollbackTransaction();
      return null;
    }
    const waiting: Record<string, number> = {};
    for (const { name, type, only } of heard) {
      const rows = (await runner.query(SET_ASIDE, [name, type.type, only ?? null])) as unknown[];
      if (rows.length > 0) waiting[name] = rows.length;
    }
    // 3 is older than every snapshot of any cluster: the first number an ordinary transaction can have.
    const [, events] = (await runner.query(`UPDATE platform.event SET xid = '3'`)) as [unknown, number];
    await runner.query(
      `UPDATE platform.consumer SET done = pg_current_snapshot(), target = NULL, target_org = NULL, target_seq = NULL, moved_at = platform.now()`,
    );
    await runner.commitTransaction();
    return { events, waiting };
  } catch (e) {
    if (runner.isTransactionActive) await runner.rollbackTransaction();
    throw e;
  }
}

/** Numbers of the old cluster are still right among one another; what each consumer has not taken is read off them one last time. */
const SET_ASIDE = `INSERT INTO platform.dead_letter (org_id, consumer, stream, stream_version, attempts, error, next_try_at)
  SELECT event.org_id, c.name, event.stream, event.stream_version, 0, 'not heard yet when the database was moved', platform.now()
  FROM platform.consumer c JOIN platform.event ON ${isFor('$2', '$3')}
  WHERE c.name = $1 AND NOT pg_visible_in_snapshot(event.xid, c.done)
    AND (c.target IS NULL OR NOT pg_visible_in_snapshot(event.xid, c.target) OR (event.org_id, event.seq) > (c.target_org, c.target_seq))
  ON CONFLICT DO NOTHING RETURNING 1`;
