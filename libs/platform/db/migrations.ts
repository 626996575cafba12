// Migrations: found in the migrations folder of every context, so that adding one is adding a file.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { MigrationInterface } from 'typeorm';
import { makeDataSource } from './data-source.js';

type MigrationClass = new () => MigrationInterface;

const libs = fileURLToPath(new URL('../..', import.meta.url));

/** Every migration's file with the timestamp it is known by, oldest first. Reads folders only. */
export function knownMigrations(): { timestamp: string; path: string }[] {
  return readdirSync(libs, { withFileTypes: true, recursive: true })
    .filter((f) => f.isFile() && /(^|[\\/])migrations$/.test(f.parentPath) && /^\d{13}-[a-z0-9-]+\.(js|ts)$/.test(f.name))
    .map((f) => ({ timestamp: f.name.slice(0, 13), path: join(f.parentPath, f.name), name: f.name }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ timestamp, path }) => ({ timestamp, path }));
}

/** Every migration class, in the order of its file's timestamp. */
export async function loadMigrations(): Promise<MigrationClass[]> {
  const classes: MigrationClass[] = [];
  for (const { path } of knownMigrations()) {
    const found = (await import(pathToFileURL(path).href)) as Record<string, MigrationClass>;
    classes.push(...Object.values(found).filter((v) => typeof v === 'function'));
  }
  return classes;
}

/** Brings a database up to date; returns the names of what was run. One process at a time: the others wait. */
export async function migrate(url: string): Promise<string[]> {
  const source = makeDataSource({ url, poolSize: 2, migrations: await loadMigrations() });
  await source.initialize();
  try {
    await source.query('SELECT pg_advisory_lock(8241763)'); // Held by this session while it migrates.
    const ran = await source.runMigrations({ transaction: 'each' });
    return ran.map((m) => m.name);
  } finally {
    await source.destroy();
  }
}

/** Names of migrations that the database has not had yet. */
export async function pendingMigrations(url: string): Promise<string[]> {
  const source = makeDataSource({ url, poolSize: 1, migrations: await loadMigrations() });
  await source.initialize();
  try {
    const known = source.migrations.map((m) => m.name ?? m.constructor.name);
    const [{ there }] = (await source.query(`SELECT to_regclass('public.migration') IS NOT NULL AS there`)) as [
      { there: boolean },
    ];
    if (!there) return known;
    const done = new Set(((await source.query('SELECT name FROM public.migration')) as { name: string }[]).map((r) => r.name));
    return known.filter((name) => !done.has(name));
  } finally {
    await source.destroy();
  }
}
