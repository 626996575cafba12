// For TypeORM's own command line: `npx typeorm migration:show -d dist/ormconfig.js`. `npm run migrate` does not need it.
import { makeDataSource } from './libs/platform/db/data-source.js';
import { loadMigrations } from './libs/platform/db/migrations.js';

export default makeDataSource({ url: process.env.DATABASE_URL ?? '', poolSize: 2, migrations: await loadMigrations() });
