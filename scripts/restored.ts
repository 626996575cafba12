// `npm run restored`: to be run once after a dump was loaded into another Postgres, before api and worker start.
import 'reflect-metadata';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { makeDataSource } from '../libs/platform/db/data-source.js';
import { carryPlaces, heardIn } from './restored/places.js';

/** Exit status: 0 when the database is right (again), 1 when it could not be made so, 2 without a database. */
async function main(url: string | undefined): Promise<number> {
  if (!url) {
    console.error('DATABASE_URL is not set: say which database was restored.');
    return 2;
  }
  const source = makeDataSource({ url, poolSize: 1 });
  try {
    await source.initialize();
    const carried = await carryPlaces(source.createQueryRunner(), heardIn(WorkerModule));
    if (!carried) {
      console.log('Nothing to do: what this database says of transactions fits its server.');
      return 0;
    }
    console.log(`${carried.events} domain events now count as written before this server began.`);
    const waiting = Object.entries(carried.waiting);
    for (const [consumer, n] of waiting) console.log(`  ${consumer} has ${n} still to hear, and will when the worker runs`);
    if (waiting.length === 0) console.log('  Every consumer had heard all of them.');
    return 0;
  } catch (e) {
    const code = (e as { code?: string }).code;
    const why = code === '40001' ? 'a worker moved on meanwhile: stop api and worker, and run it again' : (e as Error).message;
    console.error(`The database was left as it is: ${why}.`);
    return 1;
  } finally {
    if (source.isInitialized) await source.destroy();
  }
}

process.exitCode = await main(process.env.DATABASE_URL);
