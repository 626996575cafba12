// Money: integer minor units with an ISO 4217 currency; every rounding has a name.
import { Remembered } from './remember.js';

export interface Money {
  /** Minor units (cents), up to 2^53-1. */
  amount: number;
  /** ISO 4217, upper case. */
  currency: string;
}

const currencies = new Set(Intl.supportedValuesOf('currency'));

export const isCurrency = (code: unknown): code is string => typeof code === 'string' && currencies.has(code);

export const isAmount = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;

const formats = new Remembered<{ format: Intl.NumberFormat; digits: number }>(500);

/** A formatter, remembered with the digits of the currency's minor unit (EUR 2, JPY 0, BHD 3): making one costs a hundred times its use. */
const formatOf = (locale: string, currency: string) =>
  formats.of(`${locale} ${currency}`, () => {
    const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
    return { format, digits: format.resolvedOptions().maximumFractionDigits ?? 2 };
  });

/** An amount as its currency is written in a locale (`1.234,50 €`). Exact for every amount: Intl is given decimal text, not a fraction in floating point. */
export function moneyText({ amount, currency }: Money, locale: string): string {
  const { format, digits } = formatOf(locale, currency);
  const padded = String(amount).padStart(digits + 1, '0');
  const decimal = digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
  return format.format(decimal as `${number}`);
}

/** `percent` of an amount, rounded half up to a whole minor unit. Exact: works in integers of a hundredth of a percent. */
export function percentHalfUp(amount: number, percent: number): number {
  const scaled = BigInt(amount) * BigInt(Math.round(percent * 100));
  return Number((scaled + 5000n) / 10000n);
}

/** Splits an amount in the ratio of the weights, leaving nothing over: the largest remainders get the spare units (Hamilton). */
export function allocate(amount: number, weights: number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (sum === 0) return weights.map(() => 0);
  const exact = weights.map((w) => (BigInt(amount) * BigInt(w)) / BigInt(sum));
  const rest = weights.map((w, i) => ({ i, r: (BigInt(amount) * BigInt(w)) % BigInt(sum) }));
  let spare = amount - Number(exact.reduce((a, b) => a + b, 0n));
  rest.sort((a, b) => (b.r > a.r ? 1 : b.r < a.r ? -1 : a.i - b.i));
  const out = exact.map(Number);
  for (const { i } of rest) if (spare-- > 0) out[i]++;
  return out;
}
