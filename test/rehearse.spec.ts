// Rehearse spec: the judge passes a server that keeps the contract, however shaky, and names what a wrong one did.
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ContractDouble, type Fault } from './contract.double.js';
import { main } from '../scripts/rehearse/main.js';
import { killTree, processesOf } from '../scripts/rehearse/processes.js';

const folder = mkdtempSync(join(tmpdir(), 'evently-rehearse-spec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A whole run in this process, against a double with one fault. */
async function run(fault: Fault, argv: string[]): Promise<{ status: number; text: string; page: string }> {
  const double = new ContractDouble(fault);
  const url = await double.start();
  const report = join(folder, `${fault}-${Math.random()}.html`);
  let text = '';
  const screen = { write: (line: string) => (text += line) };
  try {
    const status = await main({
      argv: ['--url', url, '--report', report, '--patience', '6', ...argv],
      env: { EVENTLY_HOME: folder },
      out: screen,
      err: screen,
    });
    return { status, text, page: readFileSync(report, 'utf8') };
  } finally {
    await double.stop();
  }
}

const small = ['--buyers', '60', '--capacity', '12', '--duration', '2', '--hold-seconds', '5', '--seed', '7'];
/** Enough holds that some are surely abandoned, whichever buyers come first. */
const many = ['--buyers', '160', '--capacity', '100', '--duration', '2', '--hold-seconds', '5', '--seed', '7'];
const withSeats = ['--buyers', '80', '--capacity', '6', '--seats', '12', '--duration', '2', '--hold-seconds', '5', '--seed', '3'];

describe.concurrent('a server that keeps the contract', () => {
  it('passes, sold out, with a report of figures and plots', async () => {
    const { status, text, page } = await run('none', small);
    expect(text).toContain('Every invariant looked at held');
    expect(status).toBe(0);
    expect(text).toMatch(/in the end sold 12, held 0, reserved 0 of 12/);
    expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(5);
    expect(page).not.toMatch(/(src|href)=|url\(|@import/);
  }, 60_000);

  it('passes with seats and places in one booking', async () => {
    const { status, text } = await run('none', withSeats);
    expect(text).toMatch(/in the end sold 18, held 0, reserved 0 of 18/);
    expect(status).toBe(0);
  }, 60_000);

  it('passes although replies get lost and it says 503 and busy', async () => {
    const { status, text } = await run('shaky', small);
    expect(text).toContain('Every invariant looked at held');
    expect(status).toBe(0);
    expect(text).toMatch(/ECONNRESET \d+/);
    expect(text).not.toMatch(/ 0 keys retried/);
  }, 60_000);
});

describe.concurrent('a server that breaks one invariant is told so, exit status 1', () => {
  const broken: [Fault, string[], RegExp][] = [
    [
      'losesBooking',
      small,
      /2 BROKEN[\s\S]*was acknowledged \(CONFIRMED\) and now reads 404 not_found[\s\S]*Idempotency-Key [0-9a-f-]{36}/,
    ],
    ['losesBookingWithItsStock', small, /2 BROKEN[\s\S]*was acknowledged \(CONFIRMED\) and now reads 404/],
    ['forgetsConfirm', small, /2 BROKEN[\s\S]*CANCELLED, acknowledged was CONFIRMED/],
    ['oversells', small, /1 BROKEN[\s\S]*places were promised at one moment; 12 exist/],
    ['overcounts', small, /1 BROKEN[\s\S]*capacity 12/],
    ['sellsSeatTwice', withSeats, /1 BROKEN[\s\S]*was promised to two buyers at one moment/],
    ['inventsBooking', small, /2 BROKEN[\s\S]*no request that asked for it/],
    ['forgetsKeys', small, /3 BROKEN[\s\S]*A replay of key/],
    ['altersReplay', small, /3 BROKEN[\s\S]*brought other bytes/],
    ['leaksHolds', many, /6 BROKEN[\s\S]*The inventory holds \d+ units/],
    ['keepsSomeUnsold', small, /6 BROKEN[\s\S]*2 places stayed unsold although \d+ buyers still wanted them/],
    ['misreportsRevenue', small, /4 BROKEN[\s\S]*the confirmed bookings sum to/],
  ];
  it.each(broken)(
    '%s',
    async (fault, argv, telling) => {
      const { status, text } = await run(fault, argv);
      expect(text).toMatch(telling);
      expect(status).toBe(1);
    },
    90_000,
  );
});

describe.concurrent('a replay', () => {
  const file = join(folder, 'reservations.csv');
  const rows = [
    'arrival_date,booked_on,lead_time_days,segment,price,cancelled',
    '2017-07-31,2017-01-02,210,Online,101.5,0',
    '2017-07-31,2017-01-01,211,Online,101.50,1',
    '2017-07-31,2017-01-03,209,Online,0,0',
    '2017-08-01,2017-01-02,211,Offline,80.05,0',
    '2017-08-01,2017-01-02,211,Offline,99.99,0',
    '2017-08-31,2017-01-02,241,Offline,12,1',
  ];
  writeFileSync(file, `\uFEFF${rows.join('\r\n')}\r\n`);

  it('agrees with the file month by month', async () => {
    const { status, text } = await run('none', ['--replay', file]);
    expect(text).toMatch(/2017-07 +3 +3 +1 +1 +101\.50 +101\.50 +yes/);
    expect(text).toMatch(/2017-08 +3 +3 +1 +1 +180\.04 +180\.04 +yes/);
    expect(text).toMatch(/all +6 +6 +2 +2 +281\.54 +281\.54 +yes/);
    expect(status).toBe(0);
  }, 60_000);

  it('agrees although replies get lost', async () => {
    expect((await run('shaky', ['--replay', file])).status).toBe(0);
  }, 60_000);

  it('exits with 1 where the report says something else', async () => {
    const { status, text } = await run('misreportsRevenue', ['--replay', file]);
    expect(text).toMatch(/2017-07 .*101\.51 +NO/);
    expect(status).toBe(1);
  }, 90_000);
});

describe('what cannot be run is told in a sentence, exit status 2', () => {
  const tell = async (...argv: string[]) => {
    let text = '';
    const screen = { write: (line: string) => (text += line) };
    const status = await main({ argv, env: { EVENTLY_HOME: folder }, out: screen, err: screen });
    expect(status).toBe(2);
    return text;
  };

  it('names the option and what it takes', async () => {
    expect(await tell('--buyers', 'many')).toContain('--buyers must be a whole number from 1 to 100000, not "many"');
    expect(await tell('--kill', 'api,mysql')).toContain('--kill knows api, worker, postgres, redis, not "mysql"');
    expect(await tell('--bayers', '5')).toContain("Unknown option '--bayers'");
    expect(await tell('--replay', 'x.csv', '--buyers', '5')).toContain('leave out --buyers');
    expect(await tell('--capacity', '0')).toContain('Nothing is for sale');
  });

  it('names a server that does not answer, and a kill that cannot be', async () => {
    expect(await tell('--url', 'http://127.0.0.1:9')).toContain('Nothing answers at http://127.0.0.1:9');
    expect(await tell('--url', 'http://127.0.0.1:9', '--kill', 'api')).toContain('--kill needs an Evently that `npm start` runs');
  });

  it('names the line of a file that is wrong', async () => {
    const file = join(folder, 'wrong.csv');
    writeFileSync(file, 'arrival_date,booked_on,price,cancelled\n2017-07-01,2017-01-01,10,0\n2017-07-01,2017-02-30,10,0\n');
    expect(await tell('--replay', file)).toContain('line 3: booked_on must be a date');
    writeFileSync(file, 'arrival_date,booked_on,price\n2017-07-01,2017-01-01,10\n');
    expect(await tell('--replay', file)).toContain('lacks the column cancelled');
    expect(await tell('--replay', join(folder, 'none.csv'))).toContain('does not exist');
    expect(await tell('--arrivals', join(folder, 'none.txt'))).toContain('cannot (ENOENT)');
  });
});

describe('processes', () => {
  it('finds a role by its command line below a supervisor, and kills it with all below it', async () => {
    const idle = 'setInterval(() => {}, 1000)';
    const inner = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(idle)}, 'dist/apps/api/child.js']);${idle}`;
    const child: ChildProcess = spawn(process.execPath, ['-e', inner, 'dist/apps/api/main.js']);
    const soon = { timeout: 20_000 };
    await expect.poll(() => processesOf('api', process.pid).map(({ pid }) => pid), soon).toEqual([child.pid]);
    await expect.poll(() => processesOf('api', child.pid!).length, soon).toBe(1);
    expect(processesOf('worker', process.pid)).toEqual([]);
    expect(killTree(child.pid!)).toHaveLength(2);
    await expect.poll(() => processesOf('api', process.pid), soon).toEqual([]);
  });
});
