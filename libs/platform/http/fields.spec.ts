// Fields: what passes at a glance is what class-validator would have let pass.
import { isEmail } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMailAddress, PLAIN_ADDRESS } from './fields.js';

/** Addresses that look plain, or nearly so: parts that a plain one is made of, in any order and at any length. */
const part = fc.oneof(
  fc.constantFrom('.', '-', '_', '+', '@', '..', '.-', 'A', '9', 'com', 'org', 'xn--', 'ß', '"', ' '),
  fc.stringMatching(/^[a-z0-9]{1,40}$/),
);
const nearly = fc.array(part, { minLength: 3, maxLength: 12 }).map((parts) => parts.join(''));

describe('mail addresses', () => {
  it('are right at a glance only where class-validator says so too', () => {
    const plain = fc.stringMatching(PLAIN_ADDRESS).filter((text) => text.length <= 254);
    const any = fc.oneof(
      plain,
      nearly,
      fc.emailAddress(),
      fc.tuple(nearly, nearly).map((both) => both.join('@')),
    );
    fc.assert(
      fc.property(any, (text) => isMailAddress(text) === (text.length <= 254 && isEmail(text))),
      { numRuns: 5000 },
    );
  });

  it('are plain where nearly all of them are', () => {
    for (const text of ['ada@example.org', 'Ada.Lovelace+tickets@mail.example.co.uk', 'a_b-c@x-y.de', 'guest-000001@example.org'])
      expect([text, PLAIN_ADDRESS.test(text)]).toEqual([text, true]);
    for (const text of ['ada@localhost', 'a..b@example.org', '.a@example.org', 'a@-x.org', 'a@x.1', `${'a'.repeat(65)}@x.org`])
      expect([text, isMailAddress(text)]).toEqual([text, false]);
  });
});
