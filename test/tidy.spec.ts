// Style is an ordinary test: the structure of DESIGN 2 and the measures of STYLE 6, held; and each rule seen red on a small bad example.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../apps/api/api.module.js';
import { WorkerModule } from '../apps/worker/worker.module.js';
import { declaredPersonalData } from '../libs/kernel/personal-data.js';
import { operationsOf, type JsonObject } from '../libs/platform/http/openapi.rules.js';
import { RouteTable } from '../libs/platform/http/route.table.js';
import { Harness } from './harness.js';
import * as catalog from './tidy.catalog.js';
import * as measures from './tidy.measures.js';
import { readSources, Source } from './tidy.source.js';
import * as structure from './tidy.structure.js';
import type { Rule } from './tidy.structure.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = readFileSync(`${root}/.env.example`, 'utf8');
const sources = readSources(root, ['apps', 'libs', 'scripts', 'test', 'ormconfig.ts', 'vitest.config.ts']);
const top = '// Something: a sentence that says what it is.\n';

interface Case {
  rule: Rule;
  /** Files that break it, by path. */
  bad: Record<string, string>;
  /** And what it says then. */
  says: RegExp;
  /** Files that do not. */
  good?: Record<string, string>;
}

const many = (n: number, line: (i: number) => string) => Array.from({ length: n }, (_, i) => line(i)).join('\n');

const cases: Record<string, Case> = {
  'imports go down': {
    rule: structure.importsGoDown,
    bad: { 'libs/auth/a.service.ts': `import { B } from '../booking/booking.port.js';` },
    says: /libs\/auth\/a\.service\.ts imports libs\/booking\/booking\.port\.ts/,
    good: { 'libs/booking/a.service.ts': `import { A } from '../auth/auth.port.js'; import { x } from '../kernel/ids.js';` },
  },
  'imports stay off their own floor': {
    rule: structure.importsGoDown,
    bad: { 'libs/catalog/a.service.ts': `const x = await import('../payments/payments.port.js');` },
    says: /not below/,
  },
  'types go down too': {
    rule: structure.importsGoDown,
    bad: { 'libs/kernel/a.ts': `export type { X } from '../platform/db/database.js';` },
    says: /not below/,
  },
  'nothing of the product uses scripts or tests': {
    rule: structure.importsGoDown,
    bad: { 'libs/auth/a.service.ts': `import { Harness } from '../../test/harness.js';` },
    says: /not below/,
  },
  'each folder has a floor': {
    rule: structure.importsGoDown,
    bad: { 'libs/newcomer/a.service.ts': top },
    says: /newcomer has no floor/,
  },
  'there is no import circle': {
    rule: structure.noCircles,
    bad: {
      'libs/auth/a.ts': `import { b } from './b.js';`,
      'libs/auth/b.ts': `import { c } from './c.js';`,
      'libs/auth/c.ts': `import { a } from './a.js';`,
    },
    says: /a\.ts -> libs\/auth\/b\.ts -> libs\/auth\/c\.ts -> libs\/auth\/a\.ts is a circle/,
    good: { 'libs/auth/a.ts': `import { b } from './b.js';`, 'libs/auth/b.ts': `import type { a } from './a.js';` },
  },
  'a context is entered by its four doors': {
    rule: structure.contextsHaveFourDoors,
    bad: { 'libs/booking/a.service.ts': `import { E } from '../catalog/event.entity.js';` },
    says: /no door of catalog/,
    good: {
      'libs/booking/a.service.ts': `import { E } from '../catalog/catalog.spi.js'; import { D } from '../platform/db/database.js';`,
    },
  },
  'apps only list modules': {
    rule: structure.contextsHaveFourDoors,
    bad: { 'apps/api/api.module.ts': `import { P } from '../../libs/auth/auth.port.js';` },
    says: /no door of auth/,
  },
  'nobody else holds a raw database handle': {
    rule: structure.databaseHasOneDoor,
    bad: {
      'libs/booking/a.repository.ts': `import { Entity, DataSource } from 'typeorm';`,
      'libs/auth/b.service.ts': `import pg from 'pg';`,
    },
    says: /DataSource from typeorm/,
    good: {
      'libs/booking/a.entity.ts': `import { Entity } from 'typeorm';`,
      'libs/platform/db/a.ts': `import pg from 'pg';`,
      'libs/booking/migrations/1763769600000-a.ts': `import type { MigrationInterface, QueryRunner } from 'typeorm';`,
    },
  },
  'there are no attics, barrels or forwardRef': {
    rule: structure.noAttics,
    bad: {
      'libs/auth/index.ts': '',
      'libs/auth/utils/a.ts': '',
      'libs/common/a.ts': '',
      'libs/auth/a.module.ts': `import { forwardRef } from '@nestjs/common';`,
    },
    says: /uses forwardRef/,
    good: { 'libs/auth/account.service.ts': '' },
  },
  'every file of a context says its role, and lies flat': {
    rule: structure.filesHaveRoles,
    bad: { 'libs/auth/stuff.ts': '', 'libs/auth/deep/a.service.ts': '' },
    says: /stuff\.ts: its name has no role/,
    good: { 'libs/auth/a.service.ts': '', 'libs/auth/migrations/1763769600000-a.ts': '', 'libs/platform/redis/redis.ts': '' },
  },
  'every file begins with a sentence': {
    rule: measures.startsWithASentence,
    bad: { 'libs/auth/a.ts': `import x from 'y';` },
    says: /first line/,
    good: { 'libs/auth/a.ts': top, 'scripts/b.mjs': `#!/usr/bin/env node\n${top}` },
  },
  'files are short': { rule: measures.filesAreShort(), bad: { 'libs/auth/a.ts': many(301, () => 'x;') }, says: /301 lines/ },
  'functions are short': {
    rule: measures.functionsAreShort(),
    bad: { 'libs/auth/a.ts': `class A { m() {\n${many(60, () => 'x;')}\n} }` },
    says: /a function of 62 lines/,
  },
  'parameters are few': {
    rule: measures.fewParameters(),
    bad: { 'libs/auth/a.ts': 'const f = (a, b, c, d, e) => 1;' },
    says: /5 parameters/,
    good: { 'libs/auth/a.ts': 'function f(a, b, c, d) {}' },
  },
  'dependencies are few': {
    rule: measures.fewParameters(),
    bad: { 'libs/auth/a.ts': 'class A { constructor(a, b, c, d, e, f, g, h) {} }' },
    says: /8 parameters, more than 7/,
    good: { 'libs/auth/a.ts': 'class A { constructor(a, b, c, d, e, f, g) {} }' },
  },
  'folders are small': {
    rule: measures.foldersAreSmall(),
    bad: Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`libs/auth/a${i}.ts`, ''])),
    says: /libs\/auth holds 31 files/,
  },
  'nothing is any': {
    rule: measures.noAny,
    bad: { 'libs/auth/a.ts': 'let x: any;', 'test/b.ts': 'y as any;' },
    says: /a\.ts:1 says any/,
    good: { 'libs/auth/a.ts': '// any of these\nlet any: unknown;' },
  },
  'time comes from the clock': {
    rule: measures.timeComesFromTheClock,
    bad: { 'libs/auth/a.ts': 'const a = new Date();\nconst b = Date.now();' },
    says: /a\.ts:2 reads/,
    good: { 'libs/auth/a.ts': 'const a = new Date(ms);', 'libs/auth/a.spec.ts': 'Date.now();' },
  },
  'the environment is read by configuration': {
    rule: measures.environmentIsConfiguration,
    bad: { 'libs/auth/a.ts': 'const a = process.env.PORT;' },
    says: /reads process\.env/,
    good: { 'libs/platform/config/a.ts': 'process.env.PORT;' },
  },
  'every variable is explained': {
    rule: measures.environmentIsExplained('# PORT=3000\nHOST=x'),
    bad: { 'libs/auth/a.config.ts': `class A { @Env('PORTAL') a = 1; @SecretEnv('KEY') b: string; }` },
    says: /does not name PORTAL/,
    good: { 'libs/auth/a.config.ts': `class A { @Env('PORT') a = 1; @Env('HOST') b = 2; }` },
  },
};

const set = (files: Record<string, string>) => Object.entries(files).map(([path, text]) => new Source(path, text));

describe.each(Object.entries(cases))('%s', (_, { rule, bad, says, good }) => {
  it('is a rule that can be broken', () => {
    const told = rule(set(bad));
    expect(told.join('\n')).toMatch(says);
    if (good) expect(rule(set(good))).toEqual([]);
  });
});

describe('the repository keeps to', () => {
  const rules: Record<string, Rule> = {
    'imports that go down': structure.importsGoDown,
    'no circles': structure.noCircles,
    'four doors': structure.contextsHaveFourDoors,
    'one door to the database': structure.databaseHasOneDoor,
    'no attics': structure.noAttics,
    'roles in names': structure.filesHaveRoles,
    'a sentence on top': measures.startsWithASentence,
    'short files': measures.filesAreShort(),
    'short functions': measures.functionsAreShort(),
    'few parameters': measures.fewParameters(),
    'small folders': measures.foldersAreSmall(30, measures.BIG_CONTEXTS),
    'no any': measures.noAny,
    'one clock': measures.timeComesFromTheClock,
    'one environment': measures.environmentIsConfiguration,
    'an explained environment': measures.environmentIsExplained(example),
  };
  it.each(Object.entries(rules))('%s', (_, rule) => expect(rule(sources)).toEqual([]));
});

describe('the database and the routes', () => {
  let evently: Harness;
  beforeAll(async () => void (evently = await Harness.start(ApiModule, WorkerModule))); // The worker's boot refuses an unheard domain event.
  afterAll(() => evently.stop());

  it('every key of every domain table begins with the organization', async () => {
    const keys = await catalog.readKeys(evently.sql);
    expect(keys.length).toBeGreaterThan(10);
    expect(catalog.keysBeginWithOrganization(keys, catalog.ACCOUNT_TABLES, catalog.APART)).toEqual([]);
    const listed = [...catalog.ACCOUNT_TABLES, ...Object.keys(catalog.APART)];
    expect(catalog.listsAreTrue(await catalog.readColumns(evently.sql), keys, listed)).toEqual([]);
  });

  it('what is personal is declared', async () => {
    const declared = new Map(declaredPersonalData().map((d) => [d.table, Object.keys(d.columns)]));
    expect(declared.size).toBeGreaterThan(3);
    expect(catalog.personalDataIsDeclared(await catalog.readColumns(evently.sql), declared, catalog.NOT_PERSONAL)).toEqual([]);
  });

  it('rules of the database can be broken', async () => {
    const sql =
      'CREATE SCHEMA tidy; CREATE TABLE tidy.lamp (id uuid PRIMARY KEY, org_id uuid, email text, lit boolean, UNIQUE (email))';
    await evently.sql.query(sql);
    try {
      const keys = await catalog.readKeys(evently.sql);
      const broken = catalog.keysBeginWithOrganization(keys, [], {}).filter((t) => t.startsWith('tidy.'));
      expect(broken).toEqual([
        'tidy.lamp: the unique key lamp_email_key begins with email.',
        'tidy.lamp: the primary key lamp_pkey begins with id.',
      ]);
      const columns = await catalog.readColumns(evently.sql);
      expect(catalog.personalDataIsDeclared(columns, new Map(), {}).join()).toContain('tidy.lamp.email may hold personal data');
      expect(catalog.personalDataIsDeclared([], new Map([['a.b', ['c']]]), {})).toEqual([
        'a.b.c is declared personal, but there is no such column.',
      ]);
      expect(catalog.listsAreTrue([{ table: 'a.b', column: 'c' }], [], ['x.y'])).toHaveLength(2);
    } finally {
      await evently.sql.query('DROP SCHEMA tidy CASCADE');
    }
  });

  it('every route is in the OpenAPI document, and the other way round', async () => {
    const { body } = await evently.call<JsonObject>('GET', '/openapi.json');
    const documented = operationsOf(body).map(
      ({ path, method }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
    );
    const served = evently.api
      .get(RouteTable)
      .all()
      .flatMap(({ url, methods }) => methods.filter((m) => m !== 'HEAD' && m !== 'OPTIONS').map((m) => `${m} ${url}`))
      .filter((route) => !/^GET \/(docs|openapi\.json)/.test(route)); // The document itself, and the page to read it with.
    expect(served.toSorted()).toEqual(documented.toSorted());
    expect(served.filter((r) => /\/v1\//.test(r)).length).toBeGreaterThan(20);
  });
});
