// K6: the command finds k6 and hands on what it was told; the words and verdicts its scripts are judged by.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Plain JavaScript that k6 runs; nothing of k6 is in these three. */
const lib = (name: string) => import(/* @vite-ignore */ join(root, 'k6', 'lib', `${name}.js`));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'evently-k6-'));
  writeFileSync(
    join(folder, 'k6'),
    '#!/bin/sh\necho "$@" "url=$EVENTLY_URL buyers=$EVENTLY_BUYERS duration=$EVENTLY_DURATION"\nexit 99\n',
  );
  chmodSync(join(folder, 'k6'), 0o755);
});
afterAll(() => rmSync(folder, { recursive: true }));

const k6 = (args: string[], path = folder) => {
  const env = { PATH: path, EVENTLY_HOME: folder };
  return spawnSync(process.execPath, [join(root, 'scripts', 'k6.mjs'), ...args], { env, encoding: 'utf8' });
};

describe('npm run k6', () => {
  it('runs the script with our options in its environment, the others as they are, and its exit status', () => {
    const ran = k6(['onsale', '--url', 'http://host:1', '--buyers=7', '--out', 'json=a', '--duration', '90s']);
    expect(ran.stdout.trim()).toBe(
      `run --quiet --out json=a ${join(root, 'k6', 'onsale.js')} url=http://host:1 buyers=7 duration=90s`,
    );
    expect(ran.status).toBe(99);
  });

  it.each([
    ['says in one line how to get k6', ['smoke', '--url', 'http://host:1'], '/none', /^k6 is not on the PATH: install it .*\n$/],
    [
      'says what to do where no Evently runs',
      ['smoke'],
      undefined,
      /^No Evently runs from this clone: start it with `npm start`.*\n$/,
    ],
    [
      'refuses what would replace the plan',
      ['soak', '--vus', '3'],
      undefined,
      /^--vus would replace .* give --users instead\.\n$/,
    ],
    ['lists the scripts', ['nothing'], undefined, /NAME is one of browse, onsale, seats, smoke, soak, stress\./],
  ])('%s', (_, args, path, says) => {
    const { stderr, status } = k6(args, path);
    expect(stderr).toMatch(says);
    expect(status).toBe(1);
  });
});

describe('a verdict', () => {
  it.each([
    [201, { id: 'x' }, undefined, { kind: 'answer' }],
    [201, undefined, undefined, { kind: 'wrong', reason: 'false_answer' }],
    [409, { code: 'sold_out' }, undefined, { kind: 'refused', code: 'sold_out' }],
    [400, { code: 'sold_out' }, undefined, { kind: 'wrong', reason: 'undocumented', code: 'sold_out' }],
    [409, { code: 'not_on_sale' }, undefined, { kind: 'wrong', reason: 'undocumented', code: 'not_on_sale' }],
    [429, { code: 'rate_limited' }, '2', { kind: 'refused', code: 'rate_limited' }],
    [503, { code: 'overloaded' }, '1', { kind: 'refused', code: 'overloaded' }],
    [503, { code: 'overloaded' }, undefined, { kind: 'wrong', reason: 'undocumented', code: 'overloaded' }],
    [503, { code: 'unavailable' }, '1', { kind: 'wrong', reason: 'server_error', code: 'unavailable' }],
    [500, undefined, undefined, { kind: 'wrong', reason: 'server_error' }],
    [0, undefined, undefined, { kind: 'unanswered' }],
  ])('of %i %j to a booking is right', async (status, body, retryAfter, verdict) => {
    const { judge } = await lib('verdict');
    expect(judge('book', { status, body, retryAfter })).toEqual(verdict);
  });

  it('finds what is not as it was acknowledged', async () => {
    const { differs, itemsOf } = await lib('verdict');
    const items = [{ ticketTypeId: 't', quantity: 1 }];
    const promise = { id: 'a', status: 'PENDING', expiresAt: 10_000, items: itemsOf({ items }) };
    const ended = { id: 'a', status: 'CANCELLED', cancelReason: 'expired', items };
    expect(differs(promise, { ...ended, status: 'PENDING' }, 20_000)).toBeNull();
    expect(differs(promise, ended, 20_000)).toBeNull();
    expect(differs(promise, ended, 5_000)).toBe('reads CANCELLED instead of PENDING');
    expect(differs({ ...promise, status: 'CONFIRMED' }, ended, 20_000)).toBe('reads CANCELLED instead of CONFIRMED');
    expect(differs({ ...promise, status: 'CONFIRMED' }, { ...ended, status: 'CONFIRMED' }, 0)).toBe('has 0 tickets for 1 places');
    expect(differs(promise, { ...ended, items: [{ ticketTypeId: 't', quantity: 2 }] }, 20_000)).toMatch(/instead of/);
  });
});

describe('the words', () => {
  const counter = (count: number) => ({ values: { count } });
  const told = async (metrics: Record<string, unknown>) =>
    (await lib('words')).tell({ script: 'onsale', tried: () => 'Some.' }, { setup_data: { url: 'u', run: 'r' }, metrics });

  it('say what was sold, and that every promise held', async () => {
    const text = await told({ acknowledged: counter(3), readings: counter(2), 'refused{code:sold_out}': counter(5) });
    expect(text).toMatch(/Refused +5 by sold_out\./);
    expect(text).toMatch(/each of 3 acknowledged bookings was found again/);
    expect(text).toMatch(/every promise held, within every threshold/);
  });

  it('say which promise broke', async () => {
    const crossed = { ...counter(2), thresholds: { 'count==0': { ok: false } } };
    const text = await told({ 'broken{reason:lost}': crossed, unaccounted: counter(1), acknowledged: counter(3) });
    expect(text).toMatch(/BROKEN 2 times: an acknowledged booking was not found again/);
    expect(text).toMatch(/NOT SHOWN: 1 of 3 acknowledged bookings/);
    expect(text).toMatch(/A PROMISE BROKE/);
  });

  it('say when the rate limiter was met instead', async () => {
    const limited = { values: { passes: 4, rate: 0.5 }, thresholds: { 'rate<0.01': { ok: false } } };
    const text = await told({ limited });
    expect(text).toMatch(/4 requests \(50 %\) met the rate limiter \(429\)/);
    expect(text).toMatch(/no promise broke, but outside of: limited rate<0\.01\./);
  });

  it('name the step at which it broke', async () => {
    const { stepsOf, breakingPoint } = await lib('steps');
    const steps = stepsOf({ first: 10, count: 3, seconds: 2 });
    const metrics: Record<string, unknown> = {};
    for (const [n, begun, rate, p95] of [
      [1, 20, 1, 2],
      [2, 40, 1, 9],
      [3, 80, 0.5, 80],
    ]) {
      metrics[`begun{step:${n}}`] = counter(begun);
      metrics[`served{step:${n}}`] = { values: { rate } };
      metrics[`slower{kind:book,step:${n}}`] = { values: { 'p(95)': p95 } };
    }
    const text = breakingPoint({ metrics }, steps);
    expect(text).toMatch(/^at 40 buyers a second: only 50 % were served; booking took 80 times as long/);
    expect(text).toMatch(/It kept up with 20\.\nIt served up to 20 a second, and in the last step 100 % of that\./);
    expect(breakingPoint({ metrics }, steps.slice(0, 2))).toMatch(/^not up to 20/);
  });
});
