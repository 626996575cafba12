// Money verdict: invariant 4 as far as it shows from outside: what buyers paid and kept is what the sales report says.
import { revenueOf } from './books.js';
import { bookingIn, type Intent } from './ledger.js';
import { verdict, type Finding, type RushRecord, type Verdict } from './verdict.js';

export function moneyVerdict({ ledger, books }: RushRecord): Verdict {
  const broken: Finding[] = ledger.booked().flatMap(wrongTotal);
  const unproven: Finding[] = [];
  const due = revenueOf(books.listed);
  if (books.sales) {
    const said = books.sales.reduce((sum, row) => sum + row.revenue.amount, 0);
    if (said !== due) {
      const text = `The sales report says ${said} minor units of revenue; the confirmed bookings sum to ${due}`;
      broken.push({ text, shownBy: [books.salesExchange] });
    }
  } else {
    unproven.push({ text: 'The sales report could not be read', shownBy: [books.salesExchange] });
  }
  const paid = ledger.booked().filter((intent) => intent.confirmedBy() && intent.booking!.total.amount > 0).length;
  return verdict(4, 'Money: as far as it shows from outside', {
    looked: `${paid} paid bookings, revenue ${due} minor units`,
    broken,
    unproven,
  });
}

/** Prices multiply, items sum, and no step changes what was promised. */
function wrongTotal(intent: Intent): Finding[] {
  const { items, total } = intent.booking!;
  const sum = items.reduce((all, item) => all + item.total.amount, 0);
  const multiplied = items.every((item) => item.total.amount === item.unitPrice.amount * item.quantity);
  const confirmed = bookingIn(intent.confirmedBy());
  if (multiplied && sum === total.amount && (!confirmed || confirmed.total.amount === total.amount)) return [];
  return [{ text: `Booking ${intent.booking!.id}: its prices do not add up to its total`, shownBy: intent.story().slice(0, 4) }];
}
