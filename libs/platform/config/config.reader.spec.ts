// The environment: every problem told at once and by name, secrets from files, and what production does not put up with.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testSecrets } from '../../../test/harness.js';
import '../limit/limit.config.js';
import { checkEnvironment, ConfigError, provideConfig } from './config.reader.js';
import { PlatformConfig } from './platform.config.js';

const good = { DATABASE_URL: 'postgres://u:p@h/d', REDIS_URL: 'redis://h', PATH: '/bin' };
let secrets: string;
let folder: string;
beforeAll(() => {
  secrets = testSecrets();
  folder = mkdtempSync(join(tmpdir(), 'evently-config-'));
});
afterAll(() => [secrets, folder].forEach((f) => rmSync(f, { recursive: true, force: true })));

function problems(env: Record<string, string | undefined>): string[] {
  try {
    checkEnvironment(env as NodeJS.ProcessEnv);
    return [];
  } catch (e) {
    expect(e).toBeInstanceOf(ConfigError);
    return (e as ConfigError).problems;
  }
}
/** Those about one variable; other specs of this process may have declared more. */
const about = (name: string, env: Record<string, string | undefined>) => problems(env).filter((p) => p.startsWith(name));

describe('checkEnvironment', () => {
  it('takes a good one', () => {
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'HMAC_KEY', 'PORT', 'RATE_LIMIT'])
      expect(about(name, { ...good, SECRETS_DIR: secrets })).toEqual([]);
  });

  it('tells all problems at once, with the name and the value of each', () => {
    const told = problems({
      DATABASE_URL: 'mysql://x',
      PORT: 'eighty',
      LOG_LEVEL: 'loud',
      RATE_LIMIT_ALLOW: '10.0.0.0/8,nowhere',
    }).join('\n');
    expect(told).toMatch(/DATABASE_URL: .*mysql/);
    expect(told).toMatch(/REDIS_URL: /);
    expect(told).toMatch(/PORT: /);
    expect(told).toMatch(/LOG_LEVEL: .*loud/);
    expect(told).toMatch(/RATE_LIMIT_ALLOW: .*CIDR.*nowhere/);
    expect(told).toMatch(/HMAC_KEY is missing: set it, or name its file in HMAC_KEY_FILE/);
  });

  it('never tells a secret', () => {
    const told = problems({ ...good, HMAC_KEY: 'abc-too-short' }).join('\n');
    expect(told).toContain('HMAC_KEY');
    expect(told).not.toContain('abc-too-short');
  });

  it('reads a secret from the file that is named, and says when it cannot', () => {
    const file = join(folder, 'hmac');
    writeFileSync(file, `${'k'.repeat(40)}\n`);
    expect(about('HMAC_KEY', { ...good, HMAC_KEY_FILE: file })).toEqual([]);
    expect(about('HMAC_KEY', { ...good, HMAC_KEY_FILE: join(folder, 'none') })[0]).toMatch(/none cannot be read \(ENOENT\)/);
  });

  it.each([
    ['missing', undefined, /missing/],
    ['short', 'x'.repeat(31), /too short/],
    ['a demo value', 'changeme-changeme-changeme-changeme', /demo/],
    ['a demo value', 'secret0123456789secret0123456789', /demo/],
  ])('in production refuses a secret that is %s, by its name', (_, value, reason) => {
    expect(about('HMAC_KEY', { ...good, NODE_ENV: 'production', HMAC_KEY: value })[0]).toMatch(reason);
  });

  it('in production does not take the secrets that the first start makes', () => {
    expect(about('HMAC_KEY', { ...good, NODE_ENV: 'production', SECRETS_DIR: secrets })[0]).toMatch(/missing/);
    expect(about('HMAC_KEY', { ...good, NODE_ENV: 'production', HMAC_KEY_FILE: join(secrets, 'HMAC_KEY') })).toEqual([]);
  });
});

describe('provideConfig', () => {
  it('gives defaults, numbers and lists', () => {
    const before = { ...process.env };
    Object.assign(process.env, good, { SECRETS_DIR: secrets, PORT: '', TRUST_PROXY: ' 10.0.0.1, 10.0.0.2 ', DATABASE_POOL: '7' });
    const { useFactory } = provideConfig(PlatformConfig) as { useFactory: () => PlatformConfig };
    expect(useFactory()).toMatchObject({ port: 3000, trustProxy: ['10.0.0.1', '10.0.0.2'], databasePool: 7 });
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
  });
});
