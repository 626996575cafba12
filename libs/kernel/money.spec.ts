// Money as it is read: in the currency and the habits of the reader, exact for every amount.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { moneyText } from './money.js';

const plain = (text: string) => text.replace(/[\u00a0\u202f]/g, ' ');

describe('money in words', () => {
  it('is written as its currency is written there', () => {
    expect(plain(moneyText({ amount: 123450, currency: 'EUR' }, 'de'))).toBe('1.234,50 €');
    expect(moneyText({ amount: 123450, currency: 'EUR' }, 'en')).toBe('€1,234.50');
    expect(moneyText({ amount: 500, currency: 'JPY' }, 'en')).toBe('¥500');
    expect(plain(moneyText({ amount: 7, currency: 'BHD' }, 'en'))).toBe('BHD 0.007');
    expect(moneyText({ amount: Number.MAX_SAFE_INTEGER, currency: 'USD' }, 'en')).toBe('$90,071,992,547,409.91');
  });

  it('has every digit of the amount, whatever was written before', () =>
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.constantFrom(...Intl.supportedValuesOf('currency')),
        fc.constantFrom('en', 'de', 'fr'),
        (amount, currency, locale) => {
          expect(BigInt(moneyText({ amount, currency }, locale).replace(/[^\d]/g, ''))).toBe(BigInt(amount));
        },
      ),
    ));
});
