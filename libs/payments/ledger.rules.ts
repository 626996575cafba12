// Ledger rules: which accounts each movement of money touches; double entry, every transaction sums to zero.
//
// A positive amount is a debit. `provider` is what the provider holds for the organization, `buyer` what the buyer owes (positive)
// or is owed (negative), `revenue` what was sold (negative) and `refunds` what of it was taken back. So, per currency:
// provider = captured - paid out, which is what the provider's own books must say.

export type LedgerAccount = 'buyer' | 'provider' | 'revenue' | 'refunds';
export type LedgerKind = 'capture' | 'refund-owed' | 'refund-paid' | 'refund-failed';

export interface LedgerLine {
  account: LedgerAccount;
  amount: number;
}

export interface Posting {
  kind: LedgerKind;
  lines: readonly LedgerLine[];
}

const debit = (account: LedgerAccount, amount: number): LedgerLine => ({ account, amount });
const credit = (account: LedgerAccount, amount: number): LedgerLine => ({ account, amount: -amount });

/** Money came in for a booking. Surplus money is no revenue: it is owed to the buyer from the start. */
export const captured = (amount: number, surplus: boolean): Posting => ({
  kind: 'capture',
  lines: [debit('provider', amount), surplus ? credit('buyer', amount) : credit('revenue', amount)],
});

/** Money shall go back: from now on the buyer is owed it. Null for surplus money, which is owed already. */
export const refundOwed = (amount: number, surplus: boolean): Posting | null =>
  surplus ? null : { kind: 'refund-owed', lines: [debit('refunds', amount), credit('buyer', amount)] };

/** Money went back. */
export const refundPaid = (amount: number): Posting => ({
  kind: 'refund-paid',
  lines: [debit('buyer', amount), credit('provider', amount)],
});

/** The provider cannot give it back: the promise is taken out of the books. Surplus money stays owed. */
export const refundFailed = (amount: number, surplus: boolean): Posting | null =>
  surplus ? null : { kind: 'refund-failed', lines: [debit('buyer', amount), credit('refunds', amount)] };

/** What a posting is off by; anything but 0 is a bug. Exact for any amounts. */
export const imbalance = (posting: Posting): bigint => posting.lines.reduce((sum, line) => sum + BigInt(line.amount), 0n);
