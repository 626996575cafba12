// Organizations: who may do what in one's own, that another's is not to be seen at all, and that events tell the whole story.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { Harness } from '../../test/harness.js';
import { apiKey, loggedInAgain, organizationOf, person, refused, type Person } from '../../test/people.js';
import { newGlobalId, newId, tagOf } from '../kernel/ids.js';
import { declaredPersonalData } from '../kernel/personal-data.js';
import type { Role } from '../kernel/principal.js';
import { digest } from '../platform/eventstore/event.store.js';
import { AuthPort } from './auth.port.js';

interface Item {
  id: string;
  accountId: string;
  role: Role;
  version: number;
  status: string;
}

let evently: Harness;
let owner: Person;
let orgId: string;

const call = (method: string, path: string, who: Person | string, body?: unknown, ifMatch?: number) =>
  evently.call<Item & { items: Item[]; nextCursor: string | null }>(method, path, body, {
    token: typeof who === 'string' ? who : who.accessToken,
    ifMatch,
  });
const org = (path = '') => `/v1/organizations/${orgId}${path}`;

/** Somebody with a role in the organization, by invitation. */
async function memberAs(role: Role): Promise<Person> {
  const who = await person(evently);
  const made = await call('POST', org('/invitations'), owner, { email: who.email, role });
  expect(made.status).toBe(201);
  const mail = await evently.api.get(AuthPort).mailedToken('invitation', made.body.id);
  expect(mail!.to.email).toBe(who.email);
  expect(mail!.organizationName).toBe('Concerts');
  expect((await call('POST', '/v1/invitations/accept', who, { token: mail!.token })).body).toMatchObject({ id: orgId, role });
  return who;
}

beforeAll(async () => {
  evently = await Harness.start(ApiModule);
  owner = await person(evently, 'Olga');
  orgId = await organizationOf(evently, owner);
});
afterAll(() => evently.stop());

describe('an organization', () => {
  it('has one slug, its own; its tag ends the ids of what it owns', async () => {
    const body = { name: 'Opera', slug: 'opera' };
    const made = await call('POST', '/v1/organizations', owner, body);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({ id: made.body.id, ...body, version: 1 });
    expect(refused(await call('POST', '/v1/organizations', owner, body))).toEqual([409, 'slug_taken']);
    const port = evently.api.get(AuthPort);
    expect(await port.orgOf(newId(made.body.id))).toBe(made.body.id);
    await expect(port.orgOf(newGlobalId())).rejects.toMatchObject({ code: 'not_found' });
    const { rows } = await evently.sql.query<{ tag: string }>(`SELECT tag FROM auth.organization_tag WHERE org_id = $1`, [
      made.body.id,
    ]);
    expect(rows[0].tag).toBe(tagOf(made.body.id));
  });

  it('of many that ask for one slug at once, one gets it', async () => {
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => call('POST', '/v1/organizations', owner, { name: 'Rush', slug: 'rush' })),
    );
    expect(replies.map((r) => r.status).sort()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('changes with If-Match; a slug that was left is free again', async () => {
    const { body } = await call('POST', '/v1/organizations', owner, { name: 'Old', slug: 'old-slug' });
    const path = `/v1/organizations/${body.id}`;
    expect(refused(await call('PATCH', path, owner, { slug: 'opera' }, 1))).toEqual([409, 'slug_taken']);
    expect((await call('PATCH', path, owner, { name: 'New', slug: 'new-slug' }, 1)).body).toEqual({
      id: body.id,
      name: 'New',
      slug: 'new-slug',
      version: 2,
    });
    expect(refused(await call('PATCH', path, owner, { name: 'X' }, 1))).toEqual([412, 'stale_version']);
    expect((await call('POST', '/v1/organizations', owner, { name: 'Heir', slug: 'old-slug' })).status).toBe(201);
  });

  it('is listed among mine, page by page', async () => {
    const mine = await person(evently);
    const ids = [];
    for (let i = 0; i < 3; i++) ids.push(await organizationOf(evently, mine));
    const first = await call('GET', '/v1/me/organizations?limit=2', mine);
    const second = await call('GET', `/v1/me/organizations?limit=2&cursor=${first.body.nextCursor}`, mine);
    expect([...first.body.items, ...second.body.items].map((o) => [o.id, o.role])).toEqual(ids.map((id) => [id, 'owner']));
    expect(second.body.nextCursor).toBeNull();
  });
});

describe("another organization's things", () => {
  it('are not found, in whatever position their ids stand', async () => {
    const stranger = await person(evently);
    const theirs = await organizationOf(evently, stranger);
    const key = await apiKey(evently, stranger, theirs);
    const invited = (
      await call('POST', `/v1/organizations/${theirs}/invitations`, stranger, { email: 'x@example.org', role: 'staff' })
    ).body.id;
    const keyId = (await call('GET', `/v1/organizations/${theirs}/api-keys`, stranger)).body.items[0].id;

    const scope = { name: 'K', scopes: ['*'] };
    const invite = { email: 'y@example.org', role: 'staff' };
    const nowhere = newGlobalId();
    for (const who of [owner, await memberAs('staff'), await apiKey(evently, owner, orgId)]) {
      for (const o of [theirs, nowhere, 'not-an-id', orgId.toUpperCase()]) {
        const at = `/v1/organizations/${o}`;
        const tries: [string, string, unknown?, number?][] = [
          ['GET', at],
          ['PATCH', at, { name: 'Mine' }, 1],
          ['GET', `${at}/members`],
          ['GET', `${at}/members/${stranger.id}`],
          ['PATCH', `${at}/members/${stranger.id}`, { role: 'staff' }, 1],
          ['DELETE', `${at}/members/${stranger.id}`],
          ['GET', `${at}/invitations`],
          ['POST', `${at}/invitations`, invite],
          ['DELETE', `${at}/invitations/${invited}`],
          ['GET', `${at}/api-keys`],
          ['POST', `${at}/api-keys`, scope],
          ['DELETE', `${at}/api-keys/${keyId}`],
        ];
        for (const [method, path, body, version] of tries) {
          expect([method, path, ...refused(await call(method, path, who, body, version))]).toEqual([
            method,
            path,
            404,
            'not_found',
          ]);
        }
      }
    }
    // The same ids inside one's own organization.
    for (const [method, path, body, version] of [
      ['GET', org(`/members/${stranger.id}`)],
      ['PATCH', org(`/members/${stranger.id}`), { role: 'owner' }, 1],
      ['DELETE', org(`/members/${stranger.id}`)],
      ['DELETE', org(`/invitations/${invited}`)],
      ['DELETE', org(`/api-keys/${keyId}`)],
    ] as [string, string, unknown?, number?][]) {
      expect([path, ...refused(await call(method, path, owner, body, version))]).toEqual([path, 404, 'not_found']);
    }
    expect((await call('GET', `/v1/organizations/${theirs}`, key)).status).toBe(200);
  });
});

describe('members', () => {
  it('have roles: staff read, managers manage staff, owners everything', async () => {
    const [manager, staff, other] = [await memberAs('manager'), await memberAs('staff'), await memberAs('staff')];
    const list = await call('GET', org('/members?limit=200'), staff);
    expect(list.body.items.map((m) => m.accountId)).toEqual(expect.arrayContaining([owner.id, manager.id, staff.id]));
    const at = (who: Person) => org(`/members/${who.id}`);
    const forbidden: [Person, string, string, unknown?, number?][] = [
      [staff, 'PATCH', at(other), { role: 'manager' }, 1],
      [staff, 'DELETE', at(other)],
      [staff, 'POST', org('/invitations'), { email: 'z@example.org', role: 'staff' }],
      [staff, 'GET', org('/invitations')],
      [staff, 'GET', org('/api-keys')],
      [staff, 'PATCH', org(), { name: 'Mine' }, 1],
      [manager, 'PATCH', at(owner), { role: 'staff' }, 1],
      [manager, 'PATCH', at(other), { role: 'owner' }, 1],
      [manager, 'DELETE', at(owner)],
      [manager, 'POST', org('/invitations'), { email: 'z@example.org', role: 'owner' }],
      [manager, 'POST', org('/api-keys'), { name: 'K', scopes: ['*'] }],
    ];
    for (const [who, method, path, body, version] of forbidden)
      expect([method, path, ...refused(await call(method, path, who, body, version))]).toEqual([method, path, 403, 'forbidden']);
    const changed = await call('PATCH', at(other), manager, { role: 'manager' }, 1);
    expect(changed.body).toMatchObject({ accountId: other.id, role: 'manager', version: 2 });
    expect(refused(await call('PATCH', at(other), manager, { role: 'staff' }, 1))).toEqual([412, 'stale_version']);
    expect((await call('DELETE', at(staff), manager)).status).toBe(204);
  });

  it('a lost role counts at once here, and a member who left sees nothing any more', async () => {
    const staff = await memberAs('staff');
    expect((await call('GET', org(), staff)).status).toBe(200);
    expect((await call('DELETE', org(`/members/${staff.id}`), owner)).status).toBe(204);
    expect(refused(await call('GET', org(), staff))).toEqual([404, 'not_found']);
    expect(refused(await call('DELETE', org(`/members/${staff.id}`), owner))).toEqual([404, 'not_found']);
  });

  it('may leave by themselves, and come back by another invitation', async () => {
    const staff = await memberAs('staff');
    expect((await call('DELETE', org(`/members/${staff.id}`), staff)).status).toBe(204);
    const again = (await call('POST', org('/invitations'), owner, { email: staff.email, role: 'manager' })).body.id;
    const token = (await evently.api.get(AuthPort).mailedToken('invitation', again))!.token;
    expect((await call('POST', '/v1/invitations/accept', staff, { token })).body.role).toBe('manager');
  });

  it('the last owner stays, also when two leave at once', async () => {
    const [first, second] = [await person(evently), await person(evently)];
    const theirs = await organizationOf(evently, first);
    const at = (who: Person) => `/v1/organizations/${theirs}/members/${who.id}`;
    expect(refused(await call('DELETE', at(first), first))).toEqual([409, 'bad_transition']);
    expect(refused(await call('PATCH', at(first), first, { role: 'staff' }, 1))).toEqual([409, 'bad_transition']);
    const invited = (await call('POST', `/v1/organizations/${theirs}/invitations`, first, { email: second.email, role: 'owner' }))
      .body.id;
    const token = (await evently.api.get(AuthPort).mailedToken('invitation', invited))!.token;
    await call('POST', '/v1/invitations/accept', second, { token });
    const replies = await Promise.all([call('DELETE', at(first), first), call('DELETE', at(second), second)]);
    expect(replies.map((r) => r.status).sort()).toEqual([204, 409]);
  });

  it('are reachable for those above: owners and managers', async () => {
    const contacts = await evently.api.get(AuthPort).managersOf(orgId);
    expect(contacts.map((c) => c.email)).toContain(owner.email);
  });
});

describe('invitations', () => {
  it('work once, for 14 days, until revoked, and show how they stand', async () => {
    const guest = await person(evently);
    const invite = async () => {
      const { id } = (await call('POST', org('/invitations'), owner, { email: guest.email, role: 'staff' })).body;
      return { id, token: (await evently.api.get(AuthPort).mailedToken('invitation', id))!.token };
    };
    const accept = (token: string) => call('POST', '/v1/invitations/accept', guest, { token });
    const [used, revoked, old] = [await invite(), await invite(), await invite()];
    expect((await call('DELETE', org(`/invitations/${revoked.id}`), owner)).status).toBe(204);
    expect(refused(await call('DELETE', org(`/invitations/${revoked.id}`), owner))).toEqual([409, 'bad_transition']);
    expect(refused(await accept(revoked.token))).toEqual([400, 'invalid_request']);
    expect(refused(await accept(`${used.id}.${old.token.split('.')[1]}`))).toEqual([400, 'invalid_request']);
    expect((await evently.call('POST', '/v1/invitations/accept', { token: used.token })).status).toBe(401);
    expect((await accept(used.token)).status).toBe(200);
    expect(refused(await accept(used.token))).toEqual([400, 'invalid_request']);
    await evently.shiftClock(14 * 86_400 + 1);
    owner = await loggedInAgain(evently, owner);
    const late = await loggedInAgain(evently, guest);
    expect(refused(await call('POST', '/v1/invitations/accept', late, { token: old.token }))).toEqual([400, 'invalid_request']);
    const { items } = (await call('GET', org('/invitations?limit=200'), owner)).body;
    expect([used, revoked, old].map(({ id }) => items.find((i) => i.id === id)!.status)).toEqual([
      'accepted',
      'revoked',
      'expired',
    ]);
  });
});

describe('the event store', () => {
  it("gives every row of auth's aggregates when it is folded", async () => {
    await apiKey(evently, owner, orgId);
    const keys: Record<string, string[]> = {
      'auth.account': ['account_id'],
      'auth.session': ['account_id', 'id'],
      'auth.organization': ['org_id'],
      'auth.member': ['org_id', 'account_id'],
      'auth.invitation': ['org_id', 'id'],
      'auth.api_key': ['org_id', 'id'],
    };
    const { rows: events } = await evently.sql.query<{ rows: Record<string, Record<string, unknown>[]> | null }>(
      `SELECT data -> 'rows' AS rows FROM platform.event ORDER BY seq`,
    );
    for (const [table, key] of Object.entries(keys)) {
      const keyOf = (row: Record<string, unknown>) => key.map((k) => row[k]).join(' ');
      const folded = new Map<string, unknown>();
      for (const { rows } of events) for (const row of rows?.[table] ?? []) folded.set(keyOf(row), alike(row));
      const personal = declaredPersonalData().find((p) => p.table === table)?.columns ?? {};
      const { rows: stored } = await evently.sql.query<{ row: Record<string, unknown> }>(
        `SELECT to_jsonb(t) AS row FROM ${table} t`,
      );
      expect(stored.length).toBeGreaterThan(0);
      expect(folded.size).toBe(stored.length);
      for (const { row } of stored) {
        for (const [column, kind] of Object.entries(personal)) {
          if (kind === 'text') row[column] = digest(row[column]);
          else delete row[column];
        }
        expect(folded.get(keyOf(row))).toEqual(alike(row));
      }
    }
  });
});

/** Instants in one spelling. */
const alike = (row: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(row).map(([k, v]) => [k, k.endsWith('_at') && v ? new Date(v as string).toISOString() : v]));
