// `npm run mails`: the latest mails of an Evently without SMTP_URL, newest last, so that links in them can be followed.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { makeDataSource } from '../libs/platform/db/data-source.js';

const usage = `npm run mails -- [--to ADDRESS] [--limit N] [--html FILE]
  --to ADDRESS   only mails to this address
  --limit N      how many, 5 unless given, at most 100
  --html FILE    writes the newest of them to FILE as people see it`;

interface MailRow {
  at: Date;
  recipient: string;
  kind: string;
  subject: string;
  text: string;
  html: string;
  attachments: string[];
}

function readOptions(): { to: string | null; limit: number; html?: string } {
  const { values } = parseArgs({
    options: { to: { type: 'string' }, limit: { type: 'string', default: '5' }, html: { type: 'string' }, help: { type: 'boolean' } },
  }); // prettier-ignore
  const limit = Number(values.limit);
  if (values.help) throw new Error('');
  if (!Number.isInteger(limit) || limit < 1 || limit > 100) throw new Error('--limit takes a number from 1 to 100.');
  return { to: values.to ?? null, limit, html: values.html };
}

async function latest(url: string, to: string | null, limit: number): Promise<MailRow[]> {
  const source = await makeDataSource({ url, poolSize: 1 }).initialize();
  try {
    const rows = (await source.query(
      `SELECT o.created_at AS at, o.recipient, m.kind, o.subject, o.body_text AS text, o.body_html AS html, o.attachments
       FROM notifications.outbox_mail o JOIN notifications.message m ON m.org_id = o.org_id AND m.id = o.message_id
       WHERE $1::text IS NULL OR lower(o.recipient) = lower($1) ORDER BY o.created_at DESC, o.message_id DESC LIMIT $2`,
      [to, limit],
    )) as MailRow[];
    return rows.toReversed();
  } finally {
    await source.destroy();
  }
}

function shown(mail: MailRow): string {
  const head = [
    `${'─'.repeat(78)}`,
    `${mail.at.toISOString()}  ${mail.kind}`,
    `To:      ${mail.recipient}`,
    `Subject: ${mail.subject}`,
    ...(mail.attachments.length > 0 ? [`Attached: ${mail.attachments.join(', ')}`] : []),
  ];
  return `${head.join('\n')}\n\n${mail.text}`;
}

/** Exit status: 0, 1 when the mails cannot be read, 2 for a wrong call. */
async function main(): Promise<number> {
  let options;
  try {
    options = readOptions();
  } catch (e) {
    console.error(`${(e as Error).message}\n${usage}`.trim());
    return 2;
  }
  const url = process.env.DATABASE_URL;
  if (!url) {
    console.error('DATABASE_URL is not set: start with `npm run mails`, or say whose mails to read.');
    return 2;
  }
  try {
    const mails = await latest(url, options.to, options.limit);
    for (const mail of mails) console.log(shown(mail));
    if (mails.length === 0) {
      const whose = options.to ? ` to ${options.to}` : '';
      console.log(
        `No mails${whose} yet. ${process.env.SMTP_URL ? 'SMTP_URL is set, so they go there.' : 'They are kept for a week.'}`,
      );
    } else if (options.html) {
      writeFileSync(options.html, mails[mails.length - 1].html);
      console.log(`The newest is in ${options.html}`);
    }
    return 0;
  } catch (e) {
    const missing = (e as { code?: string }).code === '42P01';
    console.error(missing ? 'The database has no mails yet: run npm start or npm run migrate first.' : (e as Error).message);
    return 1;
  }
}

process.exitCode = await main();
