// Secrets: signing keys and shared secrets. Made once in .evently/secrets for a machine of one's own, never in production.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Advice, isCalled, ownFolder } from './machine/place.mjs';

export const secretsFolder = join(ownFolder, 'secrets');

const random = () => randomBytes(32).toString('base64url');

/** What the apps read, each from NAME, else from the file that NAME_FILE names, else (not in production) from $SECRETS_DIR/NAME. */
const secrets = {
  JWT_KEYS: { make: () => keySet('rsa', { modulusLength: 2048 }, 'RS256'), check: checkKeys('RSA') },
  TICKET_KEYS: { make: () => keySet('ed25519', {}, 'EdDSA'), check: checkKeys('OKP') },
  HMAC_KEY: { make: random, check: checkRandom },
  COOKIE_KEY: { make: random, check: checkRandom },
  PAYMENTS_TEST_WEBHOOK_SECRET: { make: random, check: checkRandom },
};

/** Makes what is missing; in production it only checks. @returns the environment that the apps need for it */
export function prepareSecrets(env) {
  if (env.NODE_ENV === 'production') {
    const problems = Object.keys(secrets).flatMap((name) => problemOf(name, env) ?? []);
    if (problems.length === 0) return {};
    throw new Advice(
      `NODE_ENV=production, and secrets are not made here:\n${problems.map((line) => `  ${line}`).join('\n')}\n` +
        'Give each as NAME or as a file that NAME_FILE names; .env.example says what each is and how to make one.',
    );
  }
  for (const [name, { make }] of Object.entries(secrets)) if (!read(name, env)) keepSecret(name, make);
  return env.SECRETS_DIR ? {} : { SECRETS_DIR: secretsFolder };
}

/** The secret that `folder` keeps under `name`, made on the first call. */
export function keepSecret(name, make = random, folder = secretsFolder, mode = 0o600) {
  const file = join(folder, name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (!existsSync(file)) {
    writeFileSync(`${file}.new`, make(), { mode });
    renameSync(`${file}.new`, file);
  }
  chmodSync(file, mode);
  return readFileSync(file, 'utf8').trim();
}

function read(name, env) {
  if (env[name]) return env[name].trim();
  const inFolder = env.NODE_ENV !== 'production' && env.SECRETS_DIR && join(env.SECRETS_DIR, name);
  const file = env[`${name}_FILE`] || inFolder;
  return file && existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

/** A JWK set with one private key; its kid is the thumbprint of RFC 7638. */
function keySet(type, options, alg) {
  const { privateKey } = generateKeyPairSync(type, options);
  const key = privateKey.export({ format: 'jwk' });
  const members = key.kty === 'RSA' ? { e: key.e, kty: key.kty, n: key.n } : { crv: key.crv, kty: key.kty, x: key.x };
  const kid = createHash('sha256').update(JSON.stringify(members)).digest('base64url');
  return JSON.stringify({ keys: [{ ...key, kid, alg, use: 'sig' }] });
}

function problemOf(name, env) {
  const value = read(name, env);
  if (!value) return `${name} is missing`;
  const problem = secrets[name].check(value);
  if (problem) return `${name} ${problem}`;
  const made = join(secretsFolder, name);
  return existsSync(made) && readFileSync(made, 'utf8').trim() === value ? `${name} is the one made for development` : null;
}

function checkRandom(value) {
  if (/^(change-?me|example|secret|demo|test|password|evently)/i.test(value)) return 'is a demo value';
  if (value.length < 32) return 'is shorter than 32 characters';
  return new Set(value).size < 12 ? 'is not random' : null;
}

function checkKeys(kty) {
  return (value) => {
    let keys;
    try {
      ({ keys } = JSON.parse(value));
    } catch {
      return 'is not JSON: {"keys": [...]} is expected';
    }
    if (!Array.isArray(keys) || keys.length === 0) return 'holds no key';
    if (keys.some((key) => key?.kty !== kty || !key.d || !key.kid)) return `must hold private ${kty} keys, each with a kid`;
    return kty === 'RSA' && keys.some((key) => Buffer.from(key.n, 'base64url').length < 256)
      ? 'has a key shorter than 2048 bits'
      : null;
  };
}

/** Makes what a folder lacks of the secrets that the apps read. */
export function makeSecrets(folder, mode) {
  for (const [name, { make }] of Object.entries(secrets)) keepSecret(name, make, folder, mode);
}

/**
 * `node scripts/secrets.mjs FOLDER` makes those of a production, once: what is there stays. Others may read the files but not
 * enter their folder, so that a container, which gets them mounted one by one, can read them under whatever user it runs.
 */
if (isCalled(import.meta.url)) {
  const folder = process.argv[2];
  if (!folder) {
    console.error('Name the folder that shall hold the secrets: node scripts/secrets.mjs deploy/secrets');
    process.exit(1);
  }
  makeSecrets(folder, 0o644);
  keepSecret('POSTGRES_PASSWORD', random, folder, 0o644);
  console.log(
    `${folder} holds ${Object.keys(secrets).join(', ')}, POSTGRES_PASSWORD. Back it up; whoever has it can sign tickets.`,
  );
}
