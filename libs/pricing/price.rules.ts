// Price: what the lines of a booking cost, and how a discount falls on them. Whole minor units, nothing lost, nothing below zero.
import { allocate, percentHalfUp } from '../kernel/money.js';

export type Discount =
  /** 0 to 100 with up to two decimals, off each line, rounded half up. */
  | { kind: 'percent'; percent: number }
  /** Minor units off the booking's total, at most all of it. */
  | { kind: 'amount'; amount: number };

export interface LinePrice {
  unitPrice: number;
  quantity: number;
}

/** What each line costs after its share of the discount. Null when the sum is beyond 2^53-1, which no currency needs. */
export function lineTotals(lines: LinePrice[], discount: Discount | null): number[] | null {
  const gross = lines.map(({ unitPrice, quantity }) => unitPrice * quantity);
  if (!Number.isSafeInteger(sum(gross)) || !gross.every(Number.isSafeInteger)) return null;
  const off = discount === null ? gross.map(() => 0) : discountsOf(gross, discount);
  return gross.map((amount, i) => amount - off[i]);
}

/** How much of a discount each amount bears: together never more than it allows, each never more than the amount. */
function discountsOf(gross: number[], discount: Discount): number[] {
  if (discount.kind === 'percent') return gross.map((amount) => percentHalfUp(amount, discount.percent));
  return allocate(Math.min(discount.amount, sum(gross)), gross);
}

export const sum = (amounts: number[]): number => amounts.reduce((a, b) => a + b, 0);
