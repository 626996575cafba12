// Rules of structure (DESIGN 2): who may import whom, through which door, and what has no place at all.
import type { Source } from './tidy.source.js';

/** A rule says each thing that breaks it, in a sentence that begins with the place. */
export type Rule = (sources: readonly Source[]) => string[];

/** From the bottom up. Rooms on one floor do not know one another. */
const FLOORS: readonly (readonly string[])[] = [
  ['kernel'],
  ['platform'],
  ['auth'],
  ['catalog', 'payments', 'waitingroom', 'audit', 'privacy', 'ops'],
  ['pricing'],
  ['booking'],
  ['waitlist', 'checkin'],
  ['revenue', 'calendar'],
  ['realtime'],
  ['notifications', 'webhooks', 'analytics'],
  ['apps'],
];
const FREE = ['scripts', 'test', 'k6']; // May use anything, and are used by nothing.
const floorOf = (room: string) => FLOORS.findIndex((floor) => floor.includes(room));
const roomOf = (path: string) => (path.startsWith('libs/') ? path.split('/')[1] : path.split('/')[0]);
const isOurs = (path: string) => /^(libs|apps|scripts|test|k6)\//.test(path);
const product = (sources: readonly Source[]) =>
  sources.filter((s) => !s.isTest && !FREE.includes(s.room) && s.path.includes('/'));

export const importsGoDown: Rule = (sources) =>
  product(sources).flatMap((source) => {
    if (floorOf(source.room) === -1) return [`${source.path}: the folder ${source.room} has no floor in tidy.structure.ts.`];
    return source.imports
      .filter(({ target }) => isOurs(target) && roomOf(target) !== source.room && floorOf(roomOf(target)) >= floorOf(source.room))
      .concat(source.imports.filter(({ target }) => isOurs(target) && floorOf(roomOf(target)) === -1))
      .map(({ target }) => `${source.path} imports ${target}, which is not below it.`);
  });

const DOORS = /\.(port|domain-events|spi|module)\.ts$/;

export const contextsHaveFourDoors: Rule = (sources) =>
  product(sources).flatMap((source) =>
    source.imports
      .filter(({ target }) => target.startsWith('libs/') && !['kernel', 'platform', source.room].includes(roomOf(target)))
      .filter(({ target }) => !(source.room === 'apps' ? /\.module\.ts$/ : DOORS).test(target))
      .map(({ target }) => `${source.path} imports ${target}, which is no door of ${roomOf(target)}.`),
  );

/** Circles over what is there at run time, told once each from their first file. */
export const noCircles: Rule = (sources) => {
  const byPath = new Map(product(sources).map((s) => [s.path, s]));
  const state = new Map<string, 'open' | 'done'>();
  const trail: string[] = [];
  const found: string[] = [];
  const visit = (path: string): void => {
    if (state.get(path) === 'done' || !byPath.has(path)) return;
    if (state.get(path) === 'open') {
      found.push(`${[...trail.slice(trail.indexOf(path)), path].join(' -> ')} is a circle.`);
      return;
    }
    state.set(path, 'open');
    trail.push(path);
    for (const { target, typeOnly } of byPath.get(path)!.imports) if (!typeOnly) visit(target);
    trail.pop();
    state.set(path, 'done');
  };
  for (const path of byPath.keys()) visit(path);
  return found;
};

/** What of TypeORM describes a table or a condition, and so may be anywhere; the rest are handles. */
const DESCRIBING = ['Entity', 'Column', 'PrimaryColumn', 'Index', 'ViewEntity', 'ViewColumn', 'In', 'IsNull', 'Not'];
/** Files that hold a handle although they are not in platform/db, and why. */
const HANDLED: Record<string, string> = {
  'libs/platform/platform.module.ts': 'tells Nest of the connection',
  'libs/platform/eventstore/verify.repository.ts': 'asks which tables the entities describe, to compare them all',
};

export const databaseHasOneDoor: Rule = (sources) =>
  product(sources)
    .filter((s) => !s.path.startsWith('libs/platform/db/') && !HANDLED[s.path])
    .flatMap((source) =>
      source.imports
        .filter(({ target, names, typeOnly }) => {
          if (['pg', 'pg-cursor', 'pg-copy-streams', '@nestjs/typeorm'].includes(target)) return true;
          if (target !== 'typeorm') return false;
          const inMigration = /\/migrations\/[^/]+$/.test(source.path);
          return !names.every(
            (n) => DESCRIBING.includes(n) || (inMigration && typeOnly && /^(MigrationInterface|QueryRunner)$/.test(n)),
          );
        })
        .map(({ target, names }) => `${source.path} takes ${names.join(', ')} from ${target}: ask platform/db's Database.`),
    );

const ATTICS = /(^|\/)(utils?|helpers?|common|shared|core|misc|lib)(\/|\.ts$)|(^|\/)index\.ts$|\.(utils?|helpers?)\.ts$/;
const ROLES =
  /\.(rules|entity|repository|service|controller|resolver|gateway|processor|dto|domain-events|jobs|port|spi|errors|policy|config|personal-data|client|guard|module|migration)\.ts$/;

export const noAttics: Rule = (sources) => [
  ...sources.filter((s) => ATTICS.test(s.path)).map((s) => `${s.path}: a name that says nothing about what is in it.`),
  ...sources
    .filter((s) => s.imports.some((i) => i.target === '@nestjs/common' && i.names.includes('forwardRef')))
    .map((s) => `${s.path} uses forwardRef: two things that need each other are one, or need a third.`),
];

/** In a context every file says its role; kernel and platform are tools, named by their nouns. */
export const filesHaveRoles: Rule = (sources) =>
  product(sources)
    .filter((s) => s.path.startsWith('libs/') && !['kernel', 'platform'].includes(s.room))
    .filter((s) => !/\/migrations\/\d{13}-[a-z0-9-]+\.ts$/.test(s.path))
    .flatMap((s) => [
      ...(ROLES.test(s.path) || /\/migrations\//.test(s.path) ? [] : [`${s.path}: its name has no role of DESIGN 2.`]),
      ...(s.path.split('/').length === 3 || /\/(migrations|templates|fonts)\//.test(s.path)
        ? []
        : [`${s.path}: contexts are flat.`]),
    ]);
