// One line of the double-entry ledger: written once, in the transaction of the state change it books, never changed.
import { Entity } from 'typeorm';
import { newId } from '../kernel/ids.js';
import { AmountColumn, Id, IdColumn, InstantColumn, OrgId, TextColumn } from '../platform/db/columns.js';
import { imbalance, type LedgerAccount, type LedgerKind, type Posting } from './ledger.rules.js';

@Entity({ schema: 'payments', name: 'ledger_entry' })
export class LedgerEntry {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() transactionId: string;
  @IdColumn() paymentId: string;
  @IdColumn({ nullable: true }) refundId: string | null;
  @TextColumn() kind: LedgerKind;
  @TextColumn() account: LedgerAccount;
  @TextColumn() currency: string;
  @AmountColumn() amount: number;
  @InstantColumn() createdAt: Date;

  /** The lines of one posting. Throws when they do not sum to zero. */
  static of(posting: Posting, about: { orgId: string; paymentId: string; refundId: string | null; currency: string }, now: Date) {
    if (imbalance(posting) !== 0n) throw new Error(`The posting ${posting.kind} does not sum to zero.`);
    const transactionId = newId(about.orgId);
    const createdAt = now;
    return posting.lines.map((line) =>
      Object.assign(new LedgerEntry(), {
        ...about,
        ...line,
        id: newId(about.orgId),
        transactionId,
        kind: posting.kind,
        createdAt,
      }),
    );
  }
}
