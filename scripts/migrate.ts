// `npm run migrate`: brings the database of DATABASE_URL up to date and says what it did.
import { migrate } from '../libs/platform/db/migrations.js';

const url = process.env.DATABASE_URL;
if (!url) {
  console.error('DATABASE_URL is not set: say which database to migrate.');
  process.exit(2);
}
try {
  const ran = await migrate(url);
  console.log(ran.length > 0 ? `Migrated: ${ran.join(', ')}` : 'The database is up to date.');
} catch (e) {
  console.error(`The database could not be migrated: ${(e as Error).message}`);
  process.exit(1);
}
