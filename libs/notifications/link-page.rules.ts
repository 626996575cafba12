// The pages that mailed links lead to, while there is no app in front: one form each, which sends the token that the browser keeps to itself.
import { escape, speechFor } from './template.rules.js';

export const linkPages = ['verify-email', 'reset-password', 'accept-invitation'] as const;
export type LinkPage = (typeof linkPages)[number];

type Field = 'password' | 'email' | 'currentPassword' | 'name';

const fieldsOf: Record<LinkPage, Field[]> = {
  'verify-email': [],
  'reset-password': ['password'],
  'accept-invitation': ['email', 'currentPassword', 'name'],
};

/** A browser's own knowledge of each field: what to fill in, and what it must be. */
const inputs: Record<Field, string> = {
  password: 'type="password" autocomplete="new-password" minlength="8" maxlength="200" required',
  email: 'type="email" autocomplete="email" maxlength="254" required',
  currentPassword: 'type="password" autocomplete="current-password" minlength="8" maxlength="200" required',
  name: 'type="text" autocomplete="name" maxlength="200"',
};

interface PageWords {
  title: string;
  lead: string;
  button: string;
  done: string;
}

interface Words {
  pages: Record<LinkPage, PageWords>;
  fields: Record<Field, string>;
  /** The link is used, too old, or cut short. */
  stale: string;
  noScript: string;
}

const words: Record<string, Words> = {
  en: {
    pages: {
      'verify-email': {
        title: 'Confirm your mail address',
        lead: 'One click, and your tickets reach you.',
        button: 'Confirm',
        done: 'Thank you. Your mail address is confirmed.',
      },
      'reset-password': {
        title: 'Choose a new password',
        lead: 'All devices will be logged out.',
        button: 'Save password',
        done: 'Your new password is in force. Please log in again.',
      },
      'accept-invitation': {
        title: 'Join the team',
        lead: 'Log in to accept. If you have no account yet, also give your name, and one is made.',
        button: 'Accept',
        done: 'Welcome. You are a member now.',
      },
    },
    fields: { password: 'New password', email: 'Mail address', currentPassword: 'Password', name: 'Name (only without an account)' },
    stale: 'This link does not work any more: it was used, is too old, or was cut short. Ask for a new one.',
    noScript: 'This page needs JavaScript.',
  },
  de: {
    pages: {
      'verify-email': {
        title: 'E-Mail-Adresse bestätigen',
        lead: 'Ein Klick, und Ihre Tickets erreichen Sie.',
        button: 'Bestätigen',
        done: 'Danke. Ihre E-Mail-Adresse ist bestätigt.',
      },
      'reset-password': {
        title: 'Neues Passwort wählen',
        lead: 'Alle Geräte werden abgemeldet.',
        button: 'Passwort speichern',
        done: 'Ihr neues Passwort gilt. Bitte melden Sie sich neu an.',
      },
      'accept-invitation': {
        title: 'Dem Team beitreten',
        lead: 'Melden Sie sich an, um anzunehmen. Ohne Konto geben Sie auch Ihren Namen an, dann wird eines angelegt.',
        button: 'Annehmen',
        done: 'Willkommen. Sie sind jetzt Mitglied.',
      },
    },
    fields: { password: 'Neues Passwort', email: 'E-Mail-Adresse', currentPassword: 'Passwort', name: 'Name (nur ohne Konto)' },
    stale: 'Dieser Link gilt nicht mehr: Er wurde benutzt, ist zu alt oder unvollständig. Fordern Sie einen neuen an.',
    noScript: 'Diese Seite braucht JavaScript.',
  },
  ar: {
    pages: {
      'verify-email': {
        title: 'تأكيد البريد الإلكتروني',
        lead: 'نقرة واحدة وتصل إليك تذاكرك.',
        button: 'تأكيد',
        done: 'شكرًا. تم تأكيد بريدك الإلكتروني.',
      },
      'reset-password': {
        title: 'اختيار كلمة مرور جديدة',
        lead: 'سيُسجَّل خروج جميع الأجهزة.',
        button: 'حفظ كلمة المرور',
        done: 'كلمة مرورك الجديدة سارية. يُرجى تسجيل الدخول من جديد.',
      },
      'accept-invitation': {
        title: 'الانضمام إلى الفريق',
        lead: 'سجّل الدخول للقبول. إذا لم يكن لديك حساب، فاكتب اسمك أيضًا ليُنشأ لك حساب.',
        button: 'قبول',
        done: 'مرحبًا بك. أصبحت عضوًا الآن.',
      },
    },
    fields: { password: 'كلمة المرور الجديدة', email: 'البريد الإلكتروني', currentPassword: 'كلمة المرور', name: 'الاسم (من دون حساب فقط)' },
    stale: 'لم يعد هذا الرابط صالحًا: استُخدم أو انتهت مدته أو هو ناقص. اطلب رابطًا جديدًا.',
    noScript: 'تحتاج هذه الصفحة إلى JavaScript.',
  },
}; // prettier-ignore

/** Nothing but our own script runs, nothing is loaded from elsewhere, nobody may frame it. */
export const LINK_PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The first language of an Accept-Language header that we speak. */
export function languageOf(accepted: string | undefined): string {
  const asked = (accepted ?? '').slice(0, 500).split(',').map((part) => part.split(';')[0].trim().toLowerCase()); // prettier-ignore
  for (const tag of asked) if (Object.hasOwn(words, tag.split('-')[0])) return tag.split('-')[0];
  return 'en';
}

export function linkPage(page: LinkPage, language: string): string {
  const { fields, stale, noScript, pages } = words[language];
  const { title, lead, button, done } = pages[page];
  const { direction } = speechFor(language).wording;
  const inputsOf = fieldsOf[page].map((f) => `<label>${escape(fields[f])}<input name="${f}" ${inputs[f]}></label>`).join('');
  return `<!doctype html>
<html lang="${language}" dir="${direction}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${escape(title)} · Evently</title><style>
body{margin:0;background:#f4f6f8;color:#1a2230;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
main{max-width:26rem;margin:10vh auto;padding:2rem;background:#fff;border-radius:12px}h1{margin:0 0 .5rem;font-size:1.4rem}
label{display:block;margin:0 0 1rem}input{display:block;box-sizing:border-box;width:100%;margin-top:.25rem;padding:.6rem;font:inherit;border:1px solid #b8c0cc;border-radius:6px}
button{padding:.7rem 1.2rem;font:inherit;color:#fff;background:#1f4fd8;border:0;border-radius:6px;cursor:pointer}button:disabled{opacity:.5}
[role=status]{margin:1rem 0 0;min-height:1.5em}</style></head>
<body><main><h1>${escape(title)}</h1><p>${escape(lead)}</p><form data-page="${page}" data-done="${escape(done)}" data-stale="${escape(stale)}">
${inputsOf}<button>${escape(button)}</button></form><p role="status" aria-live="polite"></p><noscript>${escape(noScript)}</noscript></main><script src="/links/page.js"></script></body></html>
`;
}

/** The pages' one script. The token is read behind `#` and sent in a body, so it stands in no address that anybody logs. */
export const LINK_PAGE_SCRIPT = `'use strict';
const form = document.querySelector('form');
const status = document.querySelector('[role=status]');
const button = document.querySelector('button');
const token = new URLSearchParams(location.hash.slice(1)).get('token') || '';

async function post(path, body, bearer) {
  const headers = { 'content-type': 'application/json' };
  if (bearer) headers.authorization = 'Bearer ' + bearer;
  const reply = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await reply.text();
  const said = text ? JSON.parse(text) : {};
  if (reply.ok) return said;
  const wrong = (said.errors || [])[0];
  throw new Error(wrong && wrong.pointer === '/token' ? form.dataset.stale : (wrong && wrong.detail) || said.detail);
}

const steps = {
  'verify-email': () => post('/v1/auth/verify-email', { token }),
  'reset-password': ({ password }) => post('/v1/auth/password-reset/confirm', { token, password }),
  'accept-invitation': async ({ email, currentPassword: password, name }) => {
    if (name) await post('/v1/auth/register', { email, password, name });
    const { accessToken } = await post('/v1/auth/login', { email, password });
    await post('/v1/invitations/accept', { token }, accessToken);
  },
};

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  status.textContent = '';
  try {
    await steps[form.dataset.page](Object.fromEntries(new FormData(form)));
    status.textContent = form.dataset.done;
    form.hidden = true;
  } catch (error) {
    status.textContent = error.message;
    button.disabled = false;
  }
});
if (!token) {
  status.textContent = form.dataset.stale;
  button.disabled = true;
}
`;
