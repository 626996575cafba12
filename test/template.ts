// The template database of a test run: migrated once, cloned for each spec file.
import pg from 'pg';
import { migrate } from '../libs/platform/db/migrations.js';

/** One name a run, so that runs beside each other on one server do not meet. */
export const templateName = () => `evently_template_${process.env.EVENTLY_TEST_RUN ?? process.pid}`;

/** Makes the template on the server that `url` names (as a superuser or owner of databases). */
export async function makeTemplate(url: string): Promise<void> {
  process.env.EVENTLY_TEST_RUN = String(process.pid);
  await withAdmin(url, async (admin) => {
    await admin.query(`DROP DATABASE IF EXISTS "${templateName()}"`);
    await admin.query(`CREATE DATABASE "${templateName()}"`);
  });
  await migrate(databaseUrl(url, templateName()));
}

/** Clones the template; returns the new database's URL. */
export async function cloneTemplate(url: string, name: string): Promise<string> {
  await withAdmin(url, (admin) => admin.query(`CREATE DATABASE "${name}" TEMPLATE "${templateName()}"`));
  return databaseUrl(url, name);
}

export async function dropDatabase(url: string, name: string): Promise<void> {
  await withAdmin(url, (admin) => admin.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
}

function databaseUrl(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function withAdmin(url: string, work: (admin: pg.Client) => Promise<unknown>): Promise<void> {
  const admin = new pg.Client(url);
  await admin.connect();
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
