// Promo code: a discount on one event for those who know it, for so long and so often. Uses are counted by booking.
import { Entity } from 'typeorm';
import { edgeErrors, invalid } from '../kernel/errors.js';
import {
  AmountColumn,
  Id,
  IdColumn,
  InstantColumn,
  IntColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import type { Discount } from './price.rules.js';
import './pricing.personal-data.js';

/** What an organizer sets, and may change; exactly one of percent and amount. */
export interface PromoCodeValues {
  percent: number | null;
  amount: number | null;
  maxUses: number | null;
  maxPerPerson: number | null;
  from: Date | null;
  until: Date | null;
}

const hundredths = {
  to: (percent: number | null) => (percent === null ? null : Math.round(percent * 100)),
  from: (stored: number | null) => (stored === null ? null : stored / 100),
};

/** Codes are compared without case. */
export const codeKey = (code: string): string => code.trim().toLowerCase();

@Entity({ schema: 'pricing', name: 'promo_code' })
export class PromoCode implements PromoCodeValues {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() eventId: string;
  @TextColumn() code: string;
  @TextColumn() codeKey: string;
  @IntColumn({ name: 'percent_hundredths', nullable: true, transformer: hundredths }) percent: number | null;
  @AmountColumn({ nullable: true }) amount: number | null;
  @TextColumn() currency: string;
  @IntColumn({ nullable: true }) maxUses: number | null;
  @IntColumn({ nullable: true }) maxPerPerson: number | null;
  @InstantColumn({ name: 'valid_from', nullable: true }) from: Date | null;
  @InstantColumn({ name: 'valid_until', nullable: true }) until: Date | null;
  @InstantColumn({ nullable: true }) archivedAt: Date | null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static of(
    place: Pick<PromoCode, 'orgId' | 'id' | 'eventId' | 'code' | 'currency' | 'createdAt'>,
    values: PromoCodeValues,
  ): PromoCode {
    const promo = Object.assign(new PromoCode(), { ...place, codeKey: codeKey(place.code), archivedAt: null, version: 1 });
    promo.change(values);
    return promo;
  }

  demandVersion(version: number): void {
    if (this.version !== version) throw edgeErrors.staleVersion();
  }

  /** Takes what is given; null clears. Giving percent ends amount, and the other way round. */
  change(values: Partial<PromoCodeValues>): void {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) Object.assign(this, { [name]: value });
    if (typeof values.percent === 'number' && values.amount === undefined) this.amount = null;
    if (typeof values.amount === 'number' && values.percent === undefined) this.percent = null;
    if ((this.percent === null) === (this.amount === null)) {
      throw invalid([{ pointer: '', detail: 'Send exactly one of percent and amount.' }]);
    }
    if (this.from && this.until && this.until <= this.from) {
      throw invalid([{ pointer: '/until', detail: 'The end must be after the start.' }]);
    }
  }

  archive(now: Date): void {
    this.archivedAt = now;
  }

  /** Why it cannot be used now for prices in this currency; null when it can. */
  refusalAt(now: Date, currency: string): string | null {
    if (this.from && now < this.from) return 'This promo code cannot be used yet.';
    if (this.until && now >= this.until) return 'This promo code cannot be used any more.';
    if (this.amount !== null && this.currency !== currency) return 'This promo code is for another currency.';
    return null;
  }

  get discount(): Discount {
    if (this.percent !== null) return { kind: 'percent', percent: this.percent };
    return { kind: 'amount', amount: this.amount! };
  }
}
