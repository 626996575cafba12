// What a ticket's code says, and every way in which a forged one is refused.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import fc from 'fast-check';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { newId } from '../kernel/ids.js';
import { CODE_CHARS_MAX, signTicketCode, signTicketCodes, verifyTicketCode, type TicketClaims } from './ticket-code.rules.js';

const pair = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = { kid: 'ticket-2031-a', privateKey: pair.privateKey };
const keys = new Map([
  [key.kid, pair.publicKey],
  ['login-rsa', rsa.publicKey],
]);
const org = '01890a5d-ac96-774b-bcce-b302099a8057';
const claims = (): TicketClaims => ({ tid: newId(org), eid: newId(org), ver: 1 });
const base64 = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A code with any header and payload, rightly signed with our key. */
function forge(header: unknown, payload: unknown) {
  const data = `${base64(header)}.${base64(payload)}`;
  return `${data}.${sign(null, Buffer.from(data), pair.privateKey).toString('base64url')}`;
}
const reason = (code: string) => {
  const verdict = verifyTicketCode(code, keys);
  return verdict.valid ? 'valid' : verdict.reason;
};

describe('ticket code', () => {
  it('gives back exactly what was signed, and the same code every time', () => {
    const given = claims();
    const code = signTicketCode(key, given);
    expect(signTicketCode({ ...key }, given)).toBe(code);
    expect(verifyTicketCode(code, keys)).toEqual({ valid: true, kid: key.kid, claims: given });
    const [header, payload] = code.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(header).toBe('{"alg":"EdDSA","kid":"ticket-2031-a"}');
    expect(JSON.parse(payload)).toEqual(given);
    expect(code.length).toBeLessThan(300);
  });

  it('is read by another library with the published key', async () => {
    const given = claims();
    const { payload, protectedHeader } = await jwtVerify(signTicketCode(key, given), pair.publicKey, { algorithms: ['EdDSA'] });
    expect(payload).toEqual(given);
    expect(protectedHeader.kid).toBe(key.kid);
  });

  it('signs many in order, as it signs one', async () => {
    const many = Array.from({ length: 50 }, claims);
    expect(await signTicketCodes(key, many)).toEqual(many.map((one) => signTicketCode(key, one)));
  });

  it('refuses a code in which any one character differs', () => {
    const code = signTicketCode(key, claims());
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ';
    fc.assert(
      fc.property(fc.nat(code.length - 1), fc.constantFrom(...alphabet), (at, char) => {
        fc.pre(code[at] !== char);
        expect(reason(code.slice(0, at) + char + code.slice(at + 1))).not.toBe('valid');
      }),
      { numRuns: 1000 },
    );
  });

  it('has one spelling: padding and stray bits at the end are refused', () => {
    const code = signTicketCode(key, claims());
    const last = code.at(-1)!;
    const sibling = String.fromCharCode(last.charCodeAt(0) + 1); // Decodes to the same 64 bytes: an `A` carries 4 unused bits.
    const signature = code.slice(code.lastIndexOf('.') + 1);
    expect(Buffer.from(signature.slice(0, -1) + sibling, 'base64url')).toEqual(Buffer.from(signature, 'base64url'));
    for (const other of [code.slice(0, -1) + sibling, `${code}=`, `${code} `, ` ${code}`, `${code}\n`])
      expect(reason(other)).toBe('malformed');
  });

  it('refuses alg none, other algorithms and other headers', () => {
    const given = claims();
    for (const alg of ['none', 'None', 'HS256', 'RS256', 'ES256', 'eddsa', 'Ed448', '', null, undefined, ['EdDSA']]) {
      expect(reason(forge({ alg, kid: key.kid }, given))).toBe('malformed');
    }
    for (const extra of [{ crit: ['b64'], b64: false }, { jwk: {} }, { typ: 'at+jwt' }]) {
      expect(reason(forge({ alg: 'EdDSA', kid: key.kid, ...extra }, given))).toBe('malformed');
    }
    expect(reason(forge({ alg: 'EdDSA', kid: key.kid, typ: 'JWT' }, given))).toBe('valid');
    expect(reason(`${base64({ alg: 'none' })}.${base64(given)}.`)).toBe('malformed');
    const hmac = `${base64({ alg: 'HS256', kid: key.kid })}.${base64(given)}`;
    const secret = pair.publicKey.export({ type: 'spki', format: 'pem' });
    expect(reason(`${hmac}.${createHmac('sha256', secret).update(hmac).digest('base64url')}`)).toBe('malformed');
  });

  it('refuses a key that it does not know, or that is not for tickets', () => {
    const stranger = { kid: 'stranger', privateKey: generateKeyPairSync('ed25519').privateKey };
    expect(reason(signTicketCode(stranger, claims()))).toBe('unknown_key');
    expect(reason(signTicketCode({ ...stranger, kid: key.kid }, claims()))).toBe('bad_signature');
    expect(reason(forge({ alg: 'EdDSA', kid: 'login-rsa' }, claims()))).toBe('unknown_key');
    expect(verifyTicketCode(signTicketCode(key, claims()), new Map([[key.kid, pair.privateKey]])).valid).toBe(false);
    expect(() => signTicketCode({ kid: 'rsa', privateKey: rsa.privateKey }, claims())).toThrow('Ed25519');
    expect(() => signTicketCode({ kid: 'public', privateKey: pair.publicKey }, claims())).toThrow('Ed25519');
    expect(() => signTicketCode({ kid: 'a b', privateKey: pair.privateKey }, claims())).toThrow('kid');
  });

  it('refuses payloads that are not exactly ours, although rightly signed', () => {
    const good = claims();
    const header = { alg: 'EdDSA', kid: key.kid };
    const bad = [
      { ...good, adm: true },
      { ...good, ver: 0 },
      { ...good, ver: 1.5 },
      { ...good, ver: '1' },
      { ...good, tid: 'x' },
      { tid: good.tid },
      [],
      null,
      'x',
    ];
    for (const payload of bad) expect(reason(forge(header, payload))).toBe('malformed');
    expect(() => signTicketCode(key, { ...good, tid: '"}' })).toThrow('claims');
    expect(() => signTicketCode(key, { ...good, ver: Number.NaN })).toThrow('claims');
  });

  it('never throws on what a camera may read, and does not read what is too long', () => {
    for (const text of [
      '',
      '.',
      '..',
      'a.b.c',
      'https://example.org',
      `${'A'.repeat(CODE_CHARS_MAX)}.A.${'A'.repeat(86)}`,
      null,
      7,
      {},
    ]) {
      expect(reason(text as string)).toBe('malformed');
    }
    fc.assert(fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => !verifyTicketCode(`${a}.${b}.${c}`, keys).valid));
  });

  it('is quick (printed, not judged: machines differ)', async () => {
    const some = Array.from({ length: 2000 }, claims);
    const timed = async (name: string, work: () => unknown) => {
      const start = performance.now();
      await work();
      return `${name} ${(((performance.now() - start) * 1000) / some.length).toFixed(0)} us`;
    };
    const codes = some.map((one) => signTicketCode(key, one));
    const raw = Buffer.from(codes[0].slice(0, codes[0].lastIndexOf('.')));
    console.log(
      [
        await timed('bare crypto.sign', () => some.forEach(() => sign(null, raw, pair.privateKey))),
        await timed('signTicketCode', () => some.map((one) => signTicketCode(key, one))),
        await timed('signTicketCodes', () => signTicketCodes(key, some)),
        await timed('verifyTicketCode', () => codes.map((code) => verifyTicketCode(code, keys))),
      ].join(', '),
    );
  });
});
