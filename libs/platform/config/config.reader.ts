// Configuration: one class per context, read from the environment or from files; all problems of an environment told at once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import type { Provider, Type } from '@nestjs/common';

interface FieldSpec {
  env: string;
  secret: boolean;
}

const fields = new Map<Type, Map<string, FieldSpec>>();
const specsOf = (type: Type) => fields.get(type) ?? fields.set(type, new Map()).get(type)!;

/** Names the variable a field is read from. The initial value of the field is its default. */
export function Env(env: string): PropertyDecorator {
  return (target, key) => void specsOf(target.constructor as Type).set(String(key), { env, secret: false });
}

/**
 * A secret: read from NAME, from the file that NAME_FILE names, or from SECRETS_DIR/NAME (made by the first start).
 * In production it must come from NAME or NAME_FILE and be at least `minLength` characters. Never logged.
 */
export function SecretEnv(env: string): PropertyDecorator {
  return (target, key) => void specsOf(target.constructor as Type).set(String(key), { env, secret: true });
}

/** The file a secret is read from; undefined where its value stands in the environment itself, or nowhere. */
export function secretFile(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env[name] !== undefined) return undefined;
  const made = env.NODE_ENV !== 'production' && env.SECRETS_DIR ? join(env.SECRETS_DIR, name) : undefined;
  return env[`${name}_FILE`] ?? made;
}

/** Values that were published in examples, and so are no secrets. */
const demoSecrets = /^(secret|changeme|change-me|demo|test|password|evently)/i;

function readSecret(env: NodeJS.ProcessEnv, name: string, problems: string[]): string | undefined {
  const production = env.NODE_ENV === 'production';
  const file = secretFile(name, env);
  let value = env[name];
  if (value === undefined && file !== undefined) {
    try {
      value = readFileSync(file, 'utf8').trim();
    } catch (e) {
      problems.push(`${name}: the file ${file} cannot be read (${(e as NodeJS.ErrnoException).code}).`);
      return undefined;
    }
  }
  if (value === undefined || value === '') problems.push(`${name} is missing: set it, or name its file in ${name}_FILE.`);
  else if (production && demoSecrets.test(value)) problems.push(`${name} is a demo value: production needs one of its own.`);
  else if (production && value.length < 32) problems.push(`${name} is too short: production needs at least 32 characters.`);
  return value;
}

/** URLs may carry a password. */
const withoutCredentials = (shown: string | undefined) => shown?.replace(/\/\/[^@\s]*@/, '//***@');

function read<T extends object>(type: Type<T>, env: NodeJS.ProcessEnv, problems: string[]): T {
  const raw: Record<string, string> = {};
  for (const [key, spec] of specsOf(type)) {
    const value = spec.secret ? readSecret(env, spec.env, problems) : env[spec.env];
    if (value !== undefined && value !== '') raw[key] = value;
  }
  const config = plainToInstance(type, raw, { exposeDefaultValues: true, enableImplicitConversion: false });
  for (const bad of validateSync(config, { stopAtFirstError: true })) {
    const spec = specsOf(type).get(bad.property);
    if (spec?.secret && bad.value === undefined) continue; // Told already, by its name.
    const shown = spec?.secret ? '' : ` (got ${withoutCredentials(JSON.stringify(bad.value))})`;
    problems.push(`${spec?.env ?? bad.property}: ${Object.values(bad.constraints ?? {})[0] ?? 'is not valid'}${shown}.`);
  }
  return config;
}

/** Reads every declared configuration class and throws one error that lists all problems. Called first thing by the apps. */
export function checkEnvironment(env: NodeJS.ProcessEnv): void {
  const problems: string[] = [];
  for (const type of fields.keys()) read(type, env, problems);
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
}

/** The provider of a configuration class: `providers: [provideConfig(BookingConfig)]`. */
export function provideConfig<T extends object>(type: Type<T>): Provider<T> {
  return {
    provide: type,
    useFactory: () => {
      const problems: string[] = [];
      const config = read(type, process.env, problems);
      if (problems.length > 0) throw new ConfigError(problems);
      return config;
    },
  };
}

/** An environment that cannot be started with. Its message is what the operator sees. */
export class ConfigError extends Error {
  constructor(readonly problems: string[]) {
    super(`The configuration has ${problems.length} problem(s):\n${problems.map((p) => `  - ${p}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export const toNumber = ({ value }: { value: unknown }) => (typeof value === 'string' ? Number(value) : value);
export const toBoolean = ({ value }: { value: unknown }) =>
  typeof value === 'string' ? value === '1' || value === 'true' : value;
export const toList = ({ value }: { value: unknown }) =>
  typeof value === 'string'
    ? value
        .split(',')
        .map((s) => s.trim())
        .filter(Boolean)
    : value;
