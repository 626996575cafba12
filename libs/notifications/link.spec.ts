// The pages of mailed links: their script does with the token what the mail promised, against the real api.
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiModule } from '../../apps/api/api.module.js';
import { WorkerModule } from '../../apps/worker/worker.module.js';
import { organizer, expectStatus, unique } from '../../test/buyer.js';
import { Harness, until } from '../../test/harness.js';
import { AuthPort, type MailedTokenKind } from '../auth/auth.port.js';
import { languageOf, linkPage, linkPages, type LinkPage } from './link-page.rules.js';
import { linkFor } from './link.rules.js';

const password = 'correct horse battery';
let evently: Harness;
beforeAll(async () => (evently = await Harness.start(ApiModule, WorkerModule)));
afterAll(() => evently?.stop());

async function register(): Promise<{ id: string; email: string }> {
  const email = `${unique('reader')}@example.org`;
  const made = await evently.call<{ id: string }>('POST', '/v1/auth/register', { email, password, name: 'Ada' });
  return { id: expectStatus(made, 201).id, email };
}

/** The link of a mail, as its mailer would write it now. */
async function linkOf(kind: MailedTokenKind, id: string): Promise<string> {
  return linkFor(evently.url, kind, (await evently.api.get(AuthPort).mailedToken(kind, id))!.token);
}

interface Opened {
  said(): string;
  disabled(): boolean;
  submit(fields: Record<string, string>): Promise<void>;
}

/** Opens a link as a browser does that has just enough of a document for the page's script. */
async function open(link: string): Promise<Opened> {
  const url = new URL(link);
  const page = await fetch(url.origin + url.pathname);
  const html = await page.text();
  const script = await (await fetch(url.origin + /<script src="([^"]+)">/.exec(html)![1])).text();
  const dataset = Object.fromEntries([...html.matchAll(/data-(\w+)="([^"]*)"/g)].map((m) => [m[1], m[2]]));
  let submitted: (event: object) => Promise<void>;
  const form = { dataset, hidden: false, addEventListener: (_: string, heard: typeof submitted) => (submitted = heard) };
  const status = { textContent: '' };
  const button = { disabled: false };
  let filled: Record<string, string> = {};
  runInNewContext(script, {
    document: { querySelector: (what: string) => (what === 'form' ? form : what === 'button' ? button : status) },
    location: { hash: url.hash },
    fetch: (path: string, init: RequestInit) => fetch(url.origin + path, init),
    FormData: class {
      *[Symbol.iterator]() {
        yield* Object.entries(filled);
      }
    },
    URLSearchParams,
  });
  return {
    said: () => status.textContent,
    disabled: () => button.disabled,
    submit: (fields) => {
      filled = fields;
      return submitted({ preventDefault: () => undefined });
    },
  };
}

describe('link pages', () => {
  it('proves a mail address once, and says so the second time', async () => {
    const { id } = await register();
    const link = await linkOf('email-verification', id);
    const first = await open(link);
    await first.submit({});
    expect(first.said()).toBe('Thank you. Your mail address is confirmed.');
    const second = await open(link);
    await second.submit({});
    expect(second.said()).toContain('This link does not work any more');
    expect(second.disabled()).toBe(false);
  });

  it('sets a new password, after saying what is wrong with a bad one', async () => {
    const { email } = await register();
    expectStatus(await evently.call('POST', '/v1/auth/password-reset', { email }), 204);
    const mail = await until('the mail', async () => {
      const sql = `SELECT body_text FROM notifications.outbox_mail WHERE recipient = $1 AND body_text LIKE '%/links/reset-password#%'`;
      return (await evently.sql.query(sql, [email])).rows[0]?.body_text as string | undefined;
    });
    const link = new URL(/http\S+/.exec(mail)![0]);
    const page = await open(evently.url + link.pathname + link.hash);
    await page.submit({ password: 'short' });
    expect(page.said()).toContain('8 to 200 characters');
    await page.submit({ password: 'another horse battery' });
    expect(page.said()).toContain('new password is in force');
    const login = await evently.call('POST', '/v1/auth/login', { email, password: 'another horse battery' });
    expect(login.status).toBe(200);
  });

  it('makes an account and a member of somebody invited', async () => {
    const { token, orgId } = await organizer(evently);
    const email = `${unique('invited')}@example.org`;
    const made = await evently.call<{ id: string }>('POST', `/v1/organizations/${orgId}/invitations`, { email, role: 'staff' }, { token });
    const page = await open(await linkOf('invitation', expectStatus(made, 201).id));
    await page.submit({ email, currentPassword: password, name: '' });
    expect(page.said()).not.toContain('Welcome');
    await page.submit({ email, currentPassword: password, name: 'Ivy' });
    expect(page.said()).toContain('Welcome');
  }); // prettier-ignore

  it('says at once when the token is missing', async () => {
    const page = await open(`${evently.url}/links/verify-email`);
    expect(page.said()).toContain('cut short');
    expect(page.disabled()).toBe(true);
  });

  it('lets nothing run but its own script, and speaks the reader\u2019s language', async () => {
    for (const page of linkPages) {
      const reply = await fetch(`${evently.url}/links/${page}`, { headers: { 'accept-language': 'tlh, ar-EG;q=0.9, de;q=0.8' } });
      expect(reply.status).toBe(200);
      expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
      expect(reply.headers.get('referrer-policy')).toBe('no-referrer');
      expect(await reply.text()).toContain('<html lang="ar" dir="rtl">');
    }
    expect((await fetch(`${evently.url}/links/other`)).status).toBe(404);
  });

  it('has every page in every language, whatever a browser asks for', () => {
    const asked = { de: 'de-CH,en', en: undefined, ar: 'ar' };
    for (const [language, header] of Object.entries(asked)) expect(languageOf(header)).toBe(language);
    for (const odd of ['', '*', ';;,', 'constructor', '__proto__', 'x'.repeat(10_000)]) expect(languageOf(odd)).toBe('en');
    const titles = linkPages.flatMap((page: LinkPage) => Object.keys(asked).map((language) => /<h1>(.+?)<\/h1>/.exec(linkPage(page, language))![1]));
    expect(new Set(titles).size).toBe(linkPages.length * 3);
  }); // prettier-ignore
});
