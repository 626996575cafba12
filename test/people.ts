// People for specs: registered and logged in over HTTP, with organizations and keys of their own.
import { expect } from 'vitest';
import type { Harness, Reply } from './harness.js';

export const PASSWORD = 'correct horse battery';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  expiresIn: number;
}

export interface Person extends Tokens {
  id: string;
  email: string;
}

let count = 0;

/** Somebody new, logged in. */
export async function person(evently: Harness, name = 'Ada'): Promise<Person> {
  const email = `person${++count}@example.org`;
  const made = await evently.call<{ id: string }>('POST', '/v1/auth/register', { email, password: PASSWORD, name });
  expect(made.status).toBe(201);
  return { id: made.body.id, email, ...(await login(evently, email)).body };
}

export const login = (evently: Harness, email: string, password = PASSWORD): Promise<Reply<Tokens>> =>
  evently.call<Tokens>('POST', '/v1/auth/login', { email, password });

/** The same person with new tokens: after the clock has moved, the old ones have ended. */
export const loggedInAgain = async (evently: Harness, who: Person): Promise<Person> => ({
  ...who,
  ...(await login(evently, who.email)).body,
});

/** An organization that somebody owns; gives its id. */
export async function organizationOf(evently: Harness, owner: Person): Promise<string> {
  const made = await evently.call<{ id: string }>(
    'POST',
    '/v1/organizations',
    { name: 'Concerts', slug: `concerts-${++count}` },
    { token: owner.accessToken },
  );
  expect(made.status).toBe(201);
  return made.body.id;
}

/** An API key of an organization. */
export async function apiKey(evently: Harness, owner: Person, orgId: string, scopes: string[] = ['*']): Promise<string> {
  const made = await evently.call<{ key: string }>(
    'POST',
    `/v1/organizations/${orgId}/api-keys`,
    { name: 'Program', scopes },
    { token: owner.accessToken },
  );
  expect(made.status).toBe(201);
  return made.body.key;
}

/** Status and code of a refusal. */
export const refused = (reply: Reply<unknown>): [number, string] => [reply.status, (reply.body as { code: string }).code];
