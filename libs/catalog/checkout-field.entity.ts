// Checkout field: what an organizer asks buyers of one event, once a booking or once a ticket.
import { Entity } from 'typeorm';
import { edgeErrors, invalid } from '../kernel/errors.js';
import {
  BooleanColumn,
  Id,
  IdColumn,
  InstantColumn,
  IntColumn,
  OrgId,
  TextColumn,
  VersionColumn,
} from '../platform/db/columns.js';
import './catalog.personal-data.js';
import type { CheckoutField as FieldForSale } from './catalog.port.js';

export type CheckoutFieldValues = Omit<FieldForSale, 'id'> & { position: number };

@Entity({ schema: 'catalog', name: 'checkout_field' })
export class CheckoutField implements CheckoutFieldValues {
  @OrgId() orgId: string;
  @Id() id: string;
  @IdColumn() eventId: string;
  @TextColumn() label: string;
  @TextColumn() kind: FieldForSale['kind'];
  @BooleanColumn() required: boolean;
  @TextColumn({ array: true, nullable: true }) choices: string[] | null;
  @TextColumn() per: FieldForSale['per'];
  @IntColumn() position: number;
  @InstantColumn({ nullable: true }) archivedAt: Date | null;
  @InstantColumn() createdAt: Date;
  @VersionColumn() version: number;

  static of(place: Pick<CheckoutField, 'orgId' | 'id' | 'eventId' | 'createdAt'>, values: CheckoutFieldValues): CheckoutField {
    const field = Object.assign(new CheckoutField(), { ...place, archivedAt: null, version: 1 });
    field.change(values);
    return field;
  }

  demandVersion(version: number): void {
    if (this.version !== version) throw edgeErrors.staleVersion();
  }

  /** Takes what is given. Its kind and what it is asked per stay: answers were given to that. */
  change(values: Partial<CheckoutFieldValues>): void {
    for (const [name, value] of Object.entries(values)) if (value !== undefined) Object.assign(this, { [name]: value });
    if (this.kind === 'choice' && (this.choices?.length ?? 0) < 2) {
      throw invalid([{ pointer: '/choices', detail: 'A choice needs at least two choices.' }]);
    }
    if (this.kind !== 'choice' && this.choices !== null) {
      throw invalid([{ pointer: '/choices', detail: 'Only a field of kind choice has choices.' }]);
    }
    if (this.choices && new Set(this.choices).size < this.choices.length) {
      throw invalid([{ pointer: '/choices', detail: 'Choices must differ.' }]);
    }
  }

  archive(now: Date): void {
    this.archivedAt = now;
  }
}
