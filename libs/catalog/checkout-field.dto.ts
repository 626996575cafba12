// Checkout fields as they come in and go out to organizers.
import { BooleanField, EnumField, IdField, InstantField, IntField, TextField, TextListField } from '../platform/http/fields.js';
import type { CheckoutField } from './checkout-field.entity.js';
import type { FieldChange, NewField } from './checkout-field.service.js';
import { POSITION_MAX } from './event.rules.js';

const POSITION = { min: 0, max: POSITION_MAX, description: 'Where it stands among the others; last unless given' };
const CHOICES = { nullable: true, minItems: 2, maxItems: 100, description: 'Of a choice, and of nothing else' };

export class CreateFieldDto implements NewField {
  @TextField() label: string;
  @EnumField(['text', 'choice', 'boolean']) kind: NewField['kind'];
  @BooleanField() required: boolean;
  @TextListField({ optional: true, ...CHOICES }) choices?: string[] | null;
  @EnumField(['booking', 'ticket']) per: NewField['per'];
  @IntField({ optional: true, ...POSITION }) position?: number;
}

export class ChangeFieldDto implements FieldChange {
  @TextField({ optional: true }) label?: string;
  @BooleanField({ optional: true }) required?: boolean;
  @TextListField({ optional: true, ...CHOICES, nullable: false }) choices?: string[];
  @IntField({ optional: true, ...POSITION }) position?: number;
}

export class FieldView {
  @IdField() id: string;
  @IdField() eventId: string;
  @TextField() label: string;
  @EnumField(['text', 'choice', 'boolean']) kind: string;
  @BooleanField() required: boolean;
  @TextListField(CHOICES) choices: string[] | null;
  @EnumField(['booking', 'ticket']) per: string;
  @IntField(POSITION) position: number;
  @InstantField() createdAt: Date;
  @IntField({ min: 1 }) version: number;
}

export function fieldView(field: CheckoutField): FieldView {
  const { id, eventId, label, kind, required, choices, per, position, createdAt, version } = field;
  return { id, eventId, label, kind, required, choices, per, position, createdAt, version };
}
